// What Mistral's two schemas share. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "families/schema.h"

namespace craton::families {

/// Tokens of an answer when the body names no limit.
int mistral_tokens_default(std::string_view model_id);

/// Most tokens of an answer.
std::optional<double> mistral_tokens_max(const ModelContext& model);

/// Appends `"stop"`, `"length"` or `"tool_calls"`, and `null` while the answer goes on (nullptr).
void append_mistral_stop_reason(const MessageStop* stop, std::string& out);

/// Those of `max_tokens`, `temperature`, `top_p`, `top_k` and `stop` that `members` has.
void read_mistral_sampling(const json::object& members, Sampling& sampling);

Error mistral_too_long(const InputTooLong& measured);

inline constexpr Schema mistral_tokens_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum_of = mistral_tokens_max};
inline constexpr Schema mistral_stop_schema{
    .type = JsonType::array, .size_max = 10, .items = &text_schema};
inline constexpr Schema mistral_top_k_schema{
    .type = JsonType::integer, .minimum = Bound{1}, .maximum = Bound{200}};

}  // namespace craton::families
