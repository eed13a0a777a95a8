// Holdings: the models of one view, and how each model and profile stands with a caller now.
//
// Immutable once made: any function may be called from any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "catalog/region.h"
#include "catalog/tables.h"

namespace craton::catalog {

/// A model of a view.
struct Entry {
  const tables::ModelRow* row;
  bool always;  ///< A seed id where the view keeps those: in every Region, and without end.
};

enum class Standing {
  served,
  elsewhere,  ///< Not in the caller's Region, or nowhere in this view.
  ended,
};

class Holdings {
 public:
  Holdings(View view, WallClock clock);

  /// In the view's order.
  std::span<const Entry> models() const { return models_; }

  /// nullptr when the view has no model of that id.
  const Entry* find(std::string_view id) const;

  Standing standing(const Entry& entry, const Place& place) const;
  Standing standing(const tables::ProfileRow& profile, const Place& place) const;

  /// Whether ListFoundationModels or ListInferenceProfiles has it.
  bool lists(const Entry& entry, const Place& place) const;
  bool lists(const tables::ProfileRow& profile, const Place& place) const;

  /// Whether an ARN of `region` may be used from `place`: only `today` holds callers to their
  /// Region.
  bool accepts_arn(std::string_view region, const Place& place) const {
    return view_ != View::today || region == place.region;
  }

  /// How many ends of models have passed: what is listed changes when this does.
  std::size_t epoch() const;

 private:
  bool past(const Entry& entry) const;
  bool outlives_its_end(const Entry& entry) const;
  bool serves_here(const tables::ModelRow& row, const Place& place) const;

  View view_;
  WallClock clock_;
  std::vector<Entry> models_;
  std::vector<Entry> by_id_;               ///< The same, sorted.
  std::vector<tables::UnixSeconds> ends_;  ///< When models of this view end, sorted.
};

/// The system-defined profile of that id; nullptr when there is none.
const tables::ProfileRow* find_profile(std::string_view id);

}  // namespace craton::catalog
