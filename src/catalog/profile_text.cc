#include "catalog/profile_text.h"

#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/fnv.h"
#include "base/json.h"

namespace craton::catalog {
namespace {

using tables::ProfileRow;
using tables::RegionSet;
using tables::Route;

/// The way from `place`: its own, or the first one's when the data has none from there.
Route route_from(const ProfileRow& profile, const Place& place) {
  for (const Route& route : profile.routes) {
    if (route.sources & place.lists_of) return route;
  }
  if (!profile.routes.empty()) return profile.routes.front();
  return {tables::no_region, tables::no_region, profile.prefix == "global"};
}

std::vector<std::string_view> names_of(RegionSet set) {
  std::vector<std::string_view> names;
  for (; set != tables::no_region; set &= set - 1) {
    names.push_back(tables::regions()[static_cast<std::size_t>(std::countr_zero(set))]);
  }
  return names;
}

/// The destinations as their ARNs name them: for a profile that leads everywhere, nowhere in
/// particular and the caller's own Region.
std::vector<std::string_view> arn_regions(const Route& route, const Place& place) {
  if (route.everywhere) return {"", place.region};
  if (route.destinations == tables::no_region) return {place.region};
  return names_of(route.destinations);
}

/// "us-east-1, us-east-2 and us-west-2"
std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

/// The name without its geography: "US Anthropic Claude Haiku 4.5".
std::string_view model_name(const ProfileRow& profile) {
  return profile.name.substr(profile.name.find(' ') + 1);
}

std::string description(const ProfileRow& profile, const Route& route, const Place& place) {
  std::string text = "Routes requests to " + std::string(model_name(profile));
  if (route.everywhere) return text + " globally across all supported AWS Regions.";
  return text + " in " + listed(arn_regions(route, place)) + ".";
}

struct ArnParts {
  std::string_view partition;
  std::string_view region;
  std::string_view account;
  std::string_view kind;
  std::string_view id;
};

std::string arn(const ArnParts& parts) {
  std::string text = "arn:";
  text.append(parts.partition).append(":bedrock:").append(parts.region).append(":");
  text.append(parts.account).append(":").append(parts.kind).append("/").append(parts.id);
  return text;
}

void append_models(const ProfileRow& profile, const Route& route, const Place& place,
                   std::string& out) {
  bool first = true;
  out += '[';
  for (const std::string_view region : arn_regions(route, place)) {
    if (!std::exchange(first, false)) out += ',';
    out += "{\"modelArn\":";
    json::append_quoted(
        arn({partition_of(place.region), region, "", "foundation-model", profile.model->model.id}),
        out);
    out += '}';
  }
  out += ']';
}

}  // namespace

void append_profile(const ProfileRow& profile, const Place& place, std::string_view account,
                    std::string& out) {
  const Route route = route_from(profile, place);
  const std::pair<std::string_view, std::string> head[] = {
      {"{\"inferenceProfileName\":", std::string(profile.name)},
      {",\"description\":", description(profile, route, place)},
      {",\"createdAt\":", std::string(tables::facts_time())},
      {",\"updatedAt\":", std::string(tables::facts_time())},
      {",\"inferenceProfileArn\":",
       arn({partition_of(place.region), place.region, account, "inference-profile", profile.id})},
  };
  for (const auto& [member, text] : head) {
    out += member;
    json::append_quoted(text, out);
  }
  out += ",\"models\":";
  append_models(profile, route, place, out);
  out += ",\"inferenceProfileId\":";
  json::append_quoted(profile.id, out);
  out += ",\"status\":\"ACTIVE\",\"type\":\"SYSTEM_DEFINED\"}";
}

std::string page_token(const ProfileRow& profile) {
  const std::uint64_t hash = fnv1a(profile.id);
  std::string token;
  for (int shift = 60; shift >= 0; shift -= 4) token += "0123456789abcdef"[hash >> shift & 0xf];
  return token;
}

}  // namespace craton::catalog
