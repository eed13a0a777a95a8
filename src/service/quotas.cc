#include "service/quotas.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "base/glob.h"

namespace craton::service {
namespace {

/// What a token of an answer takes of quotas of tokens.
struct Burndown {
  std::string_view models;
  int rate;
};

// The first that fits; 1 where none does. Source: the Bedrock User Guide, "How tokens are counted
// in Amazon Bedrock": 5 for Claude 3.7 and what came after it.
constexpr std::array burndowns{
    Burndown{"anthropic.claude-instant-*", 1}, Burndown{"anthropic.claude-v2*", 1},
    Burndown{"anthropic.claude-3-haiku-*", 1}, Burndown{"anthropic.claude-3-sonnet-*", 1},
    Burndown{"anthropic.claude-3-opus-*", 1},  Burndown{"anthropic.claude-3-5-*", 1},
    Burndown{"anthropic.claude-*", 5},
};

int burndown_of(std::string_view model_id) {
  for (const Burndown& row : burndowns) {
    if (glob_matches(row.models, model_id)) return row.rate;
  }
  return 1;
}

// The bytes of what a tokenizer would read; those of files are not of that kind.
std::size_t bytes_of(const TextBlock& block) { return block.text.size(); }
std::size_t bytes_of(const ImageBlock&) { return 0; }
std::size_t bytes_of(const DocumentBlock&) { return 0; }
std::size_t bytes_of(const ReasoningBlock& block) { return block.text.size(); }
std::size_t bytes_of(const ToolUseBlock& block) { return block.name.size() + block.input.size(); }
std::size_t bytes_of(const ToolResultBlock& block) {
  std::size_t bytes = 0;
  for (const ToolResultPart& part : block.content) {
    bytes += std::visit([](const auto& one) { return bytes_of(one); }, part);
  }
  return bytes;
}

/// About: a token is some four bytes of most texts.
std::int64_t about_tokens(const Conversation& conversation) {
  constexpr std::int64_t bytes_per_token = 4;
  std::size_t bytes = 0;
  for (const TextBlock& block : conversation.system) bytes += bytes_of(block);
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) {
      bytes += std::visit([](const auto& one) { return bytes_of(one); }, block);
    }
  }
  for (const Tool& tool : conversation.tools.offered) {
    bytes += tool.name.size() + tool.description.size() + tool.input_schema.size();
  }
  return static_cast<std::int64_t>(bytes) / bytes_per_token;
}

/// What one answer may have at most: as the request says, or as the model can.
std::int64_t most_answered(const Asked& asked) {
  constexpr int where_nobody_says = 4096;
  return asked.conversation.sampling.tokens_max.value_or(
      asked.model.output_tokens_max.value_or(where_nobody_says));
}

Rates rates_of(const Asked& asked) {
  switch (asked.spends) {
    case Spends::answer: return {1, burndown_of(asked.model.id)};
    case Spends::input: return {1, 0};
    case Spends::request:
    case Spends::nothing: break;
  }
  return {0, 0};
}

/// What is taken when the request comes: of an answer, Bedrock takes the burndown at the end.
std::int64_t tokens_of(const Asked& asked, const Rates& rates) {
  return about_tokens(asked.conversation) * rates.input +
         (rates.output == 0 ? 0 : most_answered(asked) * asked.answers);
}

Error refused(const Call& call, std::string quota, const auth::Throttled& by) {
  Account& account = *call.account;
  const auth::LimitShape& shape = auth::shape_of(by.limit);
  call.service.metrics()->throttled({quota, shape.name, account.request_model});
  account.throttle = {std::move(quota), by};
  return {ErrorCode::throttling, std::string(shape.refusal)};
}

Result<void> take_of_key(const Call& call, const auth::Meter::Request& request) {
  Account& account = *call.account;
  if (!account.caller.identity) return {};
  auto lease = account.caller.meter->admit(account.caller.identity->quota, request);
  if (!lease) return refused(call, "key:" + account.caller.identity->name, lease.error());
  account.leases.push_back(std::move(*lease));
  return {};
}

Result<void> take_of_model(const Call& call, const Asked& asked,
                           const auth::Meter::Request& request) {
  Account& account = *call.account;
  auth::QuotaTable* quotas = call.service.options().quotas.get();
  if (!quotas || asked.spends == Spends::nothing) return {};
  auto leases = quotas->admit({call.region, asked.model.id, account.profile_id}, request);
  if (leases) {
    std::ranges::move(*leases, std::back_inserter(account.leases));
    return {};
  }
  for (auto& lease : account.leases) lease->cancel();
  account.leases.clear();
  return refused(call, std::move(leases.error().models), leases.error().throttled);
}

}  // namespace

Result<void> take_quota(const Call& call, const Asked& asked) {
  Account& account = *call.account;
  const auth::QuotaTable* quotas = call.service.options().quotas.get();
  const bool metered =
      account.caller.identity ||
      (quotas && quotas->covers({call.region, asked.model.id, account.profile_id}));
  if (!metered || !account.leases.empty()) return {};
  account.rates = rates_of(asked);
  const auth::Meter::Request request{.tokens = tokens_of(asked, account.rates),
                                     .streamed = asked.streamed,
                                     .now = std::chrono::steady_clock::now(),
                                     .date = system_now()};
  CRATON_TRY(take_of_key(call, request));
  return take_of_model(call, asked, request);
}

void note_usage(Account& account, const Usage& usage) {
  account.input_tokens = usage.input_tokens;
  account.cache_write_tokens = usage.cache_write_tokens;
  account.output_tokens = account.output_tokens.value_or(0) + usage.output_tokens;
}

/// Tokens that were read from a cache take nothing, those that were written do.
void settle_quota(Account& account) {
  const std::int64_t input = account.input_tokens.value_or(0) + account.cache_write_tokens;
  const std::int64_t output = account.output_tokens.value_or(0);
  const std::int64_t used = input * account.rates.input + output * account.rates.output;
  for (auto& lease : account.leases) lease->used(used);
  account.leases.clear();
}

void mark_throttle(const Account& account, RetryAfter told, AnswerForm form,
                   http::Response& response) {
  if (!account.throttle) return;
  const auto& [quota, by] = *account.throttle;
  response.headers.add("x-craton-quota",
                       fmt::format("{};{};asked={};left={}", quota, auth::shape_of(by.limit).name,
                                   by.asked, by.left));
  const bool tells =
      told == RetryAfter::on || (told == RetryAfter::automatic && form == AnswerForm::provider);
  if (!tells || !by.wait) return;
  if (form == AnswerForm::bedrock) {
    response.headers.add("x-amz-retry-after", std::to_string(by.wait->count()));
  } else {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*by.wait);
    response.headers.add("retry-after", std::to_string(seconds.count()));
  }
}

}  // namespace craton::service
