#include "families/anthropic_calls.h"

#include <gtest/gtest.h>

#include <span>

#include "families/schema.h"

namespace craton::families {
namespace {

/// A conversation in short: "u" and "a" begin messages; "+x" is a call, "-x" a result, "." a text.
std::string refusal(std::span<const std::string_view> steps) {
  AnthropicCalls calls;
  std::size_t message = 0;
  const auto step = [&](std::string_view text) -> Result<void> {
    if (text == "u") return calls.begin_message(Role::user, message++);
    if (text == "a") return calls.begin_message(Role::assistant, message++);
    if (text == ".") return calls.add_other(), Result<void>();
    const std::string_view id = text.substr(1);
    return text[0] == '+' ? calls.add_use(id, "here") : calls.add_result(id, "here");
  };
  for (const std::string_view text : steps) {
    if (const Result<void> taken = step(text); !taken) return taken.error().message;
  }
  const Result<void> finished = calls.finish();
  return finished ? "" : finished.error().message;
}

struct Row {
  std::string_view name;
  std::vector<std::string_view> steps;
  std::string_view refusal;  ///< A part of it; empty when there is none.
};

const Row rows[] = {
    {"no calls", {"u", ".", "a", "."}, ""},
    {"one call", {"u", ".", "a", ".", "+x", "u", "-x", "."}, ""},
    {"two calls in any order", {"u", ".", "a", "+x", "+y", "u", "-y", "-x"}, ""},
    {"calls in two messages of one turn", {"u", ".", "a", "+x", "a", "+y", "u", "-x", "-y"}, ""},
    {"results in two messages of one turn", {"u", ".", "a", "+x", "+y", "u", "-x", "u", "-y"}, ""},
    {"two rounds", {"u", ".", "a", "+x", "u", "-x", "a", "+y", "u", "-y"}, ""},
    {"no result", {"u", ".", "a", "+x"}, "messages.1: `tool_use` ids were found without"},
    {"no result at once", {"u", ".", "a", "+x", "u", ".", "a", "."}, "immediately after: x."},
    {"one result of two", {"u", ".", "a", "+x", "+y", "u", "-y"}, "immediately after: x."},
    {"none of two", {"u", ".", "a", "+x", "+y", "u", "."}, "immediately after: x, y."},
    {"result after text", {"u", ".", "a", "+x", "u", ".", "-x"}, "immediately after: x."},
    {"result of no call", {"u", "-x"}, "here: unexpected `tool_use_id` found"},
    {"result of an earlier call", {"a", "+x", "u", "-x", "a", "+y", "u", "-x"}, "unexpected"},
    {"two results", {"a", "+x", "u", "-x", "-x"}, "here: each tool_use must have a single result."},
    {"an id twice", {"a", "+x", "u", "-x", "a", "+x"}, "here: `tool_use` ids must be unique"},
};

TEST(AnthropicCalls, AreAnsweredInTheNextTurnFirst) {
  for (const Row& row : rows) {
    const std::string message = refusal(row.steps);
    EXPECT_EQ(message.empty(), row.refusal.empty()) << row.name << ": " << message;
    EXPECT_NE(message.find(row.refusal), std::string::npos) << row.name << ": " << message;
  }
}

TEST(AnthropicCalls, RepeatLittleOfLongIds) {
  const std::string id(1'000'000, 'x');
  const std::string use = "+" + id;
  const std::string result = "-" + id;
  const std::string_view without_result[] = {"a", use};
  const std::string_view without_call[] = {"u", result};
  EXPECT_LT(refusal(without_result).size(), repeated_text_max + 300);
  EXPECT_LT(refusal(without_call).size(), repeated_text_max + 300);
}

}  // namespace
}  // namespace craton::families
