// AnswerAssembler: from the bytes of a model's tokens to the events of an answer.
//
//   bytes ──► thoughts apart ──► tool calls apart ──► characters, stop sequences ──► text
//             (thought_splitter)  (call_parser)        (text_assembler)
//
// It also knows what the next token may be: where the answer has a form (a call that must be made,
// JSON that fits a schema), in the input of a call, and where thinking has to end. Whoever chooses
// tokens asks allows(). Stop sequences are looked for in the text alone.
//
// No I/O, no globals.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conversation/event.h"
#include "engines/llama/call_parser.h"
#include "engines/llama/grammar.h"
#include "engines/llama/text_assembler.h"
#include "engines/llama/thought_splitter.h"

namespace craton::engines::llama {

/// How a model's thoughts are dealt with.
struct ThoughtPlan {
  bool shown = false;             ///< Otherwise they are dropped.
  bool begun = false;             ///< The prompt ends in the middle of one.
  std::optional<int> tokens_max;  ///< Then the thought is closed.
};

struct AnswerPlan {
  std::vector<std::string> stop_sequences = {};
  std::optional<ThoughtPlan> thoughts = {};    ///< For models that think.
  std::shared_ptr<const CallPlan> calls = {};  ///< When tools are offered.
  /// What the answer must be: a text, or a call, described up to the brace of its input. When both
  /// are there, one of the two.
  std::optional<GrammarRoot> text_form = {};
  std::optional<GrammarRoot> call_form = {};
};

/// What one token adds.
struct TokenPiece {
  std::string_view bytes;
  int output_tokens;  ///< With this one.
  std::optional<TokenLikelihood> likelihood = {};
};

class AnswerAssembler {
 public:
  explicit AnswerAssembler(AnswerPlan plan = {});

  /// Takes the next token. Appends TextDelta, ReasoningDelta, ToolUseStart, ToolInputDelta and
  /// ToolUseStop, in whole characters.
  void add(TokenPiece piece, std::vector<Event>& events);

  /// The answer is over, whatever the model has still to say.
  bool complete() const;

  /// Appends what was held back and a MessageStop: for a stop sequence or complete calls when that
  /// is how it ended, else for `otherwise`.
  void finish(StopReason otherwise, std::vector<Event>& events);

  /// False: allows() and may_end() are always true.
  bool constrains() const;

  /// True when a token of these bytes may come next.
  bool allows(std::string_view bytes) const;

  /// True when the model may end its answer here.
  bool may_end() const;

  /// True when the text of a control token, which stands for no bytes, matters here.
  bool knows(std::string_view control_text) const;

 private:
  void add_thought(std::string_view bytes, std::vector<Event>& events);
  void add_answer(std::string_view bytes, std::vector<Event>& events);
  void add_text(std::string_view bytes, std::vector<Event>& events);
  void put_text(std::string text, std::vector<Event>& events);
  void start_forms();
  void follow_forms(std::string_view bytes);
  void limit_thought(std::string_view bytes);
  bool in_thought() const { return thoughts_ && thoughts_->in_thought(); }
  bool may_open_thought(std::string_view bytes) const;
  bool calling() const { return parser_ && (parser_->in_input() || parser_->calls_are_complete()); }

  AnswerPlan plan_;
  std::optional<ThoughtSplitter> thoughts_;
  Utf8Mender thought_mender_;
  int thought_tokens_ = 0;
  std::optional<GrammarRoot> thought_end_;
  std::optional<Matcher>
      closing_;  ///< What is left of the tag that ends a thought that is too long.
  std::optional<CallParser> parser_;
  std::optional<Matcher> text_form_;  ///< Until a call's input begins.
  std::optional<Matcher> call_form_;
  TextAssembler text_;
  std::string blanks_;  ///< At the end of the text; dropped when a call follows.
  int output_tokens_ = 0;
  std::vector<TokenLikelihood> likelihoods_;  ///< Of tokens whose text is not out yet.
};

}  // namespace craton::engines::llama
