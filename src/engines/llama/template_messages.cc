#include "engines/llama/template_messages.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"

namespace craton::engines::llama {
namespace {

// U+F0000 and U+F0001
constexpr std::string_view mark_open = "\xF3\xB0\x80\x80";
constexpr std::string_view mark_close = "\xF3\xB0\x80\x81";
// U+F0002 and U+F0003, with the image's number between.
constexpr std::string_view image_open = "\xF3\xB0\x80\x82";
constexpr std::string_view image_close = "\xF3\xB0\x80\x83";
constexpr std::string_view replacement = "\xEF\xBF\xBD";

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

/// Control tokens stand between brackets of some kind: `<|im_end|>`, `[INST]`, `<｜User｜>`.
bool may_hold_control_token(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return std::string_view("<>[]|").find(c) != std::string_view::npos ||
           static_cast<unsigned char>(c) >= 0x80;
  });
}

std::string marked(std::string_view text) {
  std::string mended = without_image_marks(text);
  if (!may_hold_control_token(mended)) return mended;
  for (const std::string_view mark : {mark_open, mark_close}) {
    replace_all(mended, mark, replacement);
  }
  return std::string(mark_open) + mended + std::string(mark_close);
}

/// What callers wrote; the marks of images stay what they are.
jinja::value content_text(const std::string& content) {
  auto value = jinja::mk_val<jinja::value_string>(content);
  value->mark_input();
  return value;
}

jinja::value caller_text(const std::string& text) {
  return content_text(without_image_marks(text));
}

/// Strings, names of members included, are marked.
jinja::value caller_json(const json::value& json) {
  switch (json.kind()) {
    case boost::json::kind::null: return jinja::mk_val<jinja::value_none>();
    case boost::json::kind::bool_: return jinja::mk_val<jinja::value_bool>(json.get_bool());
    case boost::json::kind::int64: return jinja::mk_val<jinja::value_int>(json.get_int64());
    case boost::json::kind::string: return template_text(marked(json.get_string()));
    case boost::json::kind::array: {
      auto list = jinja::mk_val<jinja::value_array>();
      for (const json::value& item : json.get_array()) list->push_back(caller_json(item));
      return list;
    }
    case boost::json::kind::object: {
      auto object = jinja::mk_val<jinja::value_object>();
      for (const auto& [name, value] : json.get_object()) {
        object->insert(marked(name), caller_json(value));
      }
      return object;
    }
    default: return jinja::mk_val<jinja::value_float>(json.to_number<double>());
  }
}

/// The object that `text` holds; an empty one when it holds none.
json::value object_in(std::string_view text) {
  auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return json::object();
  return *std::move(parsed);
}

/// `content` in the form that this template reads: text, or a list of typed parts.
jinja::value content_value(const std::string& content, const jinja::caps& caps) {
  if (caps.supports_string_content || !caps.supports_typed_content) return content_text(content);
  auto part = jinja::mk_val<jinja::value_object>();
  part->insert("type", template_text("text"));
  part->insert("text", content_text(content));
  auto parts = jinja::mk_val<jinja::value_array>();
  parts->push_back(part);
  return parts;
}

jinja::value call_value(const TemplateToolCall& call, const jinja::caps& caps) {
  auto function = jinja::mk_val<jinja::value_object>();
  function->insert("name", caller_text(call.name));
  const json::value input = object_in(call.input);
  function->insert("arguments", caps.supports_object_arguments ? caller_json(input)
                                                               : caller_text(json::to_text(input)));
  auto object = jinja::mk_val<jinja::value_object>();
  object->insert("id", template_text(call.id));
  object->insert("type", template_text("function"));
  object->insert("function", function);
  return object;
}

void add_paragraph(std::string_view paragraph, std::string& text) {
  if (paragraph.empty()) return;
  if (!text.empty()) text += "\n\n";
  text += paragraph;
}

constexpr std::string_view how_to_call =
    "To call a tool, answer with one JSON object for each call and nothing else:\n"
    "{\"name\": \"the tool's name\", \"arguments\": {its arguments}}\n"
    "When no tool is needed, answer in plain text.";

