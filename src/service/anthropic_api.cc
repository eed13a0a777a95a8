// Anthropic Messages as its own API: POST /anthropic/v1/messages.
//
// Source: docs.anthropic.com "Messages", "Streaming", "Errors".
#include <algorithm>
#include <array>
#include <string>

#include "families/rows.h"
#include "service/provider_api.h"

namespace craton::service {
namespace {

struct ErrorType {
  ErrorCode code;
  std::string_view type;
};

constexpr std::string_view otherwise = "api_error";
constexpr std::array types{
    ErrorType{ErrorCode::validation, "invalid_request_error"},
    ErrorType{ErrorCode::serialization, "invalid_request_error"},
    ErrorType{ErrorCode::not_implemented, "invalid_request_error"},
    ErrorType{ErrorCode::access_denied, "permission_error"},
    ErrorType{ErrorCode::resource_not_found, "not_found_error"},
    ErrorType{ErrorCode::request_entity_too_large, "request_too_large"},
    ErrorType{ErrorCode::throttling, "rate_limit_error"},
    ErrorType{ErrorCode::model_not_ready, "overloaded_error"},
    ErrorType{ErrorCode::service_unavailable, "overloaded_error"},
    ErrorType{ErrorCode::model_timeout, "timeout_error"},
};

/// An error's JSON, but for the brace that ends it.
std::string error_json(const Error& error) {
  const auto row = std::ranges::find(types, error.code, &ErrorType::code);
  return R"({"type":"error","error":{"type":")" +
         std::string(row == types.end() ? otherwise : row->type) +
         "\",\"message\":" + json::quote(error.message) + "}";
}

http::Response refuse(const Error& error, std::string_view request_id) {
  http::Response response =
      json_response(error_json(error) + ",\"request_id\":" + json::quote(request_id) + "}");
  response.status = shape_of(error.code).status;
  return response;
}

/// `event:` names what the piece says of itself: every piece begins with its type.
void append_piece(std::string_view piece, std::string& out) {
  constexpr std::string_view head = R"({"type":")";
  std::string_view type = piece.substr(std::min(head.size(), piece.size()));
  type = type.substr(0, type.find('"'));
  out += "event: ";
  out += type;
  out += "\ndata: ";
  out += piece;
  out += "\n\n";
}

void append_error(const Error& error, std::string& out) {
  append_piece(error_json(error) + "}", out);
}

void prepare(json::object& body) {
  body.erase("model");
  body.erase("stream");
  if (!body.contains("anthropic_version")) body["anthropic_version"] = "bedrock-2023-05-31";
}

/// A count is asked for without the limit that an answer needs.
void prepare_count(json::object& body) {
  prepare(body);
  if (!body.contains("max_tokens")) body["max_tokens"] = 1;
}

bool is_claude(const catalog::Model& model) {
  return families::chat_family_of(model.id) == &families::anthropic_messages;
}

constexpr ProviderApi api_with(void (*prepared)(json::object& body)) {
  return {
      .family = &families::anthropic_messages,
      .serves = is_claude,
      .path = "/anthropic/v1/messages",
      .prepare = prepared,
      .refuse = refuse,
      .append_piece = append_piece,
      .append_error = append_error,
      .stream_end = "",
  };
}

}  // namespace

constinit const ProviderApi anthropic_messages_api = api_with(prepare);
constinit const ProviderApi anthropic_count_api = api_with(prepare_count);

}  // namespace craton::service
