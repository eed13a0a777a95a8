// The members of a JSON object of a cassette, each of its type.
//
// No I/O.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace craton::engines::replay {

/// Holds as long as the object. Fails with `validation`.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  bool has(std::string_view name) const { return object_.contains(name); }

  /// Null when it is absent.
  const json::value* find(std::string_view name) const { return object_.if_contains(name); }

  Result<std::string> text(std::string_view name) const {
    const json::value* value = find(name);
    if (value && value->is_string()) return std::string(value->get_string());
    return wrong(name, "text");
  }

  /// 0 where it is absent.
  Result<int> number(std::string_view name) const {
    const json::value* value = find(name);
    if (!value) return 0;
    if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > 1'000'000'000) {
      return wrong(name, "a whole number from 0");
    }
    return static_cast<int>(value->get_int64());
  }

 private:
  static Error wrong(std::string_view name, std::string_view what) {
    return {ErrorCode::validation, "'" + std::string(name) + "' must be " + std::string(what)};
  }

  const json::object& object_;
};

}  // namespace craton::engines::replay
