#include "auth/quota.h"

#include <algorithm>
#include <charconv>

namespace craton::auth {
namespace {

Error expected(std::string_view what, std::string_view found) {
  return {ErrorCode::validation,
          "expected " + std::string(what) + ", found '" + std::string(found) + "'"};
}

Result<void> set(Quota& quota, const LimitShape& shape, std::int64_t number) {
  if (number < 1 || number > limit_max) {
    return expected(
        std::string(shape.name) + " to be a whole number from 1 to " + std::to_string(limit_max),
        std::to_string(number));
  }
  if (quota.*shape.field) return expected(std::string(shape.name) + " once", shape.name);
  quota.*shape.field = number;
  return {};
}

/// Adds "10rpm" to what is there.
Result<void> add_word(Quota& quota, std::string_view word) {
  constexpr std::string_view wanted =
      "a number and its unit: 10rpm, 20000tpm, 1000000tpd or 4streams";
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const std::string_view unit = word.substr(static_cast<std::size_t>(end - word.data()));
  const auto shape = std::ranges::find(limit_shapes, unit, &LimitShape::unit);
  if (error != std::errc() || shape == limit_shapes.end()) return expected(wanted, word);
  return set(quota, *shape, number);
}

/// Takes what stands before the next comma off `text`.
std::string_view next_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(','));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

Result<Quota> read_quota(std::string_view words) {
  Quota quota;
  do {
    CRATON_TRY(add_word(quota, next_word(words)));
  } while (!words.empty());
  return quota;
}

std::string text_of(const Quota& quota) {
  std::string text;
  for (const LimitShape& shape : limit_shapes) {
    if (!(quota.*shape.field)) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(*(quota.*shape.field));
    text += shape.unit;
  }
  return text;
}

Result<void> set_limit(Quota& quota, std::string_view name, std::int64_t number) {
  const auto shape = std::ranges::find(limit_shapes, name, &LimitShape::name);
  if (shape != limit_shapes.end()) return set(quota, *shape, number);
  std::string names;
  for (const LimitShape& known : limit_shapes) {
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  return expected("one of " + names, name);
}

Result<void> check_models(std::string_view pattern) {
  constexpr std::size_t pattern_max = 256;
  const bool fits =
      !pattern.empty() && pattern.size() <= pattern_max && std::ranges::all_of(pattern, [](char c) {
        return c > ' ' && c < '\x7f' && c != ',' && c != '=' && c != '"';
      });
  if (fits) return {};
  return expected("a pattern of model ids, such as 'anthropic.*'", pattern.substr(0, pattern_max));
}

Result<std::vector<QuotaRule>> read_quota_rules(std::string_view text) {
  std::vector<QuotaRule> rules;
  do {
    std::string_view word = next_word(text);
    if (const std::size_t sign = word.find('='); sign != word.npos) {
      const std::string_view models = word.substr(0, sign);
      CRATON_TRY(check_models(models));
      rules.push_back({std::string(models), {}});
      word.remove_prefix(sign + 1);
    }
    if (rules.empty()) {
      return expected("PATTERN=QUOTA, such as 'anthropic.*=10rpm,20000tpm'", word);
    }
    CRATON_TRY(add_word(rules.back().quota, word));
  } while (!text.empty());
  return rules;
}

std::string text_of(const std::vector<QuotaRule>& rules) {
  std::string text;
  for (const QuotaRule& rule : rules) {
    if (!text.empty()) text += ',';
    text += rule.models + '=' + text_of(rule.quota);
  }
  return text;
}

}  // namespace craton::auth
