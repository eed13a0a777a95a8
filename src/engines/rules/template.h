// Template: a text with places that the request fills in.
//
//   "You said {{last_user_text}} to {{model_id}}."   "\{{" for the braces themselves
//
// The names are in docs/script.md. A name that there is none of is refused when the template is
// read; a value that the request has not is empty. Threads: any function may be called from any
// thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engines/rules/matcher.h"
#include "engines/rules/request_view.h"

namespace craton::engines::rules {

/// What templates are filled from.
struct Facts {
  RequestView& request;
  const Groups& groups;  ///< Of the match
  int call;              ///< How many requests fitted, with this one.
};

class Template {
 public:
  /// Fails with `validation`; the message says which place is wrong and the nearest right name.
  static Result<Template> parse(std::string_view text);

  std::string fill(const Facts& facts) const;

 private:
  using Part = std::function<void(const Facts& facts, std::string& out)>;

  static Result<Part> place(std::string_view text);

  std::vector<Part> parts_;
  std::string only_;  ///< The whole text, where there are no places.
};

/// JSON whose strings, but not keys, are templates.
class JsonTemplate {
 public:
  static Result<JsonTemplate> read(const json::value& value);

  /// JSON text.
  std::string fill(const Facts& facts) const;

 private:
  Result<void> add(const json::value& value);

  std::vector<std::pair<std::string, Template>> parts_;  ///< JSON text, then a string to fill.
  std::string rest_;                                     ///< JSON text behind all of them.
};

}  // namespace craton::engines::rules
