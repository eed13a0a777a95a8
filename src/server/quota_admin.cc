#include "server/quota_admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/json.h"

namespace craton::server {
namespace {

Error wrong(std::string message) { return {ErrorCode::validation, std::move(message)}; }

void add_limits(const auth::Quota& quota, json::object& object) {
  for (const auth::LimitShape& shape : auth::limit_shapes) {
    if (const auto number = quota.*shape.field) object[shape.name] = *number;
  }
}

json::object object_of(const auth::QuotaTable::Use& use) {
  json::object object{{"region", use.region}, {"model", use.model}};
  if (!use.scope.empty()) object["scope"] = use.scope;
  add_limits(use.left, object);
  return object;
}

json::object object_of(const auth::QuotaTable::Row& row) {
  json::object object{{"models", row.rule.models}};
  add_limits(row.rule.quota, object);
  object["throttled"] = row.throttled;
  json::array left;
  for (const auth::QuotaTable::Use& use : row.uses) left.push_back(object_of(use));
  object["left"] = std::move(left);
  return object;
}

Result<auth::Quota> quota_of(const json::value& told) {
  if (told.is_string()) return auth::read_quota(told.get_string());
  if (!told.is_object() || told.get_object().empty()) {
    return wrong("expected text such as '10rpm,20000tpm', or an object of limits");
  }
  auth::Quota quota;
  for (const auto& [name, number] : told.get_object()) {
    if (!number.is_int64()) return wrong(std::string(name) + ": expected a whole number");
    CRATON_TRY(auth::set_limit(quota, name, number.get_int64()));
  }
  return quota;
}

}  // namespace

std::string quotas_text(const auth::QuotaTable& quotas, SteadyTime now, WallTime date) {
  json::array rows;
  for (const auth::QuotaTable::Row& row : quotas.rows(now, date)) rows.push_back(object_of(row));
  return json::to_text(json::object{{"quotas", std::move(rows)}});
}

Result<std::vector<auth::QuotaRule>> read_quotas(std::string_view body) {
  CRATON_TRY_ASSIGN(const json::value value, json::parse(body));
  const json::value* told = value.is_object() ? value.get_object().if_contains("quotas") : nullptr;
  if (!told || !told->is_object() || value.get_object().size() != 1) {
    return wrong("expected an object with 'quotas', an object of quotas by pattern of models");
  }
  std::vector<auth::QuotaRule> rules;
  for (const auto& [models, one] : told->get_object()) {
    CRATON_TRY(auth::check_models(models));
    Result<auth::Quota> quota = quota_of(one);
    if (!quota) return wrong(std::string(models) + ": " + quota.error().message);
    rules.push_back({std::string(models), *quota});
  }
  return rules;
}

}  // namespace craton::server
