#include "engines/script/declared_answer.h"

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <utility>

#include "engines/script/named_file.h"

namespace craton::engines::script {
namespace {

using rules::Key;
using rules::Source;
using rules::Value;

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
  CRATON_TRY_ASSIGN(const std::string text, named_file(source, value, "file"));
  Result<rules::Template> made = rules::Template::parse(text);
  if (!made) return source.wrong(value.line, "file: '" + value.text + "': " + made.error().message);
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
Result<void> set_pacing(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(draft.answer.pacing, read_pacing(source, value));
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

Result<void> set_embedding(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(draft.answer.vectors, read_vectors(source, value));
  return {};
}
Result<void> set_scores(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(draft.answer.scores, read_scores(source, value));
  return {};
}
Result<void> set_image(const Source& source, const Value& value, AnswerDraft& draft) {
  CRATON_TRY_ASSIGN(draft.answer.pictures, read_pictures(source, value));
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
    Key<AnswerDraft>{"embedding", set_embedding},
    Key<AnswerDraft>{"scores", set_scores},
    Key<AnswerDraft>{"image", set_image},
};

StopReason reason_of(const DeclaredAnswer& answer) {
  if (answer.stop_sequence) return StopReason::stop_sequence;
  const bool calls = std::ranges::any_of(answer.content, [](const SaidBlock& block) {
    return std::holds_alternative<ToolCall>(block);
  });
  return calls ? StopReason::tool_use : StopReason::end_turn;
}

/// Refuses, whatever is asked.
bool refuses(const faults::Fault& fault) {
  return fault.kind == faults::Kind::exception && fault.at == 0;
}

Gives gives_of(const DeclaredAnswer& answer) {
  const bool media = answer.vectors || answer.scores || answer.pictures;
  const bool refused =
      std::ranges::any_of(answer.faults, [](const auto& f) { return refuses(*f); });
  if (answer.content.empty() && !media && refused) return Gives::all();
  Gives gives;
  gives.set(Wanted::text, !answer.content.empty() || !media);
  gives.set(Wanted::embeddings, answer.vectors.has_value());
  gives.set(Wanted::ranking, answer.scores || (answer.vectors && answer.vectors->hashed));
  gives.set(Wanted::drawings, answer.pictures.has_value());
  return gives;
}

}  // namespace

Result<Pacing> read_pacing(const Source& source, const Value& value) {
  Pacing pacing;
  CRATON_TRY(read_map(source, value, "pacing", std::span<const Key<Pacing>>(pacing_keys), pacing));
  return pacing;
}

Result<DeclaredAnswer> read_answer(const Source& source, const Value& value, const Pacing& pacing) {
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
  answer.gives = gives_of(answer);
  if (!answer.gives.has(Wanted::text) && (draft.stop_reason || answer.stop_sequence)) {
    return source.wrong(value.line, "stop-reason and stop-sequence go with an answer in words");
  }
  if (!draft.has_pacing) answer.pacing = pacing;
  return std::move(answer);
}

}  // namespace craton::engines::script
