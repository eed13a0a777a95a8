// Event: one step of an answer, and Answer, the fold of all of them.
//
//   MessageStart  (TextDelta | ReasoningDelta | ToolUseStart ToolInputDelta* ToolUseStop)*
//   MessageStop  Usage
//   Failure may take the place of any of them and is then the last.
//
// Deltas of one kind in a row are one block of the answer; a delta of another kind begins the next.
// There is one way to generate: a whole answer is the fold of its events. Plain values: no I/O, no
// threads.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "conversation/conversation.h"

namespace craton {

enum class StopReason {
  end_turn,       ///< The model ended its answer.
  stop_sequence,  ///< One of the request's stop sequences appeared.
  max_tokens,     ///< The request's limit, or the model's.
  full_context,   ///< There is no room for another token. Told as `max_tokens` by most models.
  tool_use,       ///< The answer ends with calls of tools.
};

/// Tokens as the bound model's tokenizer counts them. An engine tells what it did; who asked for no
/// caching (Conversation::caching) is told of none by the service, which counts such tokens as
/// input.
struct Usage {
  int input_tokens = 0;  ///< Without those read from or written to a cache.
  int output_tokens = 0;
  int cache_read_tokens = 0;   ///< Of the prompt, that an earlier request had left behind.
  int cache_write_tokens = 0;  ///< Of the prompt, that are kept for later requests.

  friend bool operator==(const Usage&, const Usage&) = default;
};

/// All tokens of the prompt.
int prompt_tokens(const Usage& usage);

/// The same tokens as if there were no cache.
Usage without_cache(const Usage& usage);

/// How likely the model held a token to be, where it stands.
struct TokenLikelihood {
  std::string token;  ///< Its text.
  double likelihood;  ///< Natural logarithm of the probability.
};

struct MessageStart {
  Usage usage;  ///< Of the prompt, as far as it is known before the first token.
  std::vector<TokenLikelihood> prompt_likelihoods;  ///< When asked for all.
};

/// Text that follows what came before. Always whole UTF-8 characters.
struct TextDelta {
  std::string text;
  int output_tokens = 0;  ///< Of the whole answer up to here; 0 where an engine cannot say.
  std::vector<TokenLikelihood> likelihoods;  ///< When asked for.
};

/// What the model thinks before it answers. Always whole UTF-8 characters.
struct ReasoningDelta {
  std::string text;
  std::string signature = {};  ///< The provider's seal, where it comes with its answers.
  std::string redacted = {};   ///< In place of text, as in ReasoningBlock.
};

struct ToolUseStart {
  std::string name;     ///< One of the tools offered.
  std::string id = {};  ///< Of the call, where it has one already.
};

/// A piece of the call's input. All of a call's pieces together are a JSON object that fits the
/// tool's schema where the engine can hold the model to it.
struct ToolInputDelta {
  std::string json;
};

struct ToolUseStop {};

struct MessageStop {
  StopReason reason = StopReason::end_turn;
  std::optional<std::string> stop_sequence;  ///< Which one, when that was the reason.
};

/// What a too long prompt measured; each provider words its refusal with these numbers.
struct InputTooLong {
  int input_tokens;
  int context_tokens;  ///< The most that fits.
};

struct Failure {
  Error error;
  std::optional<InputTooLong> input_too_long;  ///< When that is the cause.
};

using Event = std::variant<MessageStart, TextDelta, ReasoningDelta, ToolUseStart, ToolInputDelta,
                           ToolUseStop, MessageStop, Usage, Failure>;

/// A part of an answer.
using AnswerBlock = std::variant<TextBlock, ReasoningBlock, ToolUseBlock>;

/// A whole answer.
struct Answer {
  std::vector<AnswerBlock> content;  ///< In the order of the events; no two texts in a row.
  StopReason stop_reason = StopReason::end_turn;
  std::optional<std::string> stop_sequence;
  Usage usage;
  std::vector<TokenLikelihood> likelihoods;         ///< Of the text's tokens, when asked for.
  std::vector<TokenLikelihood> prompt_likelihoods;  ///< When asked for.

  /// The text blocks, one after the other.
  std::string text() const;
};

/// An answer of nothing but text; what tests begin with.
Answer text_answer(std::string text);

/// Folds events into an Answer, one at a time.
class AnswerBuilder {
 public:
  void add(Event event);

  /// True once the last event has been added.
  bool complete() const { return complete_; }

  /// The answer, or the failure that ended it. Call once, when complete().
  tl::expected<Answer, Failure> take();

 private:
  void add_text(TextDelta delta);

  Answer answer_;
  std::optional<Failure> failure_;
  bool complete_ = false;
};

}  // namespace craton
