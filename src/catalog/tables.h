// The catalogue's data as tables: what tables.py makes, at build time, of the JSON files in data/.
//
// Constants in the program itself: nothing is parsed when it starts. Any function may be called
// from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "catalog/catalog.h"

namespace craton::catalog::tables {

/// Which of regions(): one bit each, the first Region's the lowest.
using RegionSet = std::uint64_t;
inline constexpr RegionSet no_region = 0;

using Names = std::span<const std::string_view>;

/// Seconds since 1970.
using UnixSeconds = std::int64_t;
inline constexpr UnixSeconds never = std::numeric_limits<UnixSeconds>::max();
inline constexpr UnixSeconds long_ago = std::numeric_limits<UnixSeconds>::min();

struct ModelRow {
  Model model;
  /// The FoundationModelSummary's JSON text from behind the Region in its ARN, which is its first
  /// member: `::foundation-model/…","modelId":…}`.
  std::string_view summary;
  Names output_modalities;
  Names inference_types;
  Names customizations;
  /// Whose ListFoundationModels has it.
  RegionSet listed = no_region;
  /// Where it is, or was when last seen, served; none when that is not known.
  RegionSet served = no_region;
  /// When it ends: `never` when no date is set, `long_ago` when it ended on a day not recorded.
  UnixSeconds end_of_life = never;
  /// The end passed, yet it was served in the Regions above when their lists were taken later.
  bool outlived = false;
};

/// From where a profile leads to where.
struct Route {
  RegionSet sources;
  RegionSet destinations;  ///< None when not known.
  bool everywhere;         ///< To every commercial Region, as `global.` profiles do.
};

struct ProfileRow {
  std::string_view id;      ///< "us.anthropic.claude-haiku-4-5-20251001-v1:0"
  std::string_view name;    ///< inferenceProfileName
  std::string_view prefix;  ///< "us"
  const ModelRow* model;
  bool served_today;
  RegionSet sources;  ///< Of all routes; none when not known.
  std::span<const Route> routes;
};

/// Every Region that the data names, sorted.
Names regions();

/// The seed's models, in its order.
std::span<const ModelRow> seed_models();

/// Today's models that are reached through bedrock-runtime, by id.
std::span<const ModelRow> today_models();

/// The system-defined inference profiles of today's models, by base id, then prefix.
std::span<const ProfileRow> profiles();

/// The day that today's facts were gathered, as Bedrock writes times.
std::string_view facts_time();

}  // namespace craton::catalog::tables
