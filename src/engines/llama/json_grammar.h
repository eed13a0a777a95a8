// The rules of JSON itself, which every schema's grammar is made of.
//
// Text that fits them is read by json::parse: valid UTF-8, no lone surrogates, numbers that fit a
// double, nested no deeper than it takes.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "engines/llama/grammar.h"

namespace craton::engines::llama {

class JsonGrammar {
 public:
  /// Levels of arrays and objects where a schema leaves them open.
  static constexpr int open_levels = 10;

  explicit JsonGrammar(GrammarBuilder& builder);

  GrammarBuilder& builder() { return builder_; }

  RuleId space();   ///< Nothing, a blank, or a line's end with what the next line is indented by.
  RuleId string();  ///< With its quotes.
  RuleId character();  ///< Of a string, escaped or not.
  RuleId number();
  RuleId integer();
  RuleId value(int levels = open_levels);   ///< Anything.
  RuleId object(int levels = open_levels);  ///< Any object.
  RuleId array(int levels = open_levels);

  RuleId hex();
  RuleId digit();
  /// A character of a string that is not one of ASCII: two to four bytes.
  RuleId beyond_ascii();

 private:
  /// The rule called `name`, made by `make` when it is asked for the first time.
  template <class Make>
  RuleId once(std::string_view name, int level, Make make);

  RuleId escaped();
  RuleId list(char open, RuleId item, char close);

  GrammarBuilder& builder_;
  std::map<std::pair<std::string_view, int>, RuleId> rules_;
};

}  // namespace craton::engines::llama
