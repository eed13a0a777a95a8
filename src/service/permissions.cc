#include "service/permissions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <variant>
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

/// About: a token is some four bytes of most texts.
int about_tokens(const Conversation& conversation) {
  constexpr std::size_t bytes_per_token = 4;
  std::size_t bytes = 0;
  for (const TextBlock& block : conversation.system) bytes += block.text.size();
  for (const Turn& turn : conversation.turns) {
    for (const auto& block : turn.content) {
      if (const auto* text = std::get_if<TextBlock>(&block)) bytes += text->text.size();
    }
  }
  return static_cast<int>(std::min<std::size_t>(bytes / bytes_per_token, 1 << 30));
}

/// What the answer may have at most: as the request says, or as the model can.
int most_answered(const Asked& asked) {
  constexpr int where_nobody_says = 4096;
  return asked.conversation.sampling.tokens_max.value_or(
      asked.model.text_output ? asked.model.output_tokens_max.value_or(where_nobody_says) : 0);
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

Result<void> take_quota(const Call& call, const Asked& asked) {
  Account& account = *call.account;
  if (!account.caller.identity || account.lease) return {};
  const long long tokens =
      static_cast<long long>(about_tokens(asked.conversation)) + most_answered(asked);
  const auth::Meter::Request request{
      .tokens = static_cast<int>(std::min<long long>(tokens, std::numeric_limits<int>::max())),
      .streamed = asked.streamed,
      .now = std::chrono::steady_clock::now()};
  CRATON_TRY_ASSIGN(account.lease,
                    account.caller.meter->admit(account.caller.identity->quota, request));
  return {};
}

}  // namespace craton::service
