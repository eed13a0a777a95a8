#include "engines/upstream/chat_request.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>
#include <variant>

#include "base/base64.h"
#include "base/json.h"
#include "conversation/openai_words.h"

namespace craton::engines::upstream {
namespace {

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

json::object text_part(std::string_view text) { return {{"type", "text"}, {"text", text}}; }

json::object image_part(const ImageBlock& image) {
  const auto type =
      std::ranges::find(openai::image_types, image.format, &openai::ImageType::format);
  std::string url = "data:";
  url +=
      type == openai::image_types.end() ? "image/" + image.format : std::string(type->media_type);
  url += ";base64,";
  append_base64(image.bytes, url);
  return {{"type", "image_url"}, {"image_url", {{"url", std::move(url)}}}};
}

/// A plain text where there is nothing else: not every template reads parts.
json::value content_of(json::array parts) {
  std::string text;
  for (const json::value& part : parts) {
    const json::value* piece = part.get_object().if_contains("text");
    if (!piece) return parts;
    text += piece->get_string();
  }
  return json::value(text);
}

/// Writes turns as messages.
class MessageWriter {
 public:
  json::array take() { return std::move(messages_); }

  void write_system(const std::vector<TextBlock>& blocks) {
    std::string text;
    for (const TextBlock& block : blocks) {
      if (!text.empty() && !block.text.empty()) text += "\n\n";
      text += block.text;
    }
    if (!text.empty()) messages_.push_back({{"role", "system"}, {"content", text}});
  }

  void write(const Turn& turn) {
    turn.role == Role::user ? write_user(turn) : write_assistant(turn);
  }

 private:
  /// Results come first: they answer the message before.
  void write_user(const Turn& turn) {
    json::array parts;
    for (const ContentBlock& block : turn.content) {
      if (const auto* result = std::get_if<ToolResultBlock>(&block)) write_result(*result, parts);
    }
    for (const ContentBlock& block : turn.content) {
      if (const auto* text = std::get_if<TextBlock>(&block)) parts.push_back(text_part(text->text));
      if (const auto* image = std::get_if<ImageBlock>(&block)) parts.push_back(image_part(*image));
    }
    if (parts.empty()) return;
    messages_.push_back({{"role", "user"}, {"content", content_of(std::move(parts))}});
  }

  /// The API has no word for failure, and results are text: their images follow as the user's.
  void write_result(const ToolResultBlock& result, json::array& parts) {
    std::string said = result.is_error ? "Error: " : "";
    bool first = true;
    for (const ToolResultPart& part : result.content) {
      const auto* text = std::get_if<TextBlock>(&part);
      if (const auto* image = std::get_if<ImageBlock>(&part)) parts.push_back(image_part(*image));
      if (!text) continue;
      if (!std::exchange(first, false)) said += '\n';
      said += text->text;
    }
    if (first && !parts.empty()) said += "See the image that follows.";
    messages_.push_back(
        {{"role", "tool"}, {"tool_call_id", result.tool_use_id}, {"content", said}});
  }

  void write_assistant(const Turn& turn) {
    json::array calls;
    std::string thoughts;
    for (const ContentBlock& block : turn.content) {
      if (const auto* thought = std::get_if<ReasoningBlock>(&block)) thoughts += thought->text;
      const auto* call = std::get_if<ToolUseBlock>(&block);
      if (!call) continue;
      calls.push_back({{"id", call->id},
                       {"type", "function"},
                       {"function", {{"name", call->name}, {"arguments", call->input}}}});
    }
    std::string text = text_of(turn);
    json::object message{{"role", "assistant"}};
    message["content"] = text.empty() && !calls.empty() ? json::value() : json::value(text);
    if (!thoughts.empty()) message["reasoning_content"] = thoughts;
    if (!calls.empty()) message["tool_calls"] = std::move(calls);
    messages_.push_back(std::move(message));
  }

