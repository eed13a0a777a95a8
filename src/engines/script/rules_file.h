// A rules file: answers that somebody declared. docs/script.md describes it.
//
//   rules:
//     - name: weather
//       match: {model: "anthropic.*", prompt: {contains: weather}}
//       answer: {text: "Sunny, as you said: {{last_user_text}}"}
//
// Immutable once read: any function may be called from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "conversation/event.h"
#include "engines/faults/fault.h"
#include "engines/rules/matcher.h"
#include "engines/rules/template.h"

namespace craton::engines::script {

inline constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;  ///< Of rules, or of one answer.

/// When an answer's tokens come. All zero: at once.
struct Pacing {
  Milliseconds first_token{0};
  double tokens_per_second = 0;  ///< 0: no limit.
  int tokens_per_event = 1;      ///< Of a stream.
  double jitter = 0;             ///< Each step is longer or shorter by up to this part of it.
};

struct SaidText {
  rules::Template text;
};
struct SaidJson {
  rules::JsonTemplate json;
};
struct ThoughtText {
  rules::Template text;
};
struct ToolCall {
  std::string name;
  std::string id;             ///< Empty: one is made.
  rules::JsonTemplate input;  ///< An object
};
using SaidBlock = std::variant<SaidText, SaidJson, ThoughtText, ToolCall>;

/// Numbers that were declared; the others are counted.
struct DeclaredUsage {
  std::optional<int> input_tokens;
  std::optional<int> output_tokens;
  std::optional<int> cache_read_tokens;
  std::optional<int> cache_write_tokens;
};

struct DeclaredAnswer {
  std::vector<SaidBlock> content;
  StopReason stop_reason = StopReason::end_turn;
  std::optional<std::string> stop_sequence;
  DeclaredUsage usage;
  Pacing pacing;
  std::vector<std::shared_ptr<const faults::Fault>> faults;  ///< That strike this answer.
};

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
