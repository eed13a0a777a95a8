// A rules file: answers that somebody declared. docs/script.md describes it.
//
//   rules:
//     - name: weather
//       match: {model: "anthropic.*", prompt: {contains: weather}}
//       answer: {text: "Sunny, as you said: {{last_user_text}}"}
//
// Immutable once read: any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/faults/fault.h"
#include "engines/rules/matcher.h"
#include "engines/script/declared_answer.h"

namespace craton::engines::script {

/// What follows a rule's last answer.
enum class Afterwards {
  repeat,  ///< The last one, for ever.
  loop,    ///< The first one again.
  pass,    ///< Nothing: the next rules are looked at.
};

struct Rule {
  std::string name;  ///< "rule-3" where none was given. Fits into a header.
  int line = 0;
  rules::Matcher match;
  std::vector<DeclaredAnswer> answers;  ///< At least one.
  Gives gives;                          ///< Each of them.
  Afterwards afterwards = Afterwards::repeat;
};

struct RulesFile {
  std::string name;  ///< Of the file, without its folder.
  std::vector<Rule> rules;
  std::vector<faults::Fault> faults;  ///< For every request that comes to the file.
};

/// Reads a file. Fails with `validation` and one line: file, line, what is wrong, what was meant.
Result<RulesFile> read_rules_file(const std::string& path);

/// The same of text. Files that it names are looked for in `source.folder`.
Result<RulesFile> parse_rules(std::string_view text, const rules::Source& source);

}  // namespace craton::engines::script