  json::array messages_;
};

Result<json::array> tools_of(const Tools& tools) {
  json::array all;
  for (const Tool& tool : tools.offered) {
    json::object function{{"name", tool.name}};
    if (!tool.description.empty()) function["description"] = tool.description;
    auto schema = json::parse(tool.input_schema);
    if (!schema) return refused("The input schema of the tool " + tool.name + " is no JSON.");
    function["parameters"] = *std::move(schema);
    all.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return all;
}

Result<void> add_tools(const Tools& tools, json::object& body) {
  if (tools.offered.empty()) return {};
  CRATON_TRY_ASSIGN(body["tools"], tools_of(tools));
  if (tools.choice == ToolChoice::named) {
    body["tool_choice"] = {{"type", "function"}, {"function", {{"name", tools.named}}}};
  } else if (tools.choice != ToolChoice::automatic) {
    body["tool_choice"] =
        std::ranges::find(openai::choice_words, tools.choice, &openai::ChoiceWord::choice)->word;
  }
  if (!tools.parallel) body["parallel_tool_calls"] = false;
  return {};
}

Result<void> add_messages(const Conversation& conversation, const ChatForm& form,
                          json::object& body) {
  MessageWriter writer;
  writer.write_system(conversation.system);
  for (const Turn& turn : conversation.turns) writer.write(turn);
  body["messages"] = writer.take();
  const bool goes_on = !conversation.turns.empty() &&
                       conversation.turns.back().role == Role::assistant && form.kind.continues;
  if (goes_on) {
    body["add_generation_prompt"] = false;
    body["continue_final_message"] = true;
  }
  return add_tools(conversation.tools, body);
}

Result<void> add_format(const Conversation& conversation, json::object& body) {
  if (!conversation.format) return {};
  if (conversation.format->schema.empty()) {
    body["response_format"] = {{"type", "json_object"}};
    return {};
  }
  auto schema = json::parse(conversation.format->schema);
  if (!schema) return refused("The schema of the answer's format is no JSON.");
  body["response_format"] = {
      {"type", "json_schema"},
      {"json_schema", {{"name", "answer"}, {"strict", true}, {"schema", *std::move(schema)}}}};
  return {};
}

/// The least effort that is worth what the caller gives; all of it where that is not said.
std::string_view effort_of(const Reasoning& reasoning) {
  const auto enough = [&](const openai::Effort& effort) {
    return effort.wanted && effort.budget_tokens && reasoning.budget_tokens &&
           *effort.budget_tokens >= *reasoning.budget_tokens;
  };
  const auto row = std::ranges::find_if(openai::efforts, enough);
  if (row != openai::efforts.end()) return row->name;
  return reasoning.budget_tokens ? "high" : "medium";
}

/// Templates differ in what their switch is called: Qwen's and GLM's, and DeepSeek's.
void add_reasoning(const Reasoning& reasoning, const ServerKind& kind, json::object& body) {
  if (reasoning.wanted) body["reasoning_effort"] = effort_of(reasoning);
  if (!kind.template_arguments) return;
  body["chat_template_kwargs"] = {{"enable_thinking", reasoning.wanted},
                                  {"thinking", reasoning.wanted}};
}

void add_sampling(const Sampling& sampling, const ChatForm& form, json::object& body) {
  const auto add = [&body](std::string_view name, const auto& value) {
    if (value) body[name] = *value;
  };
  add("max_tokens", form.tokens_max ? form.tokens_max : sampling.tokens_max);
  add("temperature", sampling.temperature);
  add("top_p", sampling.top_p);
  if (sampling.top_k) body["top_k"] = *sampling.top_k > 0 ? *sampling.top_k : -1;
  add("frequency_penalty", sampling.frequency_penalty);
  add("presence_penalty", sampling.presence_penalty);
  add("seed", sampling.seed);
  json::array stops;
  for (const std::string& stop : sampling.stop_sequences) stops.emplace_back(stop);
  if (!stops.empty()) body["stop"] = std::move(stops);
}

json::object begun(const Conversation& conversation, const ChatForm& form) {
  json::object body{
      {"model", form.model}, {"stream", true}, {"stream_options", {{"include_usage", true}}}};
  add_sampling(conversation.sampling, form, body);
  return body;
}

Result<std::string> prompt_of(const Conversation& conversation) {
  if (has_images(conversation)) return refused("A prompt without a template takes no images.");
  std::string prompt;
  for (const Turn& turn : conversation.turns) prompt += text_of(turn);
  return prompt;
}

Result<std::string> completion_body(const Conversation& conversation, const ChatForm& form) {
  json::object body = begun(conversation, form);
  CRATON_TRY_ASSIGN(body["prompt"], prompt_of(conversation));
  CRATON_TRY(add_format(conversation, body));
  if (conversation.sampling.likelihoods != Likelihoods::none) body["logprobs"] = 1;
  return json::to_text(body);
}

}  // namespace

std::string_view chat_path(const Conversation& conversation) {
  return conversation.raw_completion ? "/v1/completions" : "/v1/chat/completions";
}

Result<std::string> chat_body(const Conversation& conversation, const ChatForm& form) {
  if (conversation.sampling.likelihoods == Likelihoods::all) {
    return refused(
        "The server that answers here tells no likelihoods of the prompt's tokens. Ask for those "
        "of the answer.");
  }
  if (conversation.raw_completion) return completion_body(conversation, form);
  json::object body = begun(conversation, form);
  CRATON_TRY(add_messages(conversation, form, body));
  CRATON_TRY(add_format(conversation, body));
  add_reasoning(conversation.reasoning, form.kind, body);
  if (conversation.sampling.likelihoods != Likelihoods::none) body["logprobs"] = true;
  return json::to_text(body);
}

Result<std::string> prompt_body(const Conversation& conversation, const ChatForm& form) {
  json::object body{{"model", form.model}};
  if (conversation.raw_completion) {
    CRATON_TRY_ASSIGN(body["prompt"], prompt_of(conversation));
    return json::to_text(body);
  }
  CRATON_TRY(add_messages(conversation, form, body));
  if (form.kind.template_arguments) {
    add_reasoning({.wanted = conversation.reasoning.wanted}, form.kind, body);
  }
  body.erase("reasoning_effort");
  return json::to_text(body);
}

}  // namespace craton::engines::upstream
