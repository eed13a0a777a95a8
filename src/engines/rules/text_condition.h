// TextCondition: what a text must be like.
//
//   prompt: Hello                     the whole text, blanks around it aside
//   prompt: {contains: [red, blue]}   all of them
//   prompt: {regex: "(?i)in (\\w+)"}  somewhere; RE2's syntax, in time linear in the text
//
// Threads: any function may be called from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/rules/value.h"

namespace re2 {
class RE2;
}

namespace craton::engines::rules {

class TextCondition {
 public:
  /// `what` names it in errors.
  static Result<TextCondition> read(const Source& source, const Value& value,
                                    std::string_view what);

  /// Appends what the expression's groups took to `groups`, where it is not null.
  bool holds(std::string_view text, std::vector<std::string>* groups) const;

  /// "contains 'red'", for whom it refuses.
  std::string told() const;

 private:
  std::optional<std::string> equals_;
  std::vector<std::string> contains_;
  std::shared_ptr<const re2::RE2> regex_;

  friend struct TextConditionKeys;
};

}  // namespace craton::engines::rules
