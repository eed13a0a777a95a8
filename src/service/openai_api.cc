// OpenAI's APIs as Bedrock serves them: chat completions, responses and the list of models.
//
// Source: docs.aws.amazon.com "Inference using the Chat Completions API", "… the Responses API";
// errors from recorded refusals.
#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "families/openai.h"
#include "families/rows.h"
#include "service/invocation.h"
#include "service/provider_api.h"

namespace craton::service {
namespace {

struct ErrorType {
  ErrorCode code;
  std::string_view type;
  std::string_view name;  ///< `code` in the answer
};

constexpr ErrorType otherwise{ErrorCode::internal_server, "server_error", "internal_server_error"};
constexpr std::array types{
    ErrorType{ErrorCode::validation, "invalid_request_error", "validation_error"},
    ErrorType{ErrorCode::serialization, "invalid_request_error", "validation_error"},
    ErrorType{ErrorCode::not_implemented, "invalid_request_error", "not_implemented"},
    ErrorType{ErrorCode::request_entity_too_large, "invalid_request_error", "request_too_large"},
    ErrorType{ErrorCode::access_denied, "permission_denied_error", "access_denied"},
    ErrorType{ErrorCode::resource_not_found, "invalid_request_error", "not_found"},
    ErrorType{ErrorCode::throttling, "rate_limit_error", "rate_limit_exceeded"},
    ErrorType{ErrorCode::model_not_ready, "rate_limit_error", "model_not_ready"},
    ErrorType{ErrorCode::service_unavailable, "server_error", "service_unavailable"},
    ErrorType{ErrorCode::model_timeout, "server_error", "timeout"},
};

const ErrorType& type_of(const Error& error) {
  const auto row = std::ranges::find(types, error.code, &ErrorType::code);
  return row == types.end() ? otherwise : *row;
}

/// A finer code is OpenAI's own, and clients look for it.
std::string code_json(const Error& error) {
  return json::quote(error.cause.empty() ? type_of(error).name : error.cause);
}

/// The members of a body that are to blame, by Error::cause.
struct Blamed {
  std::string_view cause;
  std::string_view param;
};
constexpr std::array blamed{Blamed{"previous_response_not_found", "previous_response_id"}};

std::string param_json(const Error& error) {
  const auto row = std::ranges::find(blamed, error.cause, &Blamed::cause);
  return row == blamed.end() ? "null" : json::quote(row->param);
}

std::string error_json(const Error& error) {
  return "{\"error\":{\"code\":" + code_json(error) + ",\"message\":" + json::quote(error.message) +
         ",\"param\":" + param_json(error) + ",\"type\":" + json::quote(type_of(error).type) + "}}";
}

http::Response refuse(const Error& error, std::string_view) {
  http::Response response = json_response(error_json(error));
  response.status = shape_of(error.code).status;
  return response;
}

void append_data(std::string_view piece, std::string& out) {
  out += "data: ";
  out += piece;
  out += "\n\n";
}

void append_error(const Error& error, std::string& out) { append_data(error_json(error), out); }

/// Of responses each piece says its type first, and the event's name repeats it.
void append_typed(std::string_view piece, std::string& out) {
  constexpr std::string_view head = R"({"type":")";
  std::string_view type = piece.substr(std::min(head.size(), piece.size()));
  out += "event: ";
  out += type.substr(0, type.find('"'));
  out += '\n';
  append_data(piece, out);
}

void append_typed_error(const Error& error, std::string& out) {
  append_typed(R"({"type":"error","code":)" + code_json(error) + ",\"message\":" +
                   json::quote(error.message) + ",\"param\":" + param_json(error) + "}",
               out);
}

void leave_as_it_is(json::object&) {}

bool speaks_chat(const catalog::Model& model) {
  return families::chat_family_of(model.id) == &families::openai_chat;
}

}  // namespace

constinit const ProviderApi openai_chat_api{
    .family = &families::openai_chat_endpoint,
    .serves = speaks_chat,
    .path = "/v1/chat/completions",
    .prepare = leave_as_it_is,
    .refuse = refuse,
    .append_piece = append_data,
    .append_error = append_error,
    .stream_end = "data: [DONE]\n\n",
};

constinit const ProviderApi openai_responses_api{
    .family = &families::openai_responses,
    .serves = speaks_chat,
    .path = "/v1/responses",
    .prepare = leave_as_it_is,
    .refuse = refuse,
    .append_piece = append_typed,
    .append_error = append_typed_error,
    .stream_end = "",
};

boost::asio::awaitable<http::Response> list_openai_models(const Call& call) {
  const auto listed = call.service.catalog().list_models(call.region, {});
  const Result<json::value> read = json::parse(*listed);
  json::array data;
  for (const json::value& summary : read->at("modelSummaries").as_array()) {
    const std::string_view id = summary.at("modelId").as_string();
    const auto model = call.service.catalog().resolve(call.region, id);
    if (!model || !speaks_chat(*model->model)) continue;
    data.push_back(json::object{{"id", id},
                                {"object", "model"},
                                {"created", 0},  // the catalogue does not know
                                {"owned_by", id.substr(0, id.find('.'))}});
  }
  co_return json_response(
      json::to_text(json::object{{"object", "list"}, {"data", std::move(data)}}));
}

}  // namespace craton::service
