// AI21 Jamba: OpenAI's shape with limits of its own.
//
// Source: docs.aws.amazon.com "AI21 Labs Jamba models"; docs.ai21.com "Jamba API".
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/ids.h"
#include "families/members.h"
#include "families/openai_chat_reply.h"
#include "families/openai_messages.h"
#include "families/rows.h"
#include "families/schema.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"ai21.jamba-"};

bool is_1_5(const ModelContext& model) { return model.model_id.starts_with("ai21.jamba-1-5-"); }

constexpr Schema tokens_schema{
    .type = JsonType::integer, .minimum = Bound{0}, .maximum = Bound{4096}};
constexpr Schema temperature_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{2}};
constexpr Schema number_schema{.type = JsonType::number};
constexpr Schema generations_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{16}};
constexpr const Schema* stop_forms[] = {&text_schema, &texts_schema};
constexpr Schema stop_schema{.alternatives = stop_forms};

constexpr Property datum_properties[] = {{"key", &text_schema, Presence::required},
                                         {"value", &text_schema, Presence::required}};
constexpr Schema datum_schema{.type = JsonType::object, .properties = datum_properties};
constexpr Schema metadata_schema{.type = JsonType::array, .items = &datum_schema};
constexpr Property document_properties[] = {{"content", &text_schema, Presence::required},
                                            {"metadata", &metadata_schema},
                                            {"id", &text_schema}};
constexpr Schema document_schema{
    .type = JsonType::object, .properties = document_properties, .nulls_are_absent = true};
constexpr Schema documents_schema{.type = JsonType::array, .items = &document_schema};

constexpr Property properties[] = {
    {"messages", &openai_messages_schema, Presence::required},
    {"max_tokens", &tokens_schema},
    {"temperature", &temperature_schema},
    {"top_p", &unit_schema},
    {"stop", &stop_schema},
    {"n", &generations_schema},
    {"frequency_penalty", &number_schema},
    {"presence_penalty", &number_schema},
    {"tools", &openai_tools_schema, Presence::optional, is_1_5},
    {"tool_choice", &openai_tool_choice_schema, Presence::optional, is_1_5},
    {"documents", &documents_schema, Presence::optional, is_1_5},
    {"response_format", &openai_response_format_schema, Presence::optional, is_1_5},
};
constexpr Schema schema{
    .type = JsonType::object, .properties = properties, .nulls_are_absent = true};

constexpr Schema one_generation_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{1}};
constexpr Property additional_properties[] = {
    {"n", &one_generation_schema},
    {"frequency_penalty", &number_schema},
    {"presence_penalty", &number_schema},
    {"documents", &documents_schema, Presence::optional, is_1_5},
    {"response_format", &openai_response_format_schema, Presence::optional, is_1_5},
};
constexpr Schema additional_schema{
    .type = JsonType::object, .properties = additional_properties, .nulls_are_absent = true};

/// Documents to answer from, as text of the system's.
void read_documents(const json::object& body, Conversation& conversation) {
  const json::value* documents = body.if_contains("documents");
  if (!documents || documents->get_array().empty()) return;
  std::string text = "Answer from these documents:";
  for (const json::value& document : documents->get_array()) {
    const json::object& members = document.get_object();
    text += "\n\n";
    if (const json::value* metadata = members.if_contains("metadata")) {
      for (const json::value& datum : metadata->get_array()) {
        text += text_member(datum.get_object(), "key");
        text += ": ";
        text += text_member(datum.get_object(), "value");
        text += '\n';
      }
    }
    text += text_member(members, "content");
  }
  conversation.system.push_back({std::move(text)});
}

void read_rest(const json::object& body, NativeRequest& request) {
  Sampling& sampling = request.conversation.sampling;
  if (const auto number = number_member(body, "frequency_penalty")) {
    sampling.frequency_penalty = number;
  }
  if (const auto number = number_member(body, "presence_penalty")) {
    sampling.presence_penalty = number;
  }
  read_documents(body, request.conversation);
  read_openai_response_format(body, request.conversation);
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  NativeRequest request;
  CRATON_TRY(read_openai_messages(body, {}, request));
  CRATON_TRY(read_openai_tools(body, request.conversation));
  Sampling& sampling = request.conversation.sampling;
  sampling.tokens_max = integer_member(body, "max_tokens").value_or(4096);
  sampling.temperature = number_member(body, "temperature");
  sampling.top_p = number_member(body, "top_p");
  sampling.stop_sequences = openai_stops(body);
  request.generations = integer_member(body, "n").value_or(1);
  if (request.generations > 1 && sampling.temperature == 0.0) {
    return violation("#/n: several answers need a temperature above 0");
  }
  read_rest(body, request);
  return request;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY_ASSIGN(const json::object members,
                    read_body(json::to_text(fields), additional_schema, model));
  read_rest(members, request);
  return {};
}

std::string call_id() { return random_alphanumeric(9); }

constexpr ChatReplyForm form{.has_object = false, .call_id = call_id};

std::string render(const ReplyContext& context) { return chat_reply(context, form); }

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return chat_stream(context, form);
}

}  // namespace

constinit const Family jamba{
    .name = "ai21.jamba",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = openai_too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
