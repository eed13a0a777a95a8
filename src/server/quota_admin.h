// Quotas as /_craton/quotas shows and takes them.
//
//   GET  {"quotas":[{"models":"anthropic.*","requests-per-minute":10,"throttled":3,
//                    "left":[{"region":"us-east-1","model":"anthropic.…","scope":"on-demand",
//                             "requests-per-minute":7}]}]}
//   PUT  {"quotas":{"anthropic.*":"10rpm,20000tpm","amazon.*":{"requests-per-minute":5}}}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/quota_table.h"
#include "base/clock.h"
#include "base/result.h"

namespace craton::server {

/// GET's body. `now` and `date` are one moment.
std::string quotas_text(const auth::QuotaTable& quotas, SteadyTime now, WallTime date);

/// The rules of PUT's body, in their order. Fails with `validation`, saying what was expected.
Result<std::vector<auth::QuotaRule>> read_quotas(std::string_view body);

}  // namespace craton::server
