#include "engines/script/rules_file.h"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace craton::engines::script {
namespace {

using rules::Key;
using rules::Source;
using rules::Value;

Result<std::string> file_text(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error{ErrorCode::validation, "cannot be read; check that it exists and is a file"};
  }
  if (std::filesystem::file_size(path, error) > file_bytes_max) {
    return Error{ErrorCode::validation,
                 "is larger than " + std::to_string(file_bytes_max >> 20) + " MiB"};
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::validation, "cannot be read; check its permissions"};
  return std::move(text).str();
}

Result<rules::Template> template_of(const Source& source, const Value& value,
                                    std::string_view what) {
  CRATON_TRY_ASSIGN(const std::string text, text_of(source, value, what));
  Result<rules::Template> made = rules::Template::parse(text);
  if (made) return made;
  return source.wrong(value.line, std::string(what) + ": " + made.error().message);
}

Result<rules::JsonTemplate> json_template(const Source& source, const Value& value,
                                          std::string_view what) {
  Result<rules::JsonTemplate> made = rules::JsonTemplate::read(to_json(value));
  if (made) return made;
  return source.wrong(value.line, std::string(what) + ": " + made.error().message);
}

// A call of a tool.

struct CallDraft {
  std::string name;
  std::string id;
  std::optional<rules::JsonTemplate> input;
};

Result<void> call_name(const Source& source, const Value& value, CallDraft& call) {
  CRATON_TRY_ASSIGN(call.name, text_of(source, value, "name"));
  return {};
}
Result<void> call_id(const Source& source, const Value& value, CallDraft& call) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";  // Converse's pattern
  CRATON_TRY_ASSIGN(call.id, text_of(source, value, "id"));
  const bool fits = !call.id.empty() && call.id.size() <= 64 &&
                    call.id.find_first_not_of(allowed) == std::string::npos;
  if (fits) return {};
  return source.wrong(value.line, "id: expected 1 to 64 letters, digits, _ and -");
}
Result<void> call_input(const Source& source, const Value& value, CallDraft& call) {
  if (value.kind != Value::Kind::map) {
    return source.wrong(value.line, "input: expected a map, the members of the call's input");
  }
  CRATON_TRY_ASSIGN(call.input, json_template(source, value, "input"));
  return {};
}
constexpr std::array call_keys{Key<CallDraft>{"name", call_name}, Key<CallDraft>{"id", call_id},
                               Key<CallDraft>{"input", call_input}};

Result<SaidBlock> tool_call(const Source& source, const Value& value) {
  CallDraft draft;
  CRATON_TRY(
      read_map(source, value, "a tool call", std::span<const Key<CallDraft>>(call_keys), draft));
  if (draft.name.empty()) return source.wrong(value.line, "a tool call needs a name");
  if (!draft.input) {
    CRATON_TRY_ASSIGN(draft.input, rules::JsonTemplate::read(boost::json::object()));
  }
  return SaidBlock(ToolCall{std::move(draft.name), std::move(draft.id), std::move(*draft.input)});
}

// An answer.

/// `content` is the blocks in their order; the short forms go thought, text, calls.
struct AnswerDraft {
  DeclaredAnswer answer;
  std::vector<SaidBlock> thoughts;
  std::vector<SaidBlock> texts;
  std::vector<SaidBlock> calls;
  std::optional<StopReason> stop_reason;
  bool has_pacing = false;
};

Result<void> add_text(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(rules::Template text, template_of(source, value, "text"));
  draft.texts.emplace_back(SaidText{std::move(text)});
  return {};
}

Result<void> add_json(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(rules::JsonTemplate json, json_template(source, value, "json"));
  draft.texts.emplace_back(SaidJson{std::move(json)});
  return {};
}

Result<void> add_file(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(const std::string name, text_of(source, value, "file"));
  if (source.folder.empty()) return source.wrong(value.line, "file: no files can be named here");
  const Result<std::string> text = file_text(source.folder / name);
  if (!text) return source.wrong(value.line, "file: '" + name + "' " + text.error().message);
  Result<rules::Template> made = rules::Template::parse(*text);
  if (!made) return source.wrong(value.line, "file: '" + name + "': " + made.error().message);
  draft.texts.emplace_back(SaidText{std::move(*made)});
  return {};
}

Result<void> add_thought(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(rules::Template text, template_of(source, value, "reasoning"));
  draft.thoughts.emplace_back(ThoughtText{std::move(text)});
  return {};
}

