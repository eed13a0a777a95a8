#include "engines/rules/request_view.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <ranges>
#include <utility>

namespace craton::engines::rules {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

/// JSON of the caller's as a value; as text where it is none.
json::value read_or_text(std::string_view text) {
  Result<json::value> read = json::parse(text);
  return read ? std::move(*read) : json::value(text);
}

json::value document_form(const DocumentBlock& block) {
  return json::object{{"document", json::object{{"format", block.format}, {"name", block.name}}}};
}

json::value image_form(const ImageBlock& block) {
  return json::object{{"image", json::object{{"format", block.format}}}};
}

json::value result_form(const ToolResultBlock& block) {
  json::array parts;
  for (const ToolResultPart& part : block.content) {
    std::visit(
        Overloaded{
            [&](const TextBlock& text) { parts.push_back(json::object{{"text", text.text}}); },
            [&](const ImageBlock& image) { parts.push_back(image_form(image)); },
            [&](const DocumentBlock& document) { parts.push_back(document_form(document)); }},
        part);
  }
  return json::object{{"toolResult", json::object{{"content", std::move(parts)},
                                                  {"status", block.is_error ? "error" : "success"},
                                                  {"toolUseId", block.tool_use_id}}}};
}

json::value block_form(const ContentBlock& block) {
  return std::visit(
      Overloaded{
          [](const TextBlock& text) -> json::value { return json::object{{"text", text.text}}; },
          [](const ImageBlock& image) { return image_form(image); },
          [](const DocumentBlock& document) { return document_form(document); },
          [](const ToolUseBlock& use) -> json::value {
            return json::object{{"toolUse", json::object{{"input", read_or_text(use.input)},
                                                         {"name", use.name},
                                                         {"toolUseId", use.id}}}};
          },
          [](const ToolResultBlock& result) { return result_form(result); },
          [](const ReasoningBlock& reasoning) -> json::value {
            return json::object{
                {"reasoningContent",
                 json::object{{"reasoningText", json::object{{"text", reasoning.text}}}}}};
          }},
      block);
}

json::object inference_form(const Sampling& sampling) {
  json::object form;
  if (sampling.tokens_max) form["maxTokens"] = *sampling.tokens_max;
  if (sampling.temperature) form["temperature"] = *sampling.temperature;
  if (sampling.top_p) form["topP"] = *sampling.top_p;
  if (sampling.top_k) form["topK"] = *sampling.top_k;
  if (sampling.seed) form["seed"] = *sampling.seed;
  json::array stops;
  for (const std::string& stop : sampling.stop_sequences) stops.push_back(json::value(stop));
  if (!stops.empty()) form["stopSequences"] = std::move(stops);
  return form;
}

json::object tools_form(const Tools& tools) {
  json::array offered;
  for (const Tool& tool : tools.offered) {
    offered.push_back(json::object{
        {"toolSpec",
         json::object{{"description", tool.description},
                      {"inputSchema", json::object{{"json", read_or_text(tool.input_schema)}}},
                      {"name", tool.name}}}});
  }
  json::object choice;
  switch (tools.choice) {
    case ToolChoice::automatic: choice["auto"] = json::object(); break;
    case ToolChoice::any: choice["any"] = json::object(); break;
    case ToolChoice::named: choice["tool"] = json::object{{"name", tools.named}}; break;
    case ToolChoice::none: choice["none"] = json::object(); break;
  }
  return {{"toolChoice", std::move(choice)}, {"tools", std::move(offered)}};
}

/// Its texts, which belong together no more than that they are asked about at once.
std::string lines_of(const Turn& turn) {
  std::string lines;
  for (const ContentBlock& block : turn.content) {
    const auto* text = std::get_if<TextBlock>(&block);
    if (!text) continue;
    if (!lines.empty()) lines += '\n';
    lines += text->text;
  }
  return lines;
}

std::string text_of(const ToolResultBlock& result) {
  std::string text;
  for (const ToolResultPart& part : result.content) {
    if (const auto* block = std::get_if<TextBlock>(&part)) text += block->text;
  }
  return text;
}

}  // namespace

json::value converse_form(const Conversation& conversation) {
  json::array system;
  for (const TextBlock& block : conversation.system) {
    system.push_back(json::object{{"text", block.text}});
  }
  json::array messages;
  for (const Turn& turn : conversation.turns) {
    json::array content;
    for (const ContentBlock& block : turn.content) content.push_back(block_form(block));
    messages.push_back(json::object{{"content", std::move(content)},
                                    {"role", turn.role == Role::user ? "user" : "assistant"}});
  }
  json::object form{{"inferenceConfig", inference_form(conversation.sampling)},
                    {"messages", std::move(messages)},
                    {"system", std::move(system)}};
  if (!conversation.tools.offered.empty()) form["toolConfig"] = tools_form(conversation.tools);
  if (conversation.format) {
    const std::string& schema = conversation.format->schema;
    form["responseFormat"] = schema.empty()
                                 ? json::object{{"type", "json"}}
                                 : json::object{{"schema", read_or_text(schema)}, {"type", "json"}};
  }
  return form;
}

RequestView::RequestView(const Request& request) : request_(request) {}
RequestView::~RequestView() = default;

const std::string& RequestView::last_user_text() {
  if (last_user_text_) return *last_user_text_;
  const auto& turns = request_.conversation.turns;
  const auto last = std::ranges::find(turns.rbegin(), turns.rend(), Role::user, &Turn::role);
  if (last == turns.rend()) {
    last_user_text_.emplace();
  } else {
    last_user_text_ = request_.wanted == Wanted::text ? craton::text_of(*last) : lines_of(*last);
  }
  return *last_user_text_;
}

const std::string& RequestView::system_text() {
  if (system_text_) return *system_text_;
  system_text_.emplace();
  for (const TextBlock& block : request_.conversation.system) {
    if (!system_text_->empty()) *system_text_ += '\n';
    *system_text_ += block.text;
  }
  return *system_text_;
}

std::vector<const ToolResultBlock*> RequestView::tool_results() const {
  std::vector<const ToolResultBlock*> results;
  const auto& turns = request_.conversation.turns;
  if (turns.empty()) return results;
  for (const ContentBlock& block : turns.back().content) {
    if (const auto* result = std::get_if<ToolResultBlock>(&block)) results.push_back(result);
  }
  return results;
}

const std::string& RequestView::tool_result_text() {
  if (tool_result_text_) return *tool_result_text_;
  tool_result_text_.emplace();
  for (const ToolResultBlock* result : tool_results()) *tool_result_text_ += text_of(*result);
  return *tool_result_text_;
}

std::string_view RequestView::tool_of(std::string_view tool_use_id) const {
  for (const Turn& turn : std::views::reverse(request_.conversation.turns)) {
    for (const ContentBlock& block : turn.content) {
      const auto* use = std::get_if<ToolUseBlock>(&block);
      if (use && use->id == tool_use_id) return use->name;
    }
  }
  return {};
}

int RequestView::answered_turns() const {
  const auto& turns = request_.conversation.turns;
  const auto count = std::ranges::count(turns, Role::assistant, &Turn::role);
  const bool continued = !turns.empty() && turns.back().role == Role::assistant;
  return static_cast<int>(count) - (continued ? 1 : 0);
}

const json::value& RequestView::json() {
  if (json_) return *json_;
  json_ = std::make_unique<json::value>(converse_form(request_.conversation));
  if (request_.native) json_->get_object()["body"] = read_or_text(request_.native->body);
  return *json_;
}

}  // namespace craton::engines::rules
