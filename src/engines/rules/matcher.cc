#include "engines/rules/matcher.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <utility>

#include "base/glob.h"
#include "engines/rules/json_path.h"
#include "engines/rules/text_condition.h"

namespace craton::engines::rules {
namespace {

constexpr std::array<std::string_view, 9> operations{"Converse",
                                                     "ConverseStream",
                                                     "CountTokens",
                                                     "InvokeModel",
                                                     "InvokeModelWithResponseStream",
                                                     "anthropic.count_tokens",
                                                     "anthropic.messages",
                                                     "openai.chat_completions",
                                                     "openai.responses"};

bool any_fits(const std::vector<std::string>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](const auto& one) { return glob_matches(one, text); });
}

std::string listed(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : " or ") + text;
  return all;
}

Result<void> operation(const Source& source, const Value& value, Matcher& matcher) {
  CRATON_TRY_ASSIGN(std::vector<std::string> patterns, texts(source, value, "operation"));
  for (const std::string& pattern : patterns) {
    const bool known = std::ranges::any_of(
        operations, [&](std::string_view name) { return glob_matches(pattern, name); });
    if (!known) {
      return source.wrong(value.line, "operation: '" + pattern + "' is none that a model answers" +
                                          did_you_mean(pattern, operations));
    }
  }
  std::string told = "operation " + listed(patterns);
  matcher.add({[patterns = std::move(patterns)](RequestView& view, Groups*) {
                 return any_fits(patterns, view.request().operation);
               },
               std::move(told)});
  return {};
}

/// A pattern or a list of them; or, as a map, what the id's text is like.
Result<void> model(const Source& source, const Value& value, Matcher& matcher) {
  if (value.kind == Value::Kind::map) {
    CRATON_TRY_ASSIGN(TextCondition test, TextCondition::read(source, value, "model"));
    std::string told = "model " + test.told();
    matcher.add({[test = std::move(test)](RequestView& view, Groups* groups) {
                   return test.holds(view.request().model_id, groups);
                 },
                 std::move(told)});
    return {};
  }
  CRATON_TRY_ASSIGN(std::vector<std::string> patterns, texts(source, value, "model"));
  std::string told = "model " + listed(patterns);
  matcher.add({[patterns = std::move(patterns)](RequestView& view, Groups*) {
                 return any_fits(patterns, view.request().model_id);
               },
               std::move(told)});
  return {};
}

Result<void> prompt(const Source& source, const Value& value, Matcher& matcher) {
  CRATON_TRY_ASSIGN(TextCondition test, TextCondition::read(source, value, "prompt"));
  std::string told = "prompt " + test.told();
  matcher.add({[test = std::move(test)](RequestView& view, Groups* groups) {
                 return test.holds(view.last_user_text(), groups);
               },
               std::move(told)});
  return {};
}

Result<void> system(const Source& source, const Value& value, Matcher& matcher) {
  CRATON_TRY_ASSIGN(TextCondition test, TextCondition::read(source, value, "system"));
  std::string told = "system " + test.told();
  matcher.add({[test = std::move(test)](RequestView& view, Groups* groups) {
                 return test.holds(view.system_text(), groups);
               },
               std::move(told)});
  return {};
}

/// `true` or `false`: whether the path leads anywhere; else a test of any text it leads to.
Result<void> json_paths(const Source& source, const Value& value, Matcher& matcher) {
  if (value.kind != Value::Kind::map) {
    return source.wrong(value.line, "json: expected paths, such as \"messages[0].role\": user");
  }
  for (const Entry& entry : value.entries) {
    Result<JsonPath> path = JsonPath::parse(entry.key);
    if (!path) return source.wrong(entry.line, "json: " + path.error().message);
    const Value& wanted = entry.value;
    if (wanted.kind == Value::Kind::map && wanted.entries.size() == 1 &&
        wanted.entries.front().key == "exists") {
      CRATON_TRY_ASSIGN(const bool there,
                        yes_or_no(source, wanted.entries.front().value, "exists"));
      matcher.add({[path = *path, there](RequestView& view, Groups*) {
                     return path.find(view.json()).empty() != there;
                   },
                   "json " + entry.key + (there ? " exists" : " does not exist")});
      continue;
    }
    CRATON_TRY_ASSIGN(TextCondition test, TextCondition::read(source, wanted, "json " + entry.key));
    std::string told = "json " + entry.key + " " + test.told();
    matcher.add({[path = std::move(*path), test = std::move(test)](RequestView& view, Groups* all) {
                   return std::ranges::any_of(path.find(view.json()), [&](const auto& text) {
                     return test.holds(text, all);
                   });
                 },
                 std::move(told)});
  }
  return {};
}

