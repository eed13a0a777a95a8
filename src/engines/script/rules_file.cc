#include "engines/script/rules_file.h"

#include <array>
#include <filesystem>
#include <utility>

#include "base/one_line.h"
#include "engines/script/named_file.h"

namespace craton::engines::script {
namespace {

using rules::Key;
using rules::Source;
using rules::Value;

// Rules.

struct FileDraft {
  RulesFile file;
  Pacing pacing;
  const Value* rules = nullptr;  ///< Read when the pacing is known.
};

struct RuleDraft {
  Rule rule;
  Pacing pacing;
};

Result<void> rule_name(const Source& source, const Value& value, RuleDraft& draft) {
  CRATON_TRY_ASSIGN(draft.rule.name, text_of(source, value, "name"));
  if (is_one_line(draft.rule.name) && draft.rule.name.size() <= 128) return {};
  return source.wrong(value.line, "name: expected 1 to 128 bytes without control characters");
}
Result<void> rule_match(const Source& source, const Value& value, RuleDraft& draft) {
  CRATON_TRY_ASSIGN(draft.rule.match, rules::Matcher::read(source, value));
  return {};
}
Result<void> rule_answer(const Source& source, const Value& value, RuleDraft& draft) {
  CRATON_TRY_ASSIGN(DeclaredAnswer answer, read_answer(source, value, draft.pacing));
  draft.rule.answers.push_back(std::move(answer));
  return {};
}
Result<void> rule_answers(const Source& source, const Value& value, RuleDraft& draft) {
  return read_list(source, value, "answers",
                   [&](const Value& item) { return rule_answer(source, item, draft); });
}
Result<void> rule_afterwards(const Source& source, const Value& value, RuleDraft& draft) {
  constexpr std::array<std::pair<std::string_view, Afterwards>, 3> words{
      {{"repeat", Afterwards::repeat}, {"loop", Afterwards::loop}, {"pass", Afterwards::pass}}};
  CRATON_TRY_ASSIGN(const std::string text, text_of(source, value, "afterwards"));
  for (const auto& [word, meaning] : words) {
    if (word != text) continue;
    draft.rule.afterwards = meaning;
    return {};
  }
  return source.wrong(value.line,
                      "afterwards: expected repeat, loop or pass, found '" + text + "'");
}
constexpr std::array rule_keys{
    Key<RuleDraft>{"name", rule_name},
    Key<RuleDraft>{"match", rule_match},
    Key<RuleDraft>{"answer", rule_answer},
    Key<RuleDraft>{"answers", rule_answers},
    Key<RuleDraft>{"afterwards", rule_afterwards},
};

Result<Rule> rule_of(const Source& source, const Value& value, const FileDraft& file) {
  RuleDraft draft{.rule = {}, .pacing = file.pacing};
  CRATON_TRY(read_map(source, value, "a rule", std::span<const Key<RuleDraft>>(rule_keys), draft));
  draft.rule.line = value.line;
  if (draft.rule.name.empty()) {
    draft.rule.name = "rule-" + std::to_string(file.file.rules.size() + 1);
  }
  if (draft.rule.answers.empty()) {
    return source.wrong(value.line, draft.rule.name + " has no answer; is the file complete?");
  }
  draft.rule.gives = Gives::all();
  for (const DeclaredAnswer& answer : draft.rule.answers) draft.rule.gives &= answer.gives;
  if (draft.rule.gives.none()) {
    return source.wrong(value.line, draft.rule.name +
                                        ": answers of one rule are of one kind: words, embeddings, "
                                        "scores or images; take a rule for each");
  }
  return std::move(draft.rule);
}

Result<void> keep_rules(const Source&, const Value& value, FileDraft& draft) {
  draft.rules = &value;
  return {};
}
Result<void> file_faults(const Source& source, const Value& value, FileDraft& draft) {
  return read_list(source, value, "faults", [&](const Value& item) -> Result<void> {
    CRATON_TRY_ASSIGN(faults::Fault fault, faults::read_fault(source, item));
    draft.file.faults.push_back(std::move(fault));
    return {};
  });
}
Result<void> file_pacing(const Source& source, const Value& value, FileDraft& draft) {
  CRATON_TRY_ASSIGN(draft.pacing, read_pacing(source, value));
  return {};
}
constexpr std::array file_keys{Key<FileDraft>{"rules", keep_rules},
                               Key<FileDraft>{"faults", file_faults},
                               Key<FileDraft>{"pacing", file_pacing}};

}  // namespace

Result<RulesFile> parse_rules(std::string_view text, const Source& source) {
  CRATON_TRY_ASSIGN(const Value root, rules::read_yaml(text, source));
  if (root.kind == Value::Kind::null) {
    return source.wrong(1, "the file is empty; it needs 'rules:' or 'faults:'");
  }
  FileDraft draft;
  CRATON_TRY(
      read_map(source, root, "a rules file", std::span<const Key<FileDraft>>(file_keys), draft));
  if (draft.rules) {
    CRATON_TRY(read_list(source, *draft.rules, "rules", [&](const Value& item) -> Result<void> {
      CRATON_TRY_ASSIGN(Rule rule, rule_of(source, item, draft));
      draft.file.rules.push_back(std::move(rule));
      return {};
    }));
  }
  if (draft.file.rules.empty() && draft.file.faults.empty()) {
    return source.wrong(root.line, "there are no rules and no faults in this file");
  }
  draft.file.name = std::filesystem::path(source.name).filename().string();
  if (!is_one_line(draft.file.name)) {
    return source.wrong(0, "the file's name goes into a header: no control characters there");
  }
  return std::move(draft.file);
}

Result<RulesFile> read_rules_file(const std::string& path) {
  const Result<std::string> text = file_text(path);
  if (!text) return Error{ErrorCode::validation, path + ": " + text.error().message};
  const auto folder = std::filesystem::absolute(path).parent_path();
  return parse_rules(*text, {path, folder});
}

}  // namespace craton::engines::script