/// For templates that know no tools.
std::string tools_text(const std::vector<Tool>& tools) {
  std::string text = "You can call these tools:\n";
  for (const Tool& tool : tools) {
    json::object described{{"name", tool.name}};
    if (!tool.description.empty()) described["description"] = tool.description;
    described["parameters"] = object_in(tool.input_schema);
    text += json::to_text(described) + "\n";
  }
  return text + "\n" + std::string(how_to_call);
}

std::string format_text(const ResponseFormat& format) {
  if (format.schema.empty()) return "Answer with one JSON object and no other text.";
  return "Answer with JSON and no other text. It must fit this JSON Schema:\n" + format.schema;
}

/// Writes turns down as messages, one after the other.
class MessageWriter {
 public:
  MessageWriter(bool tools, std::string first_user_text)
      : tools_(tools), first_user_text_(std::move(first_user_text)) {}

  void add(const Turn& turn) {
    const bool user = turn.role == Role::user;
    TemplateMessage message{.role = user ? "user" : "assistant"};
    if (user && !first_user_text_.empty()) {
      message.content = std::exchange(first_user_text_, {}) + "\n\n";
    }
    bool only_results = !turn.content.empty();
    for (const ContentBlock& block : turn.content) {
      only_results = only_results && std::holds_alternative<ToolResultBlock>(block);
      add(block, message);
    }
    if (tools_ && only_results && message.content.empty()) return;
    messages.push_back(std::move(message));
  }

  std::vector<TemplateMessage> messages;

 private:
  void add(const ContentBlock& block, TemplateMessage& message) {
    if (const auto* text = std::get_if<TextBlock>(&block)) {
      if (std::exchange(after_line_, false) && !message.content.empty()) message.content += "\n\n";
      message.content += without_image_marks(text->text);
    } else if (std::holds_alternative<ImageBlock>(block)) {
      if (std::exchange(after_line_, false) && !message.content.empty()) message.content += "\n\n";
      message.content += next_image();
    } else if (const auto* call = std::get_if<ToolUseBlock>(&block)) {
      add_call(*call, message);
    } else if (const auto* result = std::get_if<ToolResultBlock>(&block)) {
      add_result(*result, message);
    }
  }

  void add_call(const ToolUseBlock& call, TemplateMessage& message) {
    char id[16];
    std::snprintf(id, sizeof id, "call%05zu", calls_.size() % 100'000);
    calls_[call.id] = {id, call.name};
    if (tools_) {
      message.calls.push_back({id, call.name, call.input});
    } else {
      const json::object written{{"name", call.name}, {"arguments", object_in(call.input)}};
      add_line(without_image_marks(json::to_text(written)), message.content);
    }
  }

  void add_result(const ToolResultBlock& result, TemplateMessage& message) {
    const auto [id, tool] = calls_[result.tool_use_id];
    if (tools_) {
      messages.push_back(
          {.role = "tool", .content = result_text(result), .call_id = id, .tool = tool});
    } else {
      const std::string whose = tool.empty() ? "the tool" : without_image_marks(tool);
      add_line("Result of " + whose + ":\n" + result_text(result), message.content);
    }
  }

  /// What a tool's result says and shows.
  std::string result_text(const ToolResultBlock& result) {
    std::string text = result.is_error ? "Error: " : "";
    bool first = true;
    for (const ToolResultPart& part : result.content) {
      const auto* piece = std::get_if<TextBlock>(&part);
      if (!piece && !std::holds_alternative<ImageBlock>(part)) continue;
      if (!std::exchange(first, false)) text += '\n';
      text += piece ? without_image_marks(piece->text) : next_image();
    }
    return text;
  }

  /// Turns are written in their order, so numbers are those of images_of().
  std::string next_image() {
    return std::string(image_open) + std::to_string(images_++) + std::string(image_close);
  }

  void add_line(std::string_view line, std::string& text) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    text += line;
    after_line_ = true;
  }

  bool tools_;
  std::string first_user_text_;
  std::size_t images_ = 0;
  bool after_line_ = false;  ///< What was written last is a call or a result as text.
  std::map<std::string, std::pair<std::string, std::string>> calls_;  ///< By the caller's id.
};

}  // namespace

jinja::value template_text(const std::string& text) {
  return jinja::mk_val<jinja::value_string>(text);
}