Result<void> add_call(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(SaidBlock call, tool_call(source, value));
  draft.calls.push_back(std::move(call));
  return {};
}

Result<void> add_calls(const Source& source, const Value& value, AnswerDraft& draft) {
  return read_list(source, value, "tool calls",
                   [&](const Value& item) { return add_call(source, item, draft); });
}

void move_to(std::vector<SaidBlock>& from, std::vector<SaidBlock>& to) {
  for (SaidBlock& block : from) to.push_back(std::move(block));
  from.clear();
}

void gather(AnswerDraft& draft, std::vector<SaidBlock>& content) {
  move_to(draft.thoughts, content);
  move_to(draft.texts, content);
  move_to(draft.calls, content);
}

constexpr std::array block_keys{
    Key<AnswerDraft>{"text", add_text},      Key<AnswerDraft>{"json", add_json},
    Key<AnswerDraft>{"file", add_file},      Key<AnswerDraft>{"reasoning", add_thought},
    Key<AnswerDraft>{"tool-call", add_call},
};

Result<void> add_content(const Source& source, const Value& value, AnswerDraft& draft) {
  return read_list(source, value, "blocks", [&](const Value& item) -> Result<void> {
    AnswerDraft block;
    CRATON_TRY(
        read_map(source, item, "a block", std::span<const Key<AnswerDraft>>(block_keys), block));
    if (item.entries.size() != 1) {
      return source.wrong(item.line, "a block is one of text, json, file, reasoning or tool-call");
    }
    gather(block, draft.answer.content);
    return {};
  });
}

struct StopName {
  std::string_view name;
  StopReason reason;
};
constexpr std::array stop_names{StopName{"end_turn", StopReason::end_turn},
                                StopName{"stop_sequence", StopReason::stop_sequence},
                                StopName{"max_tokens", StopReason::max_tokens},
                                StopName{"tool_use", StopReason::tool_use}};

Result<void> set_stop_reason(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(const std::string text, text_of(source, value, "stop-reason"));
  for (const StopName& row : stop_names) {
    if (row.name == text) draft.stop_reason = row.reason;
  }
  if (draft.stop_reason) return {};
  return source.wrong(value.line,
                      "stop-reason: expected end_turn, stop_sequence, max_tokens or tool_use, "
                      "found '" +
                          text + "'");
}

Result<void> set_stop_sequence(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(draft.answer.stop_sequence, text_of(source, value, "stop-sequence"));
  return {};
}

