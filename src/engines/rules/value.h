// Value: what somebody declared, as a tree that remembers its lines, whether it was written as YAML
// or as JSON; and tables of keys that read such trees strictly.
//
// Errors are `validation` and name the file, the line, what was found and the nearest right word:
//   rules.yaml:7: unknown key 'promt' of match; did you mean 'prompt'?
//
// No globals: any function may be called from any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/result.h"

namespace craton::engines::rules {

struct Entry;

struct Value {
  enum class Kind { null, text, list, map };
  Kind kind = Kind::null;
  std::string text;
  bool plain = false;          ///< Text without quotes: `5` may be a number, `"5"` may not.
  std::vector<Value> items;    ///< Of a list
  std::vector<Entry> entries;  ///< Of a map, in their order; no key twice.
  int line = 0;                ///< From 1; 0 where there are none.
};

struct Entry {
  std::string key;
  int line = 0;
  Value value;
};

/// Where a tree was read from.
struct Source {
  std::string name;              ///< As errors call it.
  std::filesystem::path folder;  ///< That files it names are in; empty: it may name none.

  Error wrong(int line, const std::string& what) const;
};

/// Values in a tree, aliases of YAML counted as often as they are used: what is larger is refused.
inline constexpr int values_max = 200'000;

Result<Value> read_yaml(std::string_view text, const Source& source);
Result<Value> read_json(std::string_view text, const Source& source);

/// "kind;key=value;key.inner=value": short enough for a flag or a header. The first part without a
/// `=` is the value of `first_key`.
Result<Value> read_words(std::string_view text, std::string_view first_key, const Source& source);

/// "; did you mean 'prompt'?", or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> names);

// A single value. `what` names it in errors.
Result<std::string> text_of(const Source& source, const Value& value, std::string_view what);
Result<int> whole_number(const Source& source, const Value& value, std::string_view what, int least,
                         int most);
Result<double> number(const Source& source, const Value& value, std::string_view what, double least,
                      double most);
Result<bool> yes_or_no(const Source& source, const Value& value, std::string_view what);
/// "250ms", "1.5s", "2m"; an hour at most.
Result<Milliseconds> duration(const Source& source, const Value& value, std::string_view what);
/// One text, or a list of them.
Result<std::vector<std::string>> texts(const Source& source, const Value& value,
                                       std::string_view what);

/// As JSON: what is plain as YAML 1.2 reads it (numbers, true, false, null), the rest text.
json::value to_json(const Value& value);

template <class Into>
struct Key {
  std::string_view name;
  Result<void> (*set)(const Source& source, const Value& value, Into& into);
};

/// Sets `into` from a map, whose keys are all among `keys`.
template <class Into>
Result<void> read_map(const Source& source, const Value& value, std::string_view what,
                      std::span<const Key<Into>> keys, Into& into) {
  if (value.kind != Value::Kind::map) {
    return source.wrong(value.line, "expected 'key: value' lines of " + std::string(what));
  }
  for (const Entry& entry : value.entries) {
    const Key<Into>* known = nullptr;
    for (const Key<Into>& key : keys) {
      if (key.name == entry.key) known = &key;
    }
    if (!known) {
      std::vector<std::string_view> names;
      for (const Key<Into>& key : keys) names.push_back(key.name);
      return source.wrong(entry.line, "unknown key '" + entry.key + "' of " + std::string(what) +
                                          did_you_mean(entry.key, names));
    }
    CRATON_TRY(known->set(source, entry.value, into));
  }
  return {};
}

/// Calls `take(item)` for each item of a list.
template <class Take>
Result<void> read_list(const Source& source, const Value& value, std::string_view what, Take take) {
  if (value.kind != Value::Kind::list) {
    return source.wrong(value.line,
                        "expected a list of " + std::string(what) + ", each behind a '-'");
  }
  for (const Value& item : value.items) CRATON_TRY(take(item));
  return {};
}

}  // namespace craton::engines::rules
