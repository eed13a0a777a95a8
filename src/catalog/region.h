// Regions as the catalogue sees them.
//
// Any function may be called from any thread.
#pragma once

#include <string_view>

#include "catalog/tables.h"

namespace craton::catalog {

/// Where a caller is.
struct Place {
  std::string_view region;     ///< As asked for, or us-east-1 when nothing was.
  tables::RegionSet lists_of;  ///< The one Region whose lists hold there.
  bool known;                  ///< False: the data has no such Region; us-east-1's lists hold.
};

/// `region` must outlive the Place.
Place place_of(std::string_view region);

/// The ARN partition: "aws", "aws-us-gov" or "aws-cn".
std::string_view partition_of(std::string_view region);

}  // namespace craton::catalog
