#include "service/provider_routes.h"

#include <algorithm>
#include <array>

#include "service/provider_api.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

awaitable<http::Response> messages(const Call& call) {
  return answer_with(anthropic_messages_api, call);
}
awaitable<http::Response> message_tokens(const Call& call) {
  return count_with(anthropic_count_api, call);
}

awaitable<http::Response> chat_completions(const Call& call) {
  return answer_with(openai_chat_api, call);
}

awaitable<http::Response> responses(const Call& call) {
  return answer_with(openai_responses_api, call);
}

// AWS's older pages leave the `openai` segment out.
constexpr std::array routes{
    ProviderRoute{"POST", "/anthropic/v1/messages", "anthropic.messages", messages},
    ProviderRoute{"POST", "/anthropic/v1/messages/count_tokens", "anthropic.count_tokens",
                  message_tokens},
    ProviderRoute{"POST", "/openai/v1/chat/completions", "openai.chat_completions",
                  chat_completions},
    ProviderRoute{"POST", "/v1/chat/completions", "openai.chat_completions", chat_completions},
    ProviderRoute{"POST", "/openai/v1/responses", "openai.responses", responses},
    ProviderRoute{"POST", "/v1/responses", "openai.responses", responses},
    ProviderRoute{"GET", "/openai/v1/models", "openai.models", list_openai_models},
    ProviderRoute{"GET", "/v1/models", "openai.models", list_openai_models},
};

}  // namespace

const ProviderRoute* find_provider_route(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const auto row = std::ranges::find_if(routes, [&](const ProviderRoute& route) {
    return route.path == path && route.method == method;
  });
  return row == routes.end() ? nullptr : &*row;
}

}  // namespace craton::service