/// What is asked of one result of a tool.
struct ResultTest {
  std::vector<std::string> names;
  std::optional<std::string> id;
  std::optional<TextCondition> text;
  std::optional<bool> error;

  bool holds(RequestView& view, const ToolResultBlock& result, Groups* groups) const {
    if (!names.empty() && !any_fits(names, view.tool_of(result.tool_use_id))) return false;
    if (id && *id != result.tool_use_id) return false;
    if (error && *error != result.is_error) return false;
    if (!text) return true;
    std::string all;
    for (const ToolResultPart& part : result.content) {
      if (const auto* block = std::get_if<TextBlock>(&part)) all += block->text;
    }
    return text->holds(all, groups);
  }
};

Result<void> result_name(const Source& source, const Value& value, ResultTest& test) {
  CRATON_TRY_ASSIGN(test.names, texts(source, value, "name"));
  return {};
}
Result<void> result_id(const Source& source, const Value& value, ResultTest& test) {
  CRATON_TRY_ASSIGN(test.id, text_of(source, value, "id"));
  return {};
}
Result<void> result_text(const Source& source, const Value& value, ResultTest& test) {
  CRATON_TRY_ASSIGN(test.text, TextCondition::read(source, value, "text"));
  return {};
}
Result<void> result_error(const Source& source, const Value& value, ResultTest& test) {
  CRATON_TRY_ASSIGN(test.error, yes_or_no(source, value, "error"));
  return {};
}
constexpr std::array result_keys{
    Key<ResultTest>{"name", result_name}, Key<ResultTest>{"id", result_id},
    Key<ResultTest>{"text", result_text}, Key<ResultTest>{"error", result_error}};

/// `true` or `false`: whether the last turn holds any; else what one of them is like.
Result<void> tool_result(const Source& source, const Value& value, Matcher& matcher) {
  if (value.kind == Value::Kind::text) {
    CRATON_TRY_ASSIGN(const bool there, yes_or_no(source, value, "tool-result"));
    matcher.add(
        {[there](RequestView& view, Groups*) { return view.tool_results().empty() != there; },
         there ? "tool-result true" : "tool-result false"});
    return {};
  }
  ResultTest test;
  CRATON_TRY(
      read_map(source, value, "tool-result", std::span<const Key<ResultTest>>(result_keys), test));
  matcher.add({[test = std::move(test)](RequestView& view, Groups* groups) {
                 return std::ranges::any_of(view.tool_results(), [&](const auto* result) {
                   return test.holds(view, *result, groups);
                 });
               },
               "tool-result"});
  return {};
}

Result<void> tool(const Source& source, const Value& value, Matcher& matcher) {
  CRATON_TRY_ASSIGN(std::vector<std::string> names, texts(source, value, "tool"));
  std::string told = "tool " + listed(names);
  matcher.add({[names = std::move(names)](RequestView& view, Groups*) {
                 return std::ranges::any_of(
                     view.request().conversation.tools.offered,
                     [&](const Tool& offered) { return any_fits(names, offered.name); });
               },
               std::move(told)});
  return {};
}

Result<void> turn(const Source& source, const Value& value, Matcher& matcher) {
  CRATON_TRY_ASSIGN(const int wanted, whole_number(source, value, "turn", 1, 1'000'000));
  matcher.add({[wanted](RequestView& view, Groups*) { return view.answered_turns() + 1 == wanted; },
               "turn " + std::to_string(wanted)});
  return {};
}

Result<void> streamed(const Source& source, const Value& value, Matcher& matcher) {
  CRATON_TRY_ASSIGN(const bool wanted, yes_or_no(source, value, "streamed"));
  matcher.add({[wanted](RequestView& view, Groups*) { return view.request().streamed == wanted; },
               wanted ? "streamed true" : "streamed false"});
  return {};
}

