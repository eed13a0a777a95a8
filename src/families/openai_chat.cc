// OpenAI's chat completions, the shape that most providers since 2025 take: gpt-oss, GPT, Qwen,
// DeepSeek V3, newer Mistral and others; and the same as an endpoint of its own, whose body names
// the model.
//
// Source: docs.aws.amazon.com "OpenAI models", "Mistral AI Large (24.07)", "Pixtral Large", "Writer
// models"; platform.openai.com "Create chat completion".
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "families/members.h"
#include "families/openai.h"
#include "families/openai_chat_reply.h"
#include "families/openai_messages.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

/// How the models of one maker differ from the rest.
struct Maker {
  std::string_view prefix;  ///< Of its model ids.
  ThoughtTags thoughts;     ///< In the text of a native reply.
  bool mistral = false;
};

// A longer prefix stands before a shorter one that it begins with. Source of the tags: for gpt-oss
// AWS's user guide, for Qwen what its clients look for.
constexpr ThoughtTags reasoning_tags{"<reasoning>", "</reasoning>"};
constexpr ThoughtTags think_tags{"<think>", "</think>"};
constexpr std::array makers{
    Maker{"openai.gpt-oss-", reasoning_tags},
    Maker{"openai.", {}},
    Maker{"qwen.", think_tags},
    Maker{"deepseek.v3", {}},
    Maker{"google.gemma-", {}},
    Maker{"minimax.", {}},
    Maker{"mistral.mistral-large-2407", {}, true},
    Maker{"mistral.mistral-large-3-", {}, true},
    Maker{"mistral.pixtral-", {}, true},
    Maker{"mistral.ministral-", {}, true},
    Maker{"mistral.magistral-", {}, true},
    Maker{"mistral.voxtral-", {}, true},
    Maker{"mistral.devstral-", {}, true},
    Maker{"moonshot.", {}},
    Maker{"moonshotai.", {}},
    Maker{"nvidia.nemotron-", {}},
    Maker{"writer.palmyra-", {}},
    Maker{"xai.grok-", {}},
    Maker{"zai.glm-", {}},
};

constexpr auto prefixes = [] {
  std::array<std::string_view, makers.size()> all{};
  std::ranges::transform(makers, all.begin(), &Maker::prefix);
  return all;
}();

/// The endpoint takes any model, and each as if it were of no maker in particular.
constexpr Maker no_maker{"", {}};

const Maker& maker_of(std::string_view model_id) {
  const auto at = std::ranges::find_if(
      makers, [&](const Maker& maker) { return model_id.starts_with(maker.prefix); });
  return at == makers.end() ? no_maker : *at;
}

/// The two whose limits AWS documents.
bool is_documented_mistral(const ModelContext& model) {
  return model.model_id.starts_with("mistral.mistral-large-2407") ||
         model.model_id.starts_with("mistral.pixtral-large-2502");
}

std::optional<double> tokens_max(const ModelContext& model) {
  return is_documented_mistral(model) ? std::optional(8192.0) : std::nullopt;
}

std::optional<double> temperature_max(const ModelContext& model) {
  return is_documented_mistral(model) ? 1 : 2;
}

constexpr Schema tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum_of = tokens_max};
constexpr Schema temperature_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum_of = temperature_max};
constexpr Schema top_k_schema{.type = JsonType::integer, .minimum = Bound{-1}};
constexpr Schema penalty_schema{
    .type = JsonType::number, .minimum = Bound{-2}, .maximum = Bound{2}};
constexpr Schema integer_schema{.type = JsonType::integer};
constexpr Schema number_schema{.type = JsonType::number};
constexpr Schema stops_schema{.type = JsonType::array, .size_max = 16, .items = &text_schema};
constexpr const Schema* stop_forms[] = {&text_schema, &stops_schema};
constexpr Schema stop_schema{.alternatives = stop_forms};
constexpr Schema generations_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{128}};
constexpr Schema top_logprobs_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{20}};
constexpr Property stream_options_properties[] = {{"include_usage", &boolean_schema},
                                                  {"include_obfuscation", &boolean_schema}};
constexpr Schema stream_options_schema{
    .type = JsonType::object, .properties = stream_options_properties, .nulls_are_absent = true};

