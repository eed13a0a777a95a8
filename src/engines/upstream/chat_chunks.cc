#include "engines/upstream/chat_chunks.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "base/json.h"
#include "conversation/openai_words.h"
#include "engines/upstream/json_members.h"
#include "engines/upstream/upstream_error.h"

namespace craton::engines::upstream {
namespace {

/// As much as OpenAI tells of a token.
std::vector<TokenLikelihood> likelihoods_of(const json::object& choice) {
  std::vector<TokenLikelihood> all;
  const json::object* logprobs = object_member(choice, "logprobs");
  if (!logprobs) return all;
  if (const json::array* content = array_member(*logprobs, "content")) {
    for (const json::value& token : *content) {
      const json::object* told = token.if_object();
      const json::value* likelihood = told ? told->if_contains("logprob") : nullptr;
      if (!likelihood || !likelihood->is_number()) continue;
      all.push_back({std::string(text_member(*told, "token")), likelihood->to_number<double>()});
    }
    return all;
  }
  const json::array* tokens = array_member(*logprobs, "tokens");  // of completions
  const json::array* numbers = array_member(*logprobs, "token_logprobs");
  const std::size_t count = tokens && numbers ? std::min(tokens->size(), numbers->size()) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(*tokens)[i].is_string() || !(*numbers)[i].is_number()) continue;
    all.push_back({std::string((*tokens)[i].get_string()), (*numbers)[i].to_number<double>()});
  }
  return all;
}

/// The stop sequence that a server says it met.
std::string_view matched_stop(const json::object& choice) {
  const std::string_view stop = text_member(choice, "stop_reason");
  return stop.empty() ? text_member(choice, "matched_stop") : stop;
}

}  // namespace

Result<void> ChunkReader::read(const ServerSentEvent& piece, std::vector<Event>& events) {
  if (done_) return {};
  if (piece.data == "[DONE]") {
    done_ = true;
    return {};
  }
  if (piece.name == "error") return stream_error_of(piece.data);
  const auto parsed = json::parse(piece.data);
  if (!parsed || !parsed->is_object()) return not_understood();
  return read_object(parsed->get_object(), events);
}

Result<void> ChunkReader::read_whole(std::string_view text, std::vector<Event>& events) {
  const auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return not_understood();
  done_ = true;
  return read_object(parsed->get_object(), events);
}

Result<void> ChunkReader::read_object(const json::object& chunk, std::vector<Event>& events) {
  const json::value* error = chunk.if_contains("error");
  if (error && !error->is_null()) return stream_error_of(json::to_text(chunk));
  if (const json::object* usage = object_member(chunk, "usage")) read_usage(*usage);
  const json::array* choices = array_member(chunk, "choices");
  if (!choices) return chunk.contains("usage") ? Result<void>() : not_understood();
  for (const json::value& choice : *choices) {
    if (!choice.is_object()) return not_understood();
    if (count_member(choice.get_object(), "index") > 0) continue;  // one was asked for
    CRATON_TRY(read_choice(choice.get_object(), events));
  }
  return {};
}

Result<void> ChunkReader::read_choice(const json::object& choice, std::vector<Event>& events) {
  const json::object* delta = object_member(choice, "delta");
  if (!delta) delta = object_member(choice, "message");
  if (!delta) {
    add_text(text_member(choice, "text"), choice, events);
    read_reason(choice);
    return {};
  }
  const std::string_view thought = text_member(*delta, "reasoning_content");
  add_thought(thought.empty() ? text_member(*delta, "reasoning") : thought, events);
  if (const json::value* content = delta->if_contains("content")) {
    add_content(*content, choice, events);
  }
  add_text(text_member(*delta, "refusal"), choice, events);
  if (const json::array* calls = array_member(*delta, "tool_calls")) {
    CRATON_TRY(read_calls(*calls, events));
  }
  read_reason(choice);
  return {};
}

/// Mistral's models think in parts of the content.
void ChunkReader::add_content(const json::value& content, const json::object& choice,
                              std::vector<Event>& events) {
  if (content.is_string()) return add_text(content.get_string(), choice, events);
  if (!content.is_array()) return;
  for (const json::value& value : content.get_array()) {
    const json::object* part = value.if_object();
    if (!part) continue;
    add_text(text_member(*part, "text"), choice, events);
    const json::array* thoughts = array_member(*part, "thinking");
    if (!thoughts) continue;
    for (const json::value& thought : *thoughts) {
      if (thought.is_object()) add_thought(text_member(thought.get_object(), "text"), events);
    }
  }
}

void ChunkReader::add_text(std::string_view text, const json::object& choice,
                           std::vector<Event>& events) {
  if (text.empty()) return;
  bytes_ += text.size();
  std::string fresh = new_text(text);
  if (fresh.empty()) return;
  begin(events);
  end_call(events);
  events.emplace_back(TextDelta{std::move(fresh), 0, likelihoods_of(choice)});
}

