#include "catalog/holdings.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace craton::catalog {
namespace {

using tables::ModelRow;
using tables::ProfileRow;
using tables::UnixSeconds;

std::string_view id_of(const Entry& entry) { return entry.row->model.id; }

std::vector<Entry> entries_of(std::span<const ModelRow> rows, bool always) {
  std::vector<Entry> entries;
  for (const ModelRow& row : rows) entries.push_back({&row, always});
  return entries;
}

bool by_id(const Entry& a, const Entry& b) { return id_of(a) < id_of(b); }

/// The entry of that id among `sorted`; nullptr when there is none.
const Entry* find_entry(std::span<const Entry> sorted, std::string_view id) {
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), id,
                       [](const Entry& e, std::string_view i) { return id_of(e) < i; });
  return found != sorted.end() && id_of(*found) == id ? &*found : nullptr;
}

std::vector<Entry> sorted(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(), by_id);
  return entries;
}

/// The seed's ids in its order, each with today's entry where there is one, then the others.
std::vector<Entry> all_entries() {
  const std::vector<Entry> today = sorted(entries_of(tables::today_models(), false));
  std::vector<Entry> entries = entries_of(tables::seed_models(), true);
  for (Entry& entry : entries) {
    if (const Entry* current = find_entry(today, id_of(entry))) entry.row = current->row;
  }
  const std::vector<Entry> seed = sorted(entries);
  for (const Entry& entry : today) {
    if (!find_entry(seed, id_of(entry))) entries.push_back(entry);
  }
  return entries;
}

std::vector<Entry> entries_in(View view) {
  switch (view) {
    case View::seed: return entries_of(tables::seed_models(), true);
    case View::today: return entries_of(tables::today_models(), false);
    case View::all: break;
  }
  return all_entries();
}

/// Whether a profile with no recorded source Regions is for callers in `region`, by its prefix.
bool same_geography(std::string_view prefix, std::string_view region) {
  const bool government = region.starts_with("us-gov-");
  if (prefix == "global") return !government;
  return region.starts_with(std::string(prefix) + "-") && government == (prefix == "us-gov");
}

bool leads_from(const ProfileRow& profile, const Place& place) {
  if (!place.known) return true;
  if (profile.sources == tables::no_region) return same_geography(profile.prefix, place.region);
  return (profile.sources & place.lists_of) != tables::no_region;
}

UnixSeconds seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

Holdings::Holdings(View view, WallClock clock)
    : view_(view), clock_(clock), models_(entries_in(view)), by_id_(sorted(models_)) {
  for (const Entry& entry : models_) {
    if (!entry.always && entry.row->end_of_life != tables::never) {
      ends_.push_back(entry.row->end_of_life);
    }
  }
  std::sort(ends_.begin(), ends_.end());
}

const Entry* Holdings::find(std::string_view id) const { return find_entry(by_id_, id); }

bool Holdings::past(const Entry& entry) const {
  return !entry.always && entry.row->end_of_life <= seconds(clock_());
}

std::size_t Holdings::epoch() const {
  const auto next = std::upper_bound(ends_.begin(), ends_.end(), seconds(clock_()));
  return static_cast<std::size_t>(next - ends_.begin());
}

// Nearly every image model that Bedrock had has ended there, and programs for them live on.
bool Holdings::outlives_its_end(const Entry& entry) const {
  const tables::Names outputs = entry.row->output_modalities;
  return view_ == View::all && std::ranges::find(outputs, "IMAGE") != outputs.end();
}

bool Holdings::serves_here(const ModelRow& row, const Place& place) const {
  const bool anywhere = view_ == View::all || row.served == tables::no_region;
  return anywhere || (row.served & place.lists_of) != tables::no_region;
}

Standing Holdings::standing(const Entry& entry, const Place& place) const {
  if (entry.always) return Standing::served;
  const bool here = serves_here(*entry.row, place);
  const bool served_on = (entry.row->outlived && here) || outlives_its_end(entry);
  if (past(entry) && !served_on) return Standing::ended;
  return here ? Standing::served : Standing::elsewhere;
}

// In `all` a profile whose model may be invoked leads there, even one that AWS has withdrawn; but
// never from a Region that it does not serve.
Standing Holdings::standing(const ProfileRow& profile, const Place& place) const {
  const Entry* model = find(profile.model->model.id);
  if (view_ == View::seed || !model) return Standing::elsewhere;
  const bool withdrawn = view_ != View::all && !profile.served_today;
  if (past(*model) && (withdrawn || !model->row->outlived)) return Standing::ended;
  return !withdrawn && leads_from(profile, place) ? Standing::served : Standing::elsewhere;
}

bool Holdings::lists(const Entry& entry, const Place& place) const {
  if (entry.always) return true;
  if (past(entry) && !entry.row->outlived) return false;
  return (entry.row->listed & place.lists_of) != tables::no_region &&
         standing(entry, place) == Standing::served;
}

bool Holdings::lists(const ProfileRow& profile, const Place& place) const {
  return profile.served_today && (profile.sources & place.lists_of) != tables::no_region &&
         standing(profile, place) == Standing::served;
}

const ProfileRow* find_profile(std::string_view id) {
  const auto rows = tables::profiles();
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const ProfileRow& row) { return row.id == id; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace craton::catalog