// What an answer is made with; Converse's callers may add these to a request too.
constexpr std::array options{
    Property{"max_tokens", &tokens_schema},
    Property{"max_completion_tokens", &tokens_schema},
    Property{"temperature", &temperature_schema},
    Property{"top_p", &unit_schema},
    Property{"top_k", &top_k_schema},
    Property{"frequency_penalty", &penalty_schema},
    Property{"presence_penalty", &penalty_schema},
    Property{"seed", &integer_schema},
    Property{"stop", &stop_schema},
    Property{"response_format", &openai_response_format_schema},
    Property{"reasoning_effort", &openai_effort_schema},
    Property{"parallel_tool_calls", &boolean_schema},
    Property{"logit_bias", &free_object_schema},
    Property{"min_p", &unit_schema},
    Property{"min_tokens", &integer_schema},
    Property{"repetition_penalty", &number_schema},
    Property{"safe_prompt", &boolean_schema},
    Property{"prompt_mode", &text_schema},
    Property{"verbosity", &text_schema},
    Property{"metadata", &free_object_schema},
    Property{"user", &text_schema},
    Property{"safety_identifier", &text_schema},
    Property{"prompt_cache_key", &text_schema},
    Property{"prompt_cache_retention", &text_schema},
    Property{"service_tier", &text_schema},
    Property{"store", &boolean_schema},
    Property{"prediction", &free_object_schema},
};

constexpr std::array rest{
    Property{"messages", &openai_messages_schema, Presence::required},
    Property{"tools", &openai_tools_schema},
    Property{"tool_choice", &openai_tool_choice_schema},
    Property{"n", &generations_schema},
    Property{"logprobs", &boolean_schema},
    Property{"top_logprobs", &top_logprobs_schema},
    Property{"stream", &boolean_schema},
    Property{"stream_options", &stream_options_schema},
    Property{"modalities", &texts_schema},
    Property{"audio", &free_object_schema},
    Property{"web_search_options", &free_object_schema},
    Property{"functions", &any_schema},
    Property{"function_call", &any_schema},
};

constexpr auto properties_with(Property model) {
  std::array<Property, options.size() + rest.size() + 1> all{};
  auto at = std::ranges::copy(rest, all.begin()).out;
  at = std::ranges::copy(options, at).out;
  *at = model;
  return all;
}

constexpr auto native_properties = properties_with({"model", &openai_model_schema});
constexpr Schema native_schema{
    .type = JsonType::object, .properties = native_properties, .nulls_are_absent = true};

// Clients of many servers send the endpoint members of other servers' making.
constexpr auto endpoint_properties =
    properties_with({"model", &openai_model_schema, Presence::required});
constexpr Schema endpoint_schema{.type = JsonType::object,
                                 .properties = endpoint_properties,
                                 .unknown_keys = UnknownKeys::permitted,
                                 .nulls_are_absent = true};

constexpr Schema additional_schema{
    .type = JsonType::object, .properties = options, .nulls_are_absent = true};

constexpr std::string_view without_effect[] = {"logit_bias",
                                               "min_p",
                                               "min_tokens",
                                               "repetition_penalty",
                                               "safe_prompt",
                                               "prompt_mode",
                                               "verbosity",
                                               "metadata",
                                               "user",
                                               "safety_identifier",
                                               "prompt_cache_key",
                                               "prompt_cache_retention",
                                               "store",
                                               "prediction",
                                               "top_logprobs"};

Result<void> refuse_unsupported(const json::object& body) {
  for (const std::string_view name : {"functions", "function_call"}) {
    if (asks(body, name)) return not_supported(name, "Send tools and tool_choice instead");
  }
  for (const std::string_view name : {"audio", "web_search_options"}) {
    if (asks(body, name)) return not_supported(name, "Leave it out");
  }
  const std::vector<std::string> modalities = texts_member(body, "modalities");
  if (std::ranges::any_of(modalities, [](const auto& name) { return name != "text"; })) {
    return not_supported("modalities other than text", "Ask for text");
  }
  return {};
}

void note_ignored(const json::object& body, NativeRequest& request) {
  for (const std::string_view name : without_effect) {
    if (asks(body, name)) request.ignored_fields.emplace_back(name);
  }
  const std::string_view tier = text_member(body, "service_tier");
  if (!tier.empty() && tier != "auto" && tier != "default") {
    request.ignored_fields.emplace_back("service_tier");
  }
}

/// Each member that is there replaces what was asked before.
void read_sampling(const json::object& body, Sampling& sampling) {
  const auto read = [&body](std::string_view name, std::optional<double>& into) {
    if (const auto number = number_member(body, name)) into = number;
  };
  read("temperature", sampling.temperature);
  read("top_p", sampling.top_p);
  read("frequency_penalty", sampling.frequency_penalty);
  read("presence_penalty", sampling.presence_penalty);
  for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    if (const auto tokens = integer_member(body, name)) sampling.tokens_max = tokens;
  }
  if (const auto top_k = integer_member(body, "top_k")) sampling.top_k = std::max(*top_k, 0);
  if (const auto seed = seed_member(body, "seed")) sampling.seed = seed;
  if (body.contains("stop")) sampling.stop_sequences = openai_stops(body);
}

void read_options(const json::object& body, NativeRequest& request) {
  Conversation& conversation = request.conversation;
  read_sampling(body, conversation.sampling);
  read_openai_effort(body, "reasoning_effort", conversation.reasoning);
  read_openai_response_format(body, conversation);
  if (const json::value* parallel = body.if_contains("parallel_tool_calls")) {
    conversation.tools.parallel = parallel->get_bool();
  }
  note_ignored(body, request);
}

