// Matcher: which requests something is meant for. docs/script.md describes its keys.
//
//   match:
//     operation: ConverseStream
//     model: "anthropic.*"
//     prompt: {contains: weather}
//     json: {"messages[0].content[0].text": {regex: "^Hi"}}
//
// All conditions must hold; no conditions fit every request. Threads: any function may be called
// from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/rules/request_view.h"
#include "engines/rules/value.h"

namespace craton::engines::rules {

/// What the expressions of a match took: the whole of each, and its groups. `{{match.1}}`.
using Groups = std::vector<std::string>;

class Matcher {
 public:
  static Result<Matcher> read(const Source& source, const Value& value);

  bool fits(RequestView& request, Groups* groups) const;

  /// How near a request that does not fit comes.
  struct Nearness {
    std::size_t held = 0;  ///< Conditions that hold.
    std::string failed;    ///< The first that does not: "prompt contains 'weather'".
  };
  Nearness nearness(RequestView& request) const;

  /// Which of the calls that otherwise fit: from, to. Absent: any.
  struct Calls {
    int first;
    int last;
  };
  const std::optional<Calls>& calls() const { return calls_; }

  /// Adds `call: N`, whose count whoever holds the matcher keeps.
  void set_calls(Calls calls) { calls_ = calls; }

  struct Condition {
    std::function<bool(RequestView& request, Groups* groups)> holds;
    std::string told;
  };
  void add(Condition condition) { conditions_.push_back(std::move(condition)); }

 private:
  std::vector<Condition> conditions_;
  std::optional<Calls> calls_;
};

}  // namespace craton::engines::rules
