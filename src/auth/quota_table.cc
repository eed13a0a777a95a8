#include "auth/quota_table.h"

#include <algorithm>
#include <utility>

#include "base/glob.h"

namespace craton::auth {
namespace {

constexpr std::string_view all_scopes = "";

std::string_view scope_of(std::string_view profile_id) {
  if (profile_id.empty()) return "on-demand";
  return profile_id.starts_with("global.") ? "global" : "cross-region";
}

/// The limits that are counted over all scopes, or those that each counts by itself.
Quota part_of(const Quota& quota, bool of_all_scopes) {
  Quota part;
  for (const LimitShape& shape : limit_shapes) {
    if ((shape.refill == Refill::at_midnight) == of_all_scopes) {
      part.*shape.field = quota.*shape.field;
    }
  }
  return part;
}

Quota left_of(Meter& meter, const Quota& quota, SteadyTime now, WallTime date) {
  Quota left;
  for (const LimitShape& shape : limit_shapes) {
    if (quota.*shape.field) left.*shape.field = meter.left(quota, shape.limit, now, date);
  }
  return left;
}

}  // namespace

QuotaTable::QuotaTable(std::vector<QuotaRule> rules) : at_start_(std::move(rules)) { reset(); }

std::shared_ptr<Meter> QuotaTable::Counted::meter(const Model& model, std::string_view scope) {
  Place place{std::string(model.region), std::string(model.id), scope};
  const auto found = meters.find(place);
  if (found != meters.end()) return found->second;
  if (meters.size() >= meters_max) place = {"_OTHER", "_OTHER", scope};
  std::shared_ptr<Meter>& meter = meters[std::move(place)];
  if (!meter) meter = std::make_shared<Meter>();
  return meter;
}

bool QuotaTable::Counted::fits(const Model& model) const {
  return glob_matches(rule.models, model.id) ||
         (!model.profile_id.empty() && glob_matches(rule.models, model.profile_id));
}

bool QuotaTable::covers(const Model& model) const {
  if (!any_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(rules_, [&](const Counted& one) { return one.fits(model); });
}

tl::expected<QuotaTable::Leases, QuotaTable::Refusal> QuotaTable::admit(
    const Model& model, const Meter::Request& request) {
  Leases leases;
  if (!any_.load(std::memory_order_relaxed)) return leases;
  const std::lock_guard lock(mutex_);
  const auto counted =
      std::ranges::find_if(rules_, [&](const Counted& one) { return one.fits(model); });
  if (counted == rules_.end()) return leases;
  for (const bool of_all_scopes : {false, true}) {
    const Quota part = part_of(counted->rule.quota, of_all_scopes);
    if (part.empty()) continue;
    const std::string_view scope = of_all_scopes ? all_scopes : scope_of(model.profile_id);
    auto lease = counted->meter(model, scope)->admit(part, request);
    if (!lease) {
      ++counted->throttled;
      for (auto& taken : leases) taken->cancel();
      leases.clear();
      return tl::unexpected(Refusal{lease.error(), counted->rule.models});
    }
    leases.push_back(std::move(*lease));
  }
  return leases;
}

std::vector<QuotaTable::Row> QuotaTable::rows(SteadyTime now, WallTime date) const {
  const std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (const Counted& one : rules_) {
    Row row{one.rule, one.throttled, {}};
    for (const auto& [place, meter] : one.meters) {
      const Quota part = part_of(one.rule.quota, place.scope == all_scopes);
      row.uses.push_back(
          {place.region, place.model, place.scope, left_of(*meter, part, now, date)});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void QuotaTable::replace(std::vector<QuotaRule> rules) {
  std::vector<Counted> fresh;
  for (QuotaRule& rule : rules) fresh.push_back({std::move(rule), 0, {}});
  const std::lock_guard lock(mutex_);
  rules_ = std::move(fresh);
  any_.store(!rules_.empty(), std::memory_order_relaxed);
}

}  // namespace craton::auth
