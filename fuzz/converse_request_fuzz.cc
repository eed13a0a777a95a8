// Any Converse body to any model: a conversation that can be answered with valid JSON, whole and
// streamed, or a refusal that can be sent. The first byte picks the model and the delivery.
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "api/operation.h"
#include "base/json.h"
#include "catalog/catalog.h"
#include "converse/additional_fields.h"
#include "converse/reply.h"
#include "converse/request.h"
#include "converse/stream.h"

namespace {

using namespace craton;

constexpr std::string_view model_ids[] = {
    "anthropic.claude-3-haiku-20240307-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.meta.llama3-1-70b-instruct-v1:0",     "amazon.titan-text-express-v1",
    "mistral.mistral-large-2402-v1:0",        "us.amazon.nova-lite-v1:0",
};

std::string_view no_header(const void*, std::string_view) { return {}; }

void require(bool holds) {
  if (!holds) std::abort();
}

void require_sendable(const Error& error) {
  const bool expected = error.code == ErrorCode::validation ||
                        error.code == ErrorCode::serialization ||
                        error.code == ErrorCode::access_denied;
  require(expected && json::parse(json::quote(error.message)));
}

void answer(const converse::Request& request, const converse::Provider& provider) {
  const Event events[] = {MessageStart{},
                          ReasoningDelta{"Hm\xFF"},
                          TextDelta{"Hi \"there\"\n\xF0\x9F\x98\x80 \xFF", 3, {}},
                          ToolUseStart{"clock"},
                          ToolInputDelta{"{\"a\":"},
                          ToolUseStop{},
                          MessageStop{StopReason::tool_use, {}},
                          Usage{}};
  AnswerBuilder builder;
  converse::StreamWriter writer(std::make_shared<const converse::Request>(request), provider,
                                std::chrono::steady_clock::now());
  std::string frames;
  for (const Event& event : events) {
    builder.add(event);
    writer.write(event, frames);
  }
  const Answer whole = *builder.take();
  const json::object fields = converse::additional_response_fields(provider, request, whole);
  require(json::parse(converse::render(request, whole, fields, Milliseconds(1))).has_value());
  require(!frames.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const catalog::Catalog catalogue(catalog::View::all);
  const std::string_view id = model_ids[(data[0] >> 1) % std::size(model_ids)];
  const auto delivery = data[0] & 1 ? converse::Delivery::streamed : converse::Delivery::whole;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const catalog::Model& model = *catalogue.resolve("us-east-1", id)->model;

  const api::Match match{api::find_operation("Converse"), {{"modelId", std::string(id)}}};
  const Result<api::Input> input = api::parse_input(match, {"/", no_header, nullptr, body});
  if (!input) return require_sendable(input.error()), 0;
  Result<converse::Request> request = converse::read(input->members, model, delivery);
  if (!request) return require_sendable(request.error()), 0;
  require(!request->conversation().turns.empty());
  const converse::Provider provider{families::chat_family_of(model.id),
                                    {model.id, model.context_tokens, model.output_tokens_max},
                                    "id"};
  const Result<void> applied = converse::apply_additional_fields(provider, *request);
  if (!applied) return require_sendable(applied.error()), 0;
  answer(*request, provider);
  return 0;
}