const std::vector<Tool>& told_of(const Conversation& conversation) {
  static const std::vector<Tool> none;
  return conversation.tools.choice == ToolChoice::none ? none : conversation.tools.offered;
}

std::vector<TemplateMessage> messages_of(const Conversation& conversation,
                                         const MessageForms& forms) {
  std::string system;
  for (const TextBlock& block : conversation.system) add_paragraph(block.text, system);
  const std::vector<Tool>& tools = told_of(conversation);
  if (!forms.tools && !tools.empty()) add_paragraph(tools_text(tools), system);
  if (conversation.format) add_paragraph(format_text(*conversation.format), system);
  system = without_image_marks(system);
  MessageWriter writer(forms.tools, forms.system ? std::string() : system);
  if (forms.system && !system.empty()) {
    writer.messages.push_back({.role = "system", .content = system});
  }
  for (const Turn& turn : conversation.turns) writer.add(turn);
  return std::move(writer.messages);
}

jinja::value messages_value(const std::vector<TemplateMessage>& messages, const jinja::caps& caps) {
  auto list = jinja::mk_val<jinja::value_array>();
  for (const TemplateMessage& message : messages) {
    auto object = jinja::mk_val<jinja::value_object>();
    object->insert("role", template_text(message.role));
    object->insert("content", content_value(message.content, caps));
    if (!message.calls.empty()) {
      auto calls = jinja::mk_val<jinja::value_array>();
      for (const TemplateToolCall& call : message.calls) calls->push_back(call_value(call, caps));
      object->insert("tool_calls", calls);
    }
    if (message.role == "tool") {
      object->insert("tool_call_id", template_text(message.call_id));
      object->insert("name", caller_text(message.tool));
    }
    list->push_back(object);
  }
  return list;
}

jinja::value tools_value(const std::vector<Tool>& tools) {
  auto list = jinja::mk_val<jinja::value_array>();
  for (const Tool& tool : tools) {
    auto function = jinja::mk_val<jinja::value_object>();
    function->insert("name", template_text(marked(tool.name)));
    function->insert("description", template_text(marked(tool.description)));
    function->insert("parameters", caller_json(object_in(tool.input_schema)));
    auto object = jinja::mk_val<jinja::value_object>();
    object->insert("type", template_text("function"));
    object->insert("function", function);
    list->push_back(object);
  }
  return list;
}

void split_at_marks(const std::string& text, PromptText& prompt) {
  bool from_caller = false;
  std::size_t done = 0;
  for (;;) {
    const std::string_view mark = from_caller ? mark_close : mark_open;
    const std::size_t at = text.find(mark, done);
    prompt.push_back({text.substr(done, at - done), from_caller});
    if (at == text.npos) return;
    done = at + mark.size();
    from_caller = !from_caller;
  }
}

std::string without_image_marks(std::string_view text) {
  std::string mended = mended_utf8(text);
  replace_all(mended, image_open, replacement);
  return mended;
}

namespace {

/// Appends `piece` to `prompt`, cut where images stand in it. A mark that the template has damaged
/// is no image: it is missed by who counts them.
void place_images(TextPiece piece, PromptText& prompt) {
  std::size_t done = 0;
  for (;;) {
    const std::size_t at = piece.text.find(image_open, done);
    if (at == piece.text.npos) break;
    prompt.push_back({piece.text.substr(done, at - done), piece.from_caller});
    const char* digits = piece.text.data() + at + image_open.size();
    const char* end = piece.text.data() + piece.text.size();
    std::size_t image = 0;
    const auto [after, error] = std::from_chars(digits, end, image);
    done = static_cast<std::size_t>((error == std::errc() ? after : digits) - piece.text.data());
    if (!std::string_view(piece.text).substr(done).starts_with(image_close)) continue;
    done += image_close.size();
    prompt.push_back({.text = {}, .from_caller = piece.from_caller, .image = image});
  }
  if (done > 0) piece.text.erase(0, done);
  prompt.push_back(std::move(piece));
}

}  // namespace

PromptText place_images(PromptText prompt) {
  PromptText placed;
  placed.reserve(prompt.size());
  for (TextPiece& piece : prompt) place_images(std::move(piece), placed);
  return placed;
}

}  // namespace craton::engines::llama