Result<void> metadata(const Source& source, const Value& value, Matcher& matcher) {
  if (value.kind != Value::Kind::map) {
    return source.wrong(value.line, "metadata: expected 'key: value' lines");
  }
  for (const Entry& entry : value.entries) {
    CRATON_TRY_ASSIGN(TextCondition test, TextCondition::read(source, entry.value, "metadata"));
    std::string told = "metadata " + entry.key + " " + test.told();
    matcher.add({[key = entry.key, test = std::move(test)](RequestView& view, Groups* groups) {
                   const auto& pairs = view.request().metadata;
                   const auto found =
                       std::ranges::find(pairs, key, [](const auto& pair) { return pair.first; });
                   return found != pairs.end() && test.holds(found->second, groups);
                 },
                 std::move(told)});
  }
  return {};
}

/// `{exists: false}`, or what its text is like.
Result<void> one_header(const Source& source, const Entry& entry, Matcher& matcher) {
  if (entry.value.kind == Value::Kind::map && entry.value.entries.size() == 1 &&
      entry.value.entries.front().key == "exists") {
    CRATON_TRY_ASSIGN(const bool there,
                      yes_or_no(source, entry.value.entries.front().value, "exists"));
    matcher.add({[name = entry.key, there](RequestView& view, Groups*) {
                   const auto& find = view.request().header;
                   return (find && find(name).has_value()) == there;
                 },
                 "header " + entry.key + (there ? " exists" : " does not exist")});
    return {};
  }
  CRATON_TRY_ASSIGN(TextCondition test,
                    TextCondition::read(source, entry.value, "header " + entry.key));
  std::string told = "header " + entry.key + " " + test.told();
  matcher.add({[name = entry.key, test = std::move(test)](RequestView& view, Groups* groups) {
                 const auto& find = view.request().header;
                 const auto text = find ? find(name) : std::nullopt;
                 return text && test.holds(*text, groups);
               },
               std::move(told)});
  return {};
}

Result<void> header(const Source& source, const Value& value, Matcher& matcher) {
  if (value.kind != Value::Kind::map) {
    return source.wrong(value.line, "header: expected 'name: value' lines, such as x-team: search");
  }
  for (const Entry& entry : value.entries) CRATON_TRY(one_header(source, entry, matcher));
  return {};
}

/// "3", "2-4" or "3+".
Result<void> call(const Source& source, const Value& value, Matcher& matcher) {
  constexpr int most = std::numeric_limits<int>::max();
  std::string_view text = value.kind == Value::Kind::text ? value.text : std::string_view();
  const auto count = [&text]() -> int {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc() ? number : 0;
  };
  Matcher::Calls calls{count(), 0};
  calls.last = calls.first;
  if (text == "+") {
    calls.last = most;
    text = {};
  } else if (text.starts_with('-')) {
    text.remove_prefix(1);
    calls.last = count();
  }
  if (!text.empty() || calls.first < 1 || calls.last < calls.first) {
    return source.wrong(value.line, "call: expected a number from 1 such as 2, or 2-4, or 3+");
  }
  matcher.set_calls(calls);
  return {};
}

constexpr std::array keys{
    Key<Matcher>{"operation", operation}, Key<Matcher>{"model", model},
    Key<Matcher>{"prompt", prompt},       Key<Matcher>{"system", system},
    Key<Matcher>{"json", json_paths},     Key<Matcher>{"tool-result", tool_result},
    Key<Matcher>{"tool", tool},           Key<Matcher>{"turn", turn},
    Key<Matcher>{"streamed", streamed},   Key<Matcher>{"metadata", metadata},
    Key<Matcher>{"header", header},       Key<Matcher>{"call", call}};

}  // namespace

Result<Matcher> Matcher::read(const Source& source, const Value& value) {
  Matcher matcher;
  CRATON_TRY(read_map(source, value, "match", std::span<const Key<Matcher>>(keys), matcher));
  return matcher;
}

bool Matcher::fits(RequestView& request, Groups* groups) const {
  return std::ranges::all_of(conditions_,
                             [&](const Condition& one) { return one.holds(request, groups); });
}

Matcher::Nearness Matcher::nearness(RequestView& request) const {
  Nearness nearness;
  for (const Condition& condition : conditions_) {
    if (condition.holds(request, nullptr)) {
      ++nearness.held;
    } else if (nearness.failed.empty()) {
      nearness.failed = condition.told;
    }
  }
  return nearness;
}

}  // namespace craton::engines::rules
