// ProviderApi: what one provider's API does in its own way; and the walk of a request through it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "families/family.h"
#include "http/message.h"
#include "service/operations.h"

namespace craton::service {

struct ProviderApi {
  const families::Family* family;  ///< Reads the bodies and writes the replies.

  /// True for models that Bedrock serves by this API.
  bool (*serves)(const catalog::Model& model);
  std::string_view path;  ///< As the refusal of other models names the API.

  /// What must go, or come in, before the family reads a body. `stream` and `model` are members
  /// that families of InvokeModel do not know.
  void (*prepare)(json::object& body);

  /// A whole error answer.
  http::Response (*refuse)(const Error& error, std::string_view request_id);

  /// Appends a piece of a streamed reply as a server-sent event.
  void (*append_piece)(std::string_view piece, std::string& out);
  /// Appends an error that ends a stream.
  void (*append_error)(const Error& error, std::string& out);
  std::string_view stream_end;  ///< Bytes after the last piece.
};

/// Answers a request with `api`: whole, or streamed when the body says so.
boost::asio::awaitable<http::Response> answer_with(const ProviderApi& api, const Call& call);

/// Answers Anthropic's count_tokens: `{"input_tokens":N}`.
boost::asio::awaitable<http::Response> count_with(const ProviderApi& api, const Call& call);

/// The APIs, one a file.
extern const ProviderApi anthropic_messages_api;
extern const ProviderApi anthropic_count_api;
extern const ProviderApi openai_chat_api;
extern const ProviderApi openai_responses_api;

/// The models that OpenAI's APIs serve, in OpenAI's form.
boost::asio::awaitable<http::Response> list_openai_models(const Call& call);

}  // namespace craton::service
