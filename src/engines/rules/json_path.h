// JsonPath: which values of a JSON document are meant.
//
//   messages[0].content[*].text   messages[-1].role   $.toolConfig.tools[0]
//
// Keys behind dots, `[n]` counted from 0 or, below 0, from the end, and `[*]` for every item.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace craton::engines::rules {

class JsonPath {
 public:
  /// Fails with `validation`; the message says what is wrong with the path.
  static Result<JsonPath> parse(std::string_view text);

  /// The texts of all values that are meant: strings as they are, others as JSON.
  std::vector<std::string> find(const json::value& root) const;

  /// Takes all values that are meant out of their objects; items of arrays become null.
  void erase(json::value& root) const;

 private:
  struct Every {};
  using Step = std::variant<std::string, int, Every>;

  std::vector<Step> steps_;
};

}  // namespace craton::engines::rules
