#include "catalog/region.h"

#include <algorithm>
#include <array>

namespace craton::catalog {
namespace {

constexpr std::string_view home = "us-east-1";

struct Partition {
  std::string_view region_prefix;
  std::string_view name;
};

constexpr std::array partitions{
    Partition{"us-gov-", "aws-us-gov"},
    Partition{"cn-", "aws-cn"},
};

tables::RegionSet bit_of(std::string_view region) {
  const tables::Names names = tables::regions();
  const auto found = std::lower_bound(names.begin(), names.end(), region);
  if (found == names.end() || *found != region) return tables::no_region;
  return tables::RegionSet{1} << (found - names.begin());
}

}  // namespace

Place place_of(std::string_view region) {
  if (region.empty()) region = home;
  const tables::RegionSet bit = bit_of(region);
  const bool known = bit != tables::no_region;
  return {region, known ? bit : bit_of(home), known};
}

std::string_view partition_of(std::string_view region) {
  for (const Partition& partition : partitions) {
    if (region.starts_with(partition.region_prefix)) return partition.name;
  }
  return "aws";
}

}  // namespace craton::catalog
