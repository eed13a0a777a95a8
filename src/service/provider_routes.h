// Routes that Bedrock serves beside its service models: other providers' APIs, in their own form.
//
//   POST /openai/v1/chat/completions   /v1/chat/completions        OpenAI chat completions
//   POST /openai/v1/responses          /v1/responses               OpenAI responses
//   GET  /openai/v1/models             /v1/models                  the models that these serve
//   POST /anthropic/v1/messages        …/v1/messages/count_tokens  Anthropic messages
//
// The model is named in the body, streams are server-sent events, and errors are the provider's:
// what a client of that provider reads. Everything else is as with InvokeModel, whose families do
// the work (docs/provider-apis.md).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "http/message.h"
#include "service/operations.h"

namespace craton::service {

struct ProviderRoute {
  std::string_view method;
  std::string_view path;
  std::string_view name;  ///< For the log, in place of an operation's: "openai.chat.completions"
  boost::asio::awaitable<http::Response> (*answer)(const Call& call);
};

/// The route of `method` and `target`, whose query does not matter; null when there is none.
const ProviderRoute* find_provider_route(std::string_view method, std::string_view target);

}  // namespace craton::service