template <std::optional<int> DeclaredUsage::* member>
Result<void> set_tokens(const Source& source, const Value& value, DeclaredUsage& usage) {
  CRATON_TRY_ASSIGN(usage.*member, whole_number(source, value, "usage", 0, 1'000'000'000));
  return {};
}
constexpr std::array usage_keys{
    Key<DeclaredUsage>{"input-tokens", set_tokens<&DeclaredUsage::input_tokens>},
    Key<DeclaredUsage>{"output-tokens", set_tokens<&DeclaredUsage::output_tokens>},
    Key<DeclaredUsage>{"cache-read-tokens", set_tokens<&DeclaredUsage::cache_read_tokens>},
    Key<DeclaredUsage>{"cache-write-tokens", set_tokens<&DeclaredUsage::cache_write_tokens>},
};
Result<void> set_usage(const Source& source, const Value& value, AnswerDraft& draft) {
  return read_map(source, value, "usage", std::span<const Key<DeclaredUsage>>(usage_keys),
                  draft.answer.usage);
}

Result<void> set_first_token(const Source& source, const Value& value, Pacing& pacing) {
  CRATON_TRY_ASSIGN(pacing.first_token, duration(source, value, "first-token"));
  return {};
}
Result<void> set_rate(const Source& source, const Value& value, Pacing& pacing) {
  CRATON_TRY_ASSIGN(pacing.tokens_per_second,
                    number(source, value, "tokens-per-second", 0.01, 1'000'000));
  return {};
}
Result<void> set_jitter(const Source& source, const Value& value, Pacing& pacing) {
  CRATON_TRY_ASSIGN(pacing.jitter, number(source, value, "jitter", 0, 1));
  return {};
}
Result<void> set_event_size(const Source& source, const Value& value, Pacing& pacing) {
  CRATON_TRY_ASSIGN(pacing.tokens_per_event,
                    whole_number(source, value, "tokens-per-event", 1, 1'000'000));
  return {};
}
constexpr std::array pacing_keys{
    Key<Pacing>{"first-token", set_first_token}, Key<Pacing>{"tokens-per-event", set_event_size},
    Key<Pacing>{"tokens-per-second", set_rate}, Key<Pacing>{"jitter", set_jitter}};
Result<Pacing> pacing_of(const Source& source, const Value& value) {
  Pacing pacing;
  CRATON_TRY(read_map(source, value, "pacing", std::span<const Key<Pacing>>(pacing_keys), pacing));
  return pacing;
}
Result<void> set_pacing(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(draft.answer.pacing, pacing_of(source, value));
  draft.has_pacing = true;
  return {};
}

/// A name alone, or the map of a fault.
Result<void> set_fault(const Source& source, const Value& value, AnswerDraft& draft) {
  Value declared = value;
  if (value.kind == Value::Kind::text) {
    declared = {};
    declared.kind = Value::Kind::map;
    declared.line = value.line;
    declared.entries.push_back({"fault", value.line, value});
  }
  CRATON_TRY_ASSIGN(faults::Fault fault, faults::read_fault(source, declared));
  draft.answer.faults.push_back(std::make_shared<const faults::Fault>(std::move(fault)));
  return {};
}

constexpr std::array answer_keys{
    Key<AnswerDraft>{"text", add_text},
    Key<AnswerDraft>{"json", add_json},
    Key<AnswerDraft>{"file", add_file},
    Key<AnswerDraft>{"reasoning", add_thought},
    Key<AnswerDraft>{"tool-calls", add_calls},
    Key<AnswerDraft>{"content", add_content},
    Key<AnswerDraft>{"stop-reason", set_stop_reason},
    Key<AnswerDraft>{"stop-sequence", set_stop_sequence},
    Key<AnswerDraft>{"usage", set_usage},
    Key<AnswerDraft>{"pacing", set_pacing},
    Key<AnswerDraft>{"fault", set_fault},
};

StopReason reason_of(const DeclaredAnswer& answer) {
  if (answer.stop_sequence) return StopReason::stop_sequence;
  const bool calls = std::ranges::any_of(answer.content, [](const SaidBlock& block) {
    return std::holds_alternative<ToolCall>(block);
  });
  return calls ? StopReason::tool_use : StopReason::end_turn;
}

Result<DeclaredAnswer> answer_of(const Source& source, const Value& value, const Pacing& pacing) {
  AnswerDraft draft;
  if (value.kind == Value::Kind::text) {
    CRATON_TRY(add_text(source, value, draft));
  } else {
    CRATON_TRY(read_map(source, value, "an answer", std::span<const Key<AnswerDraft>>(answer_keys),
                        draft));
    if (value.entries.empty()) return source.wrong(value.line, "an answer says nothing");
  }
  DeclaredAnswer& answer = draft.answer;
  std::vector<SaidBlock> shorts;
  gather(draft, shorts);
  if (!shorts.empty() && !answer.content.empty()) {
    return source.wrong(value.line,
                        "an answer has either content or text, json, file, reasoning "
                        "and tool-calls");
  }
  if (!shorts.empty()) answer.content = std::move(shorts);
  answer.stop_reason = draft.stop_reason.value_or(reason_of(answer));
  if (answer.stop_sequence && answer.stop_reason != StopReason::stop_sequence) {
    return source.wrong(value.line, "stop-sequence goes with stop-reason: stop_sequence alone");
  }
  if (!draft.has_pacing) answer.pacing = pacing;
  return std::move(answer);
}

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

bool fits_into_header(const std::string& name) {
  return !name.empty() &&
         std::ranges::none_of(name, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

Result<void> rule_name(const Source& source, const Value& value, RuleDraft& draft) {
  CRATON_TRY_ASSIGN(draft.rule.name, text_of(source, value, "name"));
  if (fits_into_header(draft.rule.name) && draft.rule.name.size() <= 128) return {};
  return source.wrong(value.line, "name: expected 1 to 128 bytes without control characters");
}
Result<void> rule_match(const Source& source, const Value& value, RuleDraft& draft) {
  CRATON_TRY_ASSIGN(draft.rule.match, rules::Matcher::read(source, value));
  return {};
}
Result<void> rule_answer(const Source& source, const Value& value, RuleDraft& draft) {
  CRATON_TRY_ASSIGN(DeclaredAnswer answer, answer_of(source, value, draft.pacing));
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
  CRATON_TRY_ASSIGN(draft.pacing, pacing_of(source, value));
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
  if (!fits_into_header(draft.file.name)) {
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
