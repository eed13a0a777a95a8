// CallParser: tool calls out of a model's text.
//
//   I'll look. <tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>
//   └─ text ─┘                       └─ start ─┘                 └──── input ────┘ stop
//
// A call is: one of the openings that models are taught (a table in the .cc), or nothing at the
// beginning of a line, then JSON that names an offered tool and holds its input as an object, under
// any of the names that are usual; or the form in which a tag names the tool. Several may follow
// one another or stand in an array. Whatever else the bytes are, they are text, unchanged: an
// unknown tool, broken JSON, JSON in a block of code, a call that is not begun before the end.
//
// Text is held back only while it may begin a call. A call is certain, and its input given out as
// it comes, once an offered tool is named and the input's brace is there; from then on allows()
// tells what keeps the input to the tool's schema, and whoever chooses the tokens has to ask it.
// What follows the last call is not given out: ended() tells to stop there.
//
// The same bytes give the same events however they are cut, but for the cuts between deltas.
//
// No I/O, no globals.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "conversation/event.h"
#include "engines/llama/call_form.h"
#include "engines/llama/grammar.h"

namespace craton::engines::llama {

struct CallableTool {
  std::string name;
  GrammarRoot input;  ///< What its input may be: JSON objects.
};

struct CallPlan {
  std::vector<CallableTool> tools;
  GrammarRoot any_input = {};  ///< Any JSON object.
  CallForm form = {};          ///< The model's own.
  bool parallel = true;        ///< False: the first call is the last.
  bool begun = false;  ///< The text goes on behind `form.open`, and nothing but a call is in it.
};

class CallParser {
 public:
  explicit CallParser(std::shared_ptr<const CallPlan> plan);

  /// Takes the next bytes of the answer. Appends TextDelta (bytes of UTF-8, cut anywhere),
  /// ToolUseStart, ToolInputDelta and ToolUseStop.
  void add(std::string_view bytes, std::vector<Event>& events);

  /// The answer has ended: what was held back is text; an input that is not complete is closed.
  void finish(std::vector<Event>& events);

  /// Nothing that follows can matter.
  bool ended() const { return state_ == State::ended; }

  /// Some calls are complete, and none is half done.
  bool calls_are_complete() const { return calls_ > 0 && !giving_input_; }

  /// In the middle of an input: the answer must not end.
  bool in_input() const { return giving_input_; }

  /// False when `bytes` would break the input of a call that has begun or begins in them, or add
  /// nothing to it.
  bool allows(std::string_view bytes) const;

  /// True when a control token with this text begins a call, so that it belongs to the text.
  bool knows(std::string_view control_text) const;

 private:
  enum class State {
    text,   ///< Nothing is held.
    call,   ///< The buffer may be a call.
    after,  ///< Between calls, or behind the last.
    ended,
  };
  /// Where in a possible call the scan is.
  enum class Phase {
    opening,     ///< The buffer is the beginning of an opening, or of several.
    value,       ///< Before the JSON.
    tag_name,    ///< The tool's name, up to what ends it in a tag.
    begun_name,  ///< The same behind `form.open`, up to the input.
    key_quote,   ///< Before a member's name.
    key,
    colon,
    member,   ///< Before a member's value.
    name,     ///< The tool's name, a JSON string.
    skipped,  ///< A string that does not matter: an id, a type.
    input,
    next_member,  ///< Behind a member's value.
  };
  enum class Role { name, wrapper_or_name, input, skipped };
  /// What is known of the call so far.
  struct Call {
    Phase phase = Phase::opening;
    std::size_t opening_at = 0;  ///< In the buffer; behind a fence that a tag stands in.
    std::string word = {};       ///< The name or key that is being read.
    Role role = Role::skipped;
    int wrappers = 0;  ///< Objects around the call: {"function": { ... }}
    bool in_array = false;
    bool escaped = false;
    const CallableTool* tool = nullptr;
    std::string input = {};  ///< Read before the tool was known.
    bool input_complete = false;
    std::optional<Matcher> matcher = {};
  };
  struct Opening;
  static const std::vector<Opening>& openings();
  struct KeyRow {
    std::string_view key;
    Role role;
  };
  static const KeyRow keys[];

  void step(char byte, std::vector<Event>& events);
  void text_step(std::vector<Event>& events);
  void after_step(std::vector<Event>& events);
  void call_step(char byte, std::vector<Event>& events);
  void opening_step(std::vector<Event>& events);
  void value_step(char byte, std::vector<Event>& events);
  void tag_name_step(char byte, std::vector<Event>& events);
  void begun_name_step(char byte, std::vector<Event>& events);
  void key_step(char byte, std::vector<Event>& events);
  void member_step(char byte, std::vector<Event>& events);
  void name_step(char byte, std::vector<Event>& events);
  void skipped_step(char byte);
  void input_step(char byte, std::vector<Event>& events);
  void next_member_step(char byte, std::vector<Event>& events);

  enum class Fit { whole, longer };
  /// True when `text` is an opening, or the beginning of a longer one.
  bool may_open(std::string_view text, Fit fit) const;
  void open(std::string_view opening);
  const CallableTool* tool_named(std::string_view name) const;
  bool begins_a_name(std::string_view text) const;
  void begin_input(std::vector<Event>& events);
  void give(std::vector<Event>& events);
  void complete(std::vector<Event>& events);
  void not_a_call(std::vector<Event>& events);
  void release(std::size_t bytes, std::vector<Event>& events);
  void follow_lines(char byte);

  std::shared_ptr<const CallPlan> plan_;
  State state_ = State::text;
  std::string buffer_;    ///< What is undecided, then what has not been looked at.
  std::size_t seen_ = 0;  ///< How much of it is undecided.
  Call call_;
  Utf8Mender input_mender_;
  bool giving_input_ = false;
  bool broken_ = false;  ///< An input was given out that is none.
  int calls_ = 0;
  std::string starts_;  ///< Bytes that an opening may begin with.
  // Of the text that was given out:
  bool line_blank_ = true;  ///< Nothing but blanks since the line began.
  bool in_code_ = false;    ///< In a block between ``` lines.
  int ticks_ = 0;           ///< ` at the line's beginning.
};

}  // namespace craton::engines::llama
