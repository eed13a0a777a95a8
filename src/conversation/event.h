// Event: one step of an answer, and Answer, the fold of all of them.
//
//   MessageStart  TextDelta*  MessageStop  Usage
//   Failure may take the place of any of them and is then the last.
//
// There is one way to generate: a whole answer is the fold of its events. Plain values: no I/O, no
// threads.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"

namespace craton {

enum class StopReason {
  end_turn,       ///< The model ended its answer.
  stop_sequence,  ///< One of the request's stop sequences appeared.
  max_tokens,     ///< The request's limit, or the model's.
};

struct MessageStart {};

/// Text that follows what came before. Always whole UTF-8 characters.
struct TextDelta {
  std::string text;
};

struct MessageStop {
  StopReason reason = StopReason::end_turn;
  std::optional<std::string> stop_sequence;  ///< Which one, when that was the reason.
};

/// Tokens as the bound model's tokenizer counts them.
struct Usage {
  int input_tokens = 0;  ///< Without those read from a cache.
  int output_tokens = 0;
  int cache_read_tokens = 0;
  int cache_write_tokens = 0;
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

using Event = std::variant<MessageStart, TextDelta, MessageStop, Usage, Failure>;

/// A whole answer.
struct Answer {
  std::string text;
  StopReason stop_reason = StopReason::end_turn;
  std::optional<std::string> stop_sequence;
  Usage usage;
};

/// Folds events into an Answer, one at a time.
class AnswerBuilder {
 public:
  void add(Event event);

  /// True once the last event has been added.
  bool complete() const { return complete_; }

  /// The answer, or the failure that ended it. Call once, when complete().
  tl::expected<Answer, Failure> take();

 private:
  Answer answer_;
  std::optional<Failure> failure_;
  bool complete_ = false;
};

}  // namespace craton
