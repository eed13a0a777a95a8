#include "service/permissions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace craton::service {
namespace {

/// Those whose permission has another name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> actions{{
    {"Converse", "InvokeModel"},
    {"ConverseStream", "InvokeModelWithResponseStream"},
    {"openai.chat_completions", "InvokeModel"},
    {"openai.responses", "InvokeModel"},
    {"openai.models", "ListFoundationModels"},
    {"anthropic.messages", "InvokeModel"},
    {"anthropic.count_tokens", "CountTokens"},
    {"StartAsyncInvoke", "InvokeModel"},
}};

Error denied(const auth::Identity& identity, std::string_view action, std::string_view resource) {
  return {ErrorCode::not_authorized,
          fmt::format("User: arn:aws:iam::{}:user/{} is not authorized to perform: {} on resource: "
                      "{} because no identity-based policy allows the {} action",
                      catalog::default_account, identity.name, action, resource, action)};
}

}  // namespace

std::string action_of(std::string_view operation) {
  const auto row = std::ranges::find(actions, operation, &decltype(actions)::value_type::first);
  return "bedrock:" + std::string(row == actions.end() ? operation : row->second);
}

Result<void> check_permission(const Call& call) {
  const auto& identity = call.account->caller.identity;
  if (!identity) return {};
  const std::string action = action_of(call.account->operation);
  if (auth::allows(*identity, action)) return {};
  return denied(*identity, action, "*");
}

Result<void> check_permission(const Call& call, const catalog::Invocable& asked) {
  const auto& identity = call.account->caller.identity;
  if (!identity) return {};
  const std::string action = action_of(call.account->operation);
  std::vector<std::string_view> names{asked.model->id};
  if (!asked.profile_id.empty()) names.push_back(asked.profile_id);
  if (auth::allows(*identity, action, names)) return {};
  return denied(
      *identity, action,
      asked.profile_id.empty()
          ? fmt::format("arn:aws:bedrock:{}::foundation-model/{}", call.region, asked.model->id)
          : fmt::format("arn:aws:bedrock:{}:{}:inference-profile/{}", call.region,
                        catalog::default_account, asked.profile_id));
}

}  // namespace craton::service
