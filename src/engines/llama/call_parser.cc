#include "engines/llama/call_parser.h"

#include <algorithm>
#include <array>
#include <utility>

namespace craton::engines::llama {

/// What stands before a call.
struct CallParser::Opening {
  std::string_view text;
  bool at_line_start;  ///< And not in a block of code.
  Phase then;
};

/// The openings of the model families, and JSON without any.
const std::vector<CallParser::Opening>& CallParser::openings() {
  static const std::vector<Opening> rows = {
      {"<tool_call>", false, Phase::value},      // Qwen, Hermes, many others
      {"<function_call>", false, Phase::value},  // older Hermes, Granite
      {"<|tool_call|>", false, Phase::value},    // Granite, Phi
      {"<tools>", false, Phase::value},          // Qwen2.5-Coder, when it mistakes the list's tag
      {"<function=", false, Phase::tag_name},    // Llama 3.1's own, Functionary
      {"[TOOL_CALLS]", false, Phase::value},     // Mistral
      {"<|python_tag|>", false, Phase::value},   // Llama 3
      {"functools", true, Phase::value},         // Phi-4
      {"```json\n", true, Phase::value},
      {"```tool_call\n", true, Phase::value},
      {"```xml\n", true, Phase::value},
      {"```\n", true, Phase::value},
      {"{", true, Phase::key_quote},
      {"[", true, Phase::value},
  };
  return rows;
}

/// Under which names models give a call's parts.
const CallParser::KeyRow CallParser::keys[] = {{"name", Role::name},
                                               {"tool_name", Role::name},
                                               {"tool", Role::name},
                                               {"function", Role::wrapper_or_name},
                                               {"tool_call", Role::wrapper_or_name},
                                               {"arguments", Role::input},
                                               {"parameters", Role::input},
                                               {"input", Role::input},
                                               {"args", Role::input},
                                               {"id", Role::skipped},
                                               {"type", Role::skipped},
                                               {"call_id", Role::skipped}};

namespace {

// What may stand behind a call and means nothing; "json\n" belongs to the next fence.
constexpr std::string_view closings[] = {
    "</tool_call>", "</function_call>", "</tools>", "</function>", "<|/tool_call|>",
    "```",          "json\n",           "xml\n"};
constexpr std::string_view separators = " \t\r\n,;}]";

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

/// Text that follows text joins it.
void put_text(std::string_view text, std::vector<Event>& events) {
  if (text.empty()) return;
  auto* last = events.empty() ? nullptr : std::get_if<TextDelta>(&events.back());
  if (last) {
    last->text += text;
  } else {
    events.emplace_back(TextDelta{.text = std::string(text)});
  }
}

void put_input(std::string_view json, std::vector<Event>& events) {
  if (json.empty()) return;
  auto* last = events.empty() ? nullptr : std::get_if<ToolInputDelta>(&events.back());
  if (last) {
    last->json += json;
  } else {
    events.emplace_back(ToolInputDelta{std::string(json)});
  }
}

/// The part of a template's own opening that comes before the JSON: "<|call|>" of `<|call|>{"name`.
std::string_view own_opening(const CallForm& form) {
  std::string_view text = std::string_view(form.open).substr(0, form.open.find_first_of("{["));
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

CallParser::CallParser(std::shared_ptr<const CallPlan> plan) : plan_(std::move(plan)) {
  starts_ = "<[{`f";
  if (const std::string_view own = own_opening(plan_->form); !own.empty()) starts_ += own[0];
  if (!plan_->begun) return;
  state_ = State::call;
  call_.phase = Phase::begun_name;
}

const CallableTool* CallParser::tool_named(std::string_view name) const {
  const auto found = std::ranges::find(plan_->tools, name, &CallableTool::name);
  return found == plan_->tools.end() ? nullptr : &*found;
}

bool CallParser::begins_a_name(std::string_view text) const {
  return std::ranges::any_of(plan_->tools,
                             [&](const CallableTool& tool) { return tool.name.starts_with(text); });
}

/// Keeps track of lines in what is given out as text.
void CallParser::follow_lines(char byte) {
  if (byte == '\n') {
    line_blank_ = true;
    ticks_ = 0;
    return;
  }
  ticks_ = byte == '`' && (line_blank_ || ticks_ > 0) && ticks_ < 3 ? ticks_ + 1 : 0;
  if (ticks_ == 3) in_code_ = !in_code_;
  line_blank_ = line_blank_ && is_blank(byte);
}

void CallParser::release(std::size_t bytes, std::vector<Event>& events) {
  const std::string_view text = std::string_view(buffer_).substr(0, bytes);
  for (const char byte : text) follow_lines(byte);
  put_text(text, events);
  buffer_.erase(0, bytes);
}

/// What was held is no call: its first byte is text, and the rest is looked at anew. Behind a call,
/// and where only a call can be, everything has ended.
void CallParser::not_a_call(std::vector<Event>& events) {
  call_ = {};
  seen_ = 0;
  if (calls_ > 0 || plan_->begun) {
    state_ = State::ended;
    buffer_.clear();
    return;
  }
  state_ = State::text;
  release(1, events);
}

void CallParser::add(std::string_view bytes, std::vector<Event>& events) {
  if (ended()) return;
  buffer_ += bytes;
  while (seen_ < buffer_.size() && !ended()) {
    if (state_ == State::text) {
      text_step(events);
    } else {
      const char byte = buffer_[seen_++];
      step(byte, events);
    }
  }
}

void CallParser::step(char byte, std::vector<Event>& events) {
  switch (state_) {
    case State::call: return call_step(byte, events);
    case State::after: return after_step(events);
    case State::text:
    case State::ended: return;
  }
}

/// Gives out what surely begins nothing.
void CallParser::text_step(std::vector<Event>& events) {
  const std::size_t safe = std::min(buffer_.find_first_of(starts_), buffer_.size());
  if (safe > 0) return release(safe, events);
  state_ = State::call;
  call_ = {};
  seen_ = 1;
  opening_step(events);
}

bool CallParser::may_open(std::string_view text, Fit fit) const {
  const auto fits = [&](std::string_view opening) {
    return fit == Fit::whole ? opening == text
                             : opening.size() > text.size() && opening.starts_with(text);
  };
  const std::string_view own = own_opening(plan_->form);
  return (!own.empty() && fits(own)) || std::ranges::any_of(openings(), [&](const Opening& row) {
           const bool here = !row.at_line_start || calls_ > 0 || (line_blank_ && !in_code_);
           return here && fits(row.text);
         });
}

/// The longest opening counts: "[" may be the beginning of "[TOOL_CALLS]".
void CallParser::opening_step(std::vector<Event>& events) {
  const std::string_view text = std::string_view(buffer_.data(), seen_).substr(call_.opening_at);
  if (may_open(text, Fit::longer)) return;
  if (may_open(text, Fit::whole)) return open(text);
  const std::string_view shorter = text.substr(0, text.size() - 1);
  if (shorter.empty() || !may_open(shorter, Fit::whole)) return not_a_call(events);
  open(shorter);
  call_step(text.back(), events);
}

void CallParser::open(std::string_view opening) {
  const auto row = std::ranges::find(openings(), opening, &Opening::text);
  call_.phase = row == openings().end() ? Phase::value : row->then;
  call_.in_array = opening == "[";
}

/// Behind a call only another one matters, and what may stand between the two.
void CallParser::after_step(std::vector<Event>& events) {
  const std::string_view text = std::string_view(buffer_).substr(0, seen_);
  const bool nothing = seen_ == 1 && separators.find(text[0]) != std::string_view::npos;
  if (nothing || std::ranges::find(closings, text) != std::end(closings)) {
    buffer_.erase(0, seen_);
    seen_ = 0;
    return;
  }
  if (may_open(text, Fit::whole)) {
    state_ = State::call;
    call_ = {};
    return opening_step(events);
  }
  const bool closes = std::ranges::any_of(
      closings, [&](std::string_view closing) { return closing.starts_with(text); });
  if (closes || may_open(text, Fit::longer)) return;
  state_ = State::ended;
  buffer_.clear();
}

void CallParser::call_step(char byte, std::vector<Event>& events) {
  switch (call_.phase) {
    case Phase::opening: return opening_step(events);
    case Phase::value: return value_step(byte, events);
    case Phase::tag_name: return tag_name_step(byte, events);
    case Phase::begun_name: return begun_name_step(byte, events);
    case Phase::key_quote:
      if (byte == '"') {
        call_.phase = Phase::key;
        call_.word.clear();
      } else if (!is_blank(byte)) {
        not_a_call(events);
      }
      return;
    case Phase::key: return key_step(byte, events);
    case Phase::colon:
      if (byte == ':') {
        call_.phase = Phase::member;
      } else if (!is_blank(byte)) {
        not_a_call(events);
      }
      return;
    case Phase::member: return member_step(byte, events);
    case Phase::name: return name_step(byte, events);
    case Phase::skipped: return skipped_step(byte);
    case Phase::input: return input_step(byte, events);
    case Phase::next_member: return next_member_step(byte, events);
  }
}

void CallParser::value_step(char byte, std::vector<Event>& events) {
  if (is_blank(byte)) return;
  const bool fence = call_.opening_at == 0 && buffer_.starts_with("```");
  if (byte == '{') {
    call_.phase = Phase::key_quote;
  } else if (byte == '[' && !call_.in_array) {
    call_.in_array = true;
  } else if (fence && byte == '<') {  // a tag in a fence: the fence is passed over
    call_.phase = Phase::opening;
    call_.opening_at = seen_ - 1;
    opening_step(events);
  } else if (!fence && !call_.in_array && begins_a_name({&byte, 1})) {
    call_.phase = Phase::tag_name;  // [TOOL_CALLS]get_weather[ARGS]{...}
    call_.word.assign(1, byte);
  } else {
    not_a_call(events);
  }
}

/// The name in `<function=name>{...}` and `[TOOL_CALLS]name[ARGS]{...}`.
void CallParser::tag_name_step(char byte, std::vector<Event>& events) {
  if (!call_.tool && begins_a_name(call_.word + byte)) {
    call_.word += byte;
    return;
  }
  if (!call_.tool) {
    call_.tool = tool_named(call_.word);
    call_.word.clear();
    if (!call_.tool) return not_a_call(events);
  }
  if (byte == '{' && (call_.word.empty() || call_.word == ">" || call_.word == "[ARGS]")) {
    return begin_input(events);
  }
  if (is_blank(byte)) return;
  call_.word += byte;
  const auto begins = [&](std::string_view whole) { return whole.starts_with(call_.word); };
  if (!begins(">") && !begins("[ARGS]")) not_a_call(events);
}

/// The name and what the model's form has between it and the input.
void CallParser::begun_name_step(char byte, std::vector<Event>& events) {
  if (call_.tool) {
    if (byte == '{') return begin_input(events);
    if (!is_blank(byte)) not_a_call(events);
    return;
  }
  call_.word += byte;
  for (const CallableTool& tool : plan_->tools) {
    if (call_.word == tool.name + plan_->form.between) call_.tool = &tool;
  }
  const bool possible = std::ranges::any_of(plan_->tools, [&](const CallableTool& tool) {
    return (tool.name + plan_->form.between).starts_with(call_.word);
  });
  if (!possible) not_a_call(events);
}

void CallParser::key_step(char byte, std::vector<Event>& events) {
  if (byte != '"') {
    call_.word += byte;
    const bool possible = std::ranges::any_of(
        keys, [&](const KeyRow& row) { return row.key.starts_with(call_.word); });
    if (!possible) not_a_call(events);
    return;
  }
  const auto* row = std::ranges::find(keys, call_.word, &KeyRow::key);
  if (row == std::end(keys)) return not_a_call(events);
  call_.role = row->role;
  call_.phase = Phase::colon;
}

void CallParser::member_step(char byte, std::vector<Event>& events) {
  if (is_blank(byte)) return;
  call_.word.clear();
  const Role role = call_.role;
  if (byte == '{' && role == Role::input && !call_.input_complete) return begin_input(events);
  if (byte == '{' && role == Role::wrapper_or_name && call_.wrappers == 0) {
    ++call_.wrappers;
    call_.phase = Phase::key_quote;
  } else if (byte == '"' && role == Role::skipped) {
    call_.phase = Phase::skipped;
  } else if (byte == '"' && role != Role::input && !call_.tool) {
    call_.phase = Phase::name;
  } else {
    not_a_call(events);
  }
}

void CallParser::name_step(char byte, std::vector<Event>& events) {
  if (byte != '"') {
    call_.word += byte;
    if (!begins_a_name(call_.word)) not_a_call(events);
    return;
  }
  call_.tool = tool_named(call_.word);
  if (!call_.tool) return not_a_call(events);
  call_.phase = Phase::next_member;
  if (!call_.input_complete) return;
  give(events);
  put_input(std::exchange(call_.input, {}), events);
  complete(events);
}

void CallParser::skipped_step(char byte) {
  if (std::exchange(call_.escaped, false)) return;
  if (byte == '\\') call_.escaped = true;
  if (byte == '"') call_.phase = Phase::next_member;
}

/// The input's brace has been read.
void CallParser::begin_input(std::vector<Event>& events) {
  call_.phase = Phase::input;
  call_.matcher.emplace(call_.tool ? call_.tool->input : plan_->any_input);
  if (call_.tool) give(events);
  input_step('{', events);
}

/// From here on the call is certain.
void CallParser::give(std::vector<Event>& events) {
  events.emplace_back(ToolUseStart{call_.tool->name});
  giving_input_ = true;
}

void CallParser::input_step(char byte, std::vector<Event>& events) {
  const bool fits = call_.matcher->advance({&byte, 1});
  if (!giving_input_) {
    if (!fits) return not_a_call(events);
    call_.input += byte;
    call_.input_complete = call_.matcher->must_end();
    if (call_.input_complete) call_.phase = Phase::next_member;
    return;
  }
  if (!fits) {  // nobody asked allows(): what was given out cannot be taken back
    complete(events);
    broken_ = true;
    state_ = State::ended;
    buffer_.clear();
    return;
  }
  std::string whole;
  input_mender_.add({&byte, 1}, whole);
  put_input(whole, events);
  buffer_.erase(0, std::exchange(seen_, 0));
  if (call_.matcher->must_end()) complete(events);
}

void CallParser::complete(std::vector<Event>& events) {
  events.emplace_back(ToolUseStop{});
  buffer_.erase(0, std::exchange(seen_, 0));
  call_ = {};
  input_mender_ = {};
  giving_input_ = false;
  ++calls_;
  state_ = plan_->parallel ? State::after : State::ended;
}

void CallParser::next_member_step(char byte, std::vector<Event>& events) {
  if (is_blank(byte)) return;
  if (byte == ',') {
    call_.phase = Phase::key_quote;
  } else if (byte == '}' && call_.wrappers > 0) {
    --call_.wrappers;
  } else {
    not_a_call(events);
  }
}

void CallParser::finish(std::vector<Event>& events) {
  if (giving_input_) {
    events.emplace_back(ToolUseStop{});
  } else if (calls_ == 0 && !plan_->begun) {
    release(buffer_.size(), events);
  }
  buffer_.clear();
  seen_ = 0;
  state_ = State::ended;
}

bool CallParser::allows(std::string_view bytes) const {
  if (giving_input_) return !bytes.empty() && call_.matcher->allows_some(bytes);
  // Where these bytes make the held ones no call, another may begin within those.
  const bool may_begin =
      call_.tool || bytes.find('{') != bytes.npos || buffer_.find('{', 1) != buffer_.npos;
  if (state_ != State::call || !may_begin) return true;
  CallParser ahead = *this;  // cheap: the buffer seldom holds more than a call's head
  std::vector<Event> events;
  ahead.add(bytes, events);
  return !ahead.broken_;
}

bool CallParser::knows(std::string_view control_text) const {
  return (!own_opening(plan_->form).empty() && own_opening(plan_->form) == control_text) ||
         control_text == "[ARGS]" ||
         std::ranges::find(openings(), control_text, &Opening::text) != openings().end() ||
         std::ranges::find(closings, control_text) != std::end(closings);
}

}  // namespace craton::engines::llama
