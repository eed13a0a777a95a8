// Quotas: what a request takes of its caller's quota and of its model's, and what a refusal tells
// beside Bedrock's text. docs/quotas.md describes both.
#pragma once

#include "base/result.h"
#include "http/message.h"
#include "service/invocation.h"
#include "service/operations.h"

namespace craton::service {

/// Takes what the answer may need of the key's quota and of the model's, until the call is over.
/// Fails with `throttling` when there is not so much left, and then takes nothing.
Result<void> take_quota(const Call& call, const Asked& asked);

/// Notes the tokens of an answer that is over, for the log, the metrics and quotas; those of
/// further answers to the same request are added.
void note_usage(Account& account, const Usage& usage);

/// Gives back what was taken for longer answers than came.
void settle_quota(Account& account);

/// Whose form a refusal has.
enum class AnswerForm {
  bedrock,   ///< `x-amz-retry-after`: milliseconds.
  provider,  ///< OpenAI's and Anthropic's `retry-after`: seconds.
};

/// Says in headers which quota refused the request, and as `told` says, when it would be admitted.
void mark_throttle(const Account& account, RetryAfter told, AnswerForm form,
                   http::Response& response);

}  // namespace craton::service