/// The members that the reply is made by.
void keep_for_reply(const json::object& body, NativeRequest& request) {
  for (const std::string_view name : {"model", "stream_options"}) {
    if (const json::value* member = body.if_contains(name)) request.body[name] = *member;
  }
}

Result<NativeRequest> read(const json::object& body, const ThoughtTags& tags) {
  CRATON_TRY(refuse_unsupported(body));
  NativeRequest request;
  request.conversation.caching = true;  // unasked, as OpenAI's servers do it
  CRATON_TRY(read_openai_messages(body, tags, request));
  CRATON_TRY(read_openai_tools(body, request.conversation));
  read_options(body, request);
  request.generations = integer_member(body, "n").value_or(1);
  if (asks(body, "logprobs")) request.conversation.sampling.likelihoods = Likelihoods::generated;
  if (const json::value* stream = body.if_contains("stream")) request.streamed = stream->get_bool();
  keep_for_reply(body, request);
  return request;
}

constexpr Property model_properties[] = {{"model", &openai_model_schema, Presence::required}};
constexpr Schema model_schema{.type = JsonType::object,
                              .properties = model_properties,
                              .unknown_keys = UnknownKeys::permitted};

/// On Bedrock the body's model, where there is one, is the path's; whole ids and ARNs end alike.
Result<void> check_model(const json::object& body, const ModelContext& model) {
  const std::string_view named = text_member(body, "model");
  if (named.empty() || named.ends_with(model.model_id)) return {};
  return violation("#/model: expected " + std::string(model.model_id) +
                   ", the model of the request's path, or no model");
}

Result<NativeRequest> parse_native(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, native_schema, model));
  CRATON_TRY(check_model(body, model));
  CRATON_TRY_ASSIGN(NativeRequest request, read(body, maker_of(model.model_id).thoughts));
  Sampling& sampling = request.conversation.sampling;
  if (!sampling.tokens_max && is_documented_mistral(model)) sampling.tokens_max = 8192;
  return request;
}

Result<NativeRequest> parse_endpoint(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, endpoint_schema, model));
  CRATON_TRY_ASSIGN(NativeRequest request, read(body, no_maker.thoughts));
  note_unknown_members(body, endpoint_properties, request);
  return request;
}

std::string openai_call_id() { return "call_" + random_alphanumeric(24); }

// What Mistral's models are trained on, and its own API insists on.
std::string mistral_call_id() { return random_alphanumeric(9); }

ChatReplyForm native_form(std::string_view model_id) {
  const Maker& maker = maker_of(model_id);
  return {.thoughts = maker.thoughts,
          .has_stop_reason = maker.mistral,
          .has_service_tier = model_id.starts_with("openai."),
          .text_beside_calls = maker.mistral,
          .call_id = maker.mistral ? mistral_call_id : openai_call_id};
}

constexpr ChatReplyForm endpoint_form{.has_service_tier = true,
                                      .has_prompt_details = true,
                                      .usage_apart = true,
                                      .call_id = openai_call_id};

std::string render_native(const ReplyContext& context) {
  return chat_reply(context, native_form(context.model.model_id));
}

std::unique_ptr<StreamWriter> stream_native(const StreamContext& context) {
  return chat_stream(context, native_form(context.model.model_id));
}

std::string render_endpoint(const ReplyContext& context) {
  return chat_reply(context, endpoint_form);
}

std::unique_ptr<StreamWriter> stream_endpoint(const StreamContext& context) {
  return chat_stream(context, endpoint_form);
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY_ASSIGN(const json::object members,
                    read_body(json::to_text(fields), additional_schema, model));
  read_options(members, request);
  return {};
}

}  // namespace

Error openai_too_long(const InputTooLong& measured) {
  return {ErrorCode::validation,
          "This model's maximum context length is " + std::to_string(measured.context_tokens) +
              " tokens. However, your messages resulted in " +
              std::to_string(measured.input_tokens) +
              " tokens. Please reduce the length of the messages.",
          "context_length_exceeded"};
}

Result<std::string> openai_model_of(std::string_view body) {
  CRATON_TRY_ASSIGN(const json::object members, read_body(body, model_schema, {}));
  return std::string(text_member(members, "model"));
}

constinit const Family openai_chat{
    .name = "openai.chat",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse_native,
    .render = render_native,
    .stream = stream_native,
    .too_long = openai_too_long,
    .apply_additional = apply_additional,
};

constinit const Family openai_chat_endpoint{
    .name = "openai.chat-endpoint",
    .id_prefixes = {},
    .shape = BodyShape::any,
    .parse = parse_endpoint,
    .render = render_endpoint,
    .stream = stream_endpoint,
    .too_long = openai_too_long,
    .apply_additional = nullptr,
};

}  // namespace craton::families
