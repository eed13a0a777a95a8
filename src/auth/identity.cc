#include "auth/identity.h"

#include <algorithm>

#include "base/glob.h"

namespace craton::auth {
namespace {

constexpr std::string_view prefix = "bedrock:";

}  // namespace

Result<Allow> read_allow(std::string_view text) {
  const std::string_view rest = text.starts_with(prefix) ? text.substr(prefix.size()) : "";
  const std::size_t colon = rest.find(':');
  Allow allow{.action = std::string(prefix) + std::string(rest.substr(0, colon))};
  if (colon != std::string_view::npos) allow.model = rest.substr(colon + 1);
  const bool clean = text.find_first_of(" \t\n") == std::string_view::npos;
  if (allow.action.size() > prefix.size() && !allow.model.empty() && clean) return allow;
  return Error{ErrorCode::validation,
               "'" + std::string(text) +
                   "' is no rule: expected bedrock:OPERATION or bedrock:OPERATION:MODEL, such as "
                   "bedrock:InvokeModel:anthropic.*"};
}

std::string text_of(const Allow& allow) {
  return allow.model == "*" ? allow.action : allow.action + ":" + allow.model;
}

bool allows(const Identity& identity, std::string_view action,
            const std::vector<std::string_view>& models) {
  if (identity.allow.empty()) return true;
  return std::ranges::any_of(identity.allow, [&](const Allow& allow) {
    const auto fits = [&](std::string_view model) { return glob_matches(allow.model, model); };
    return glob_matches(allow.action, action) &&
           (models.empty() || std::ranges::any_of(models, fits));
  });
}

}  // namespace craton::auth