/// `text` without what repeats the answer that had begun; with what was taken for it and is not.
std::string ChunkReader::new_text(std::string_view text) {
  const auto [at, in_text] = std::ranges::mismatch(repeated_, text);
  const auto same = static_cast<std::size_t>(in_text - text.begin());
  if (same == repeated_.size()) {
    repeated_ = {};
    return std::string(text.substr(same));
  }
  if (same == text.size()) {
    repeated_.remove_prefix(same);
    return {};
  }
  std::string all = form_.begun.substr(0, form_.begun.size() - repeated_.size());
  repeated_ = {};
  return all.append(text);
}

void ChunkReader::add_thought(std::string_view text, std::vector<Event>& events) {
  bytes_ += text.size();
  if (text.empty() || !form_.thoughts_shown) return;
  begin(events);
  end_call(events);
  events.emplace_back(ReasoningDelta{std::string(text)});
}

Result<void> ChunkReader::read_calls(const json::array& calls, std::vector<Event>& events) {
  for (const json::value& call : calls) {
    if (!call.is_object()) return not_understood();
    CRATON_TRY(read_call(call.get_object(), events));
  }
  return {};
}

/// Calls come one after the other, each in pieces. Not every server numbers them, and some give
/// all the same number: a new id and a name begin a call as well.
Result<void> ChunkReader::read_call(const json::object& call, std::vector<Event>& events) {
  const json::object* function = object_member(call, "function");
  const std::string_view name = function ? text_member(*function, "name") : std::string_view();
  const std::string_view id = text_member(call, "id");
  std::optional<std::int64_t> index;
  if (call.contains("index")) index = count_member(call, "index");
  const bool other_index = !call_ || (index && call_->index != index);
  const bool other_id = !name.empty() && !id.empty() && (!call_ || call_->id != id);
  if (other_index || other_id) {
    if (name.empty()) return not_understood();  // a piece of a call that has ended, or never began
    begin(events);
    end_call(events);
    call_ = OpenCall{index, std::string(id)};
    called_ = true;
    bytes_ += name.size();
    events.emplace_back(ToolUseStart{std::string(name)});
  }
  const json::value* arguments = function ? function->if_contains("arguments") : nullptr;
  if (!arguments || arguments->is_null()) return {};
  std::string input =
      arguments->is_string() ? std::string(arguments->get_string()) : json::to_text(*arguments);
  bytes_ += input.size();
  if (!input.empty()) events.emplace_back(ToolInputDelta{std::move(input)});
  return {};
}

void ChunkReader::end_call(std::vector<Event>& events) {
  if (std::exchange(call_, std::nullopt)) events.emplace_back(ToolUseStop{});
}

void ChunkReader::read_reason(const json::object& choice) {
  const std::string_view word = text_member(choice, "finish_reason");
  if (word.empty()) return;
  const auto row = std::ranges::find(openai::finish_reasons, word, &openai::FinishReason::word);
  stop_.emplace();
  if (row != openai::finish_reasons.end()) stop_->reason = row->reason;
  if (stop_->reason == StopReason::max_tokens) {
    if (form_.tokens_lowered) stop_->reason = StopReason::full_context;
    return;
  }
  const std::string_view matched = matched_stop(choice);
  if (called_) {
    stop_->reason = StopReason::tool_use;
  } else if (stop_->reason == StopReason::tool_use) {
    stop_->reason = StopReason::end_turn;  // no call came
  } else if (!matched.empty() && matched != word) {
    *stop_ = {StopReason::stop_sequence, std::string(matched)};
  }
}

void ChunkReader::read_usage(const json::object& usage) {
  const int prompt = count_member(usage, "prompt_tokens");
  const json::object* details = object_member(usage, "prompt_tokens_details");
  const int cached = details ? std::min(prompt, count_member(*details, "cached_tokens")) : 0;
  usage_ = Usage{.input_tokens = prompt - cached,
                 .output_tokens = count_member(usage, "completion_tokens"),
                 .cache_read_tokens = cached};
}

/// Not before there is something to say: until then what goes wrong is an ordinary refusal.
void ChunkReader::begin(std::vector<Event>& events) {
  if (!std::exchange(begun_, true)) events.emplace_back(MessageStart{});
}

Result<void> ChunkReader::finish(std::vector<Event>& events) {
  if (!stop_) return broken_off();
  begin(events);
  end_call(events);
  const std::size_t held = repeated_.empty() ? 0 : form_.begun.size() - repeated_.size();
  if (held > 0) events.emplace_back(TextDelta{form_.begun.substr(0, held)});
  events.emplace_back(*stop_);
  constexpr std::size_t bytes_of_a_token = 4;
  const auto estimate = static_cast<int>((bytes_ + bytes_of_a_token - 1) / bytes_of_a_token);
  events.emplace_back(
      usage_.value_or(Usage{.input_tokens = form_.prompt_tokens, .output_tokens = estimate}));
  return {};
}

}  // namespace craton::engines::upstream
