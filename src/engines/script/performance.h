// Performance: a declared answer, given event by event at its pace.
//
// Without pacing no thread is needed: what fits into the Generation's queue is there at once, and
// the rest follows on the reader's thread as it makes room.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "engines/generation.h"
#include "engines/script/pacer.h"
#include "engines/script/rules_file.h"

namespace craton::engines::script {

/// A block, its places filled.
struct FilledBlock {
  enum class Kind { text, reasoning, tool_call };
  Kind kind;
  std::string text;  ///< Or a call's input.
  std::string name;  ///< Of a call's tool.
};

/// An answer, ready to be given.
struct FilledAnswer {
  std::vector<FilledBlock> content;
  StopReason stop_reason;
  std::optional<std::string> stop_sequence;
  Usage usage;
  bool output_declared = false;  ///< `usage` has its number; else tokens are counted.
  Pacing pacing;
  bool streamed;  ///< A token an event; else a block.
  std::optional<SteadyTime> deadline;
};

/// Hands out an answer's events in their order.
class AnswerReader {
 public:
  explicit AnswerReader(FilledAnswer answer) : answer_(std::move(answer)) {}

  /// nullopt after the last.
  std::optional<Event> next();

  /// Nobody reads on: frees what was to come.
  void drop() { answer_.content = {}; }

  /// Of all events so far.
  int output_tokens() const { return tokens_; }
  const FilledAnswer& answer() const { return answer_; }

 private:
  enum class Phase { start, blocks, stop, usage, over };

  std::optional<Event> next_of_blocks();
  std::string next_piece(const FilledBlock& block);

  FilledAnswer answer_;
  Phase phase_ = Phase::start;
  std::size_t block_ = 0;
  std::size_t at_ = 0;  ///< In the block's text.
  bool begun_ = false;  ///< The block, if it is a call.
  int tokens_ = 0;
};

class Performance : public Paced, public std::enable_shared_from_this<Performance> {
 public:
  /// `pacer` outlives the generation.
  Performance(FilledAnswer answer, Pacer& pacer);

  /// Begins; the generation keeps its performance.
  static std::shared_ptr<Generation> begin(FilledAnswer answer, Pacer& pacer);

  void due() override;
  void stop() override;

 private:
  void give(Generation& generation);
  /// When the next token may go, absent: now.
  std::optional<SteadyTime> wait_for();
  void fail(Generation& generation, Error error);

  Pacer& pacer_;
  std::mutex mutex_;  // guards all below
  std::weak_ptr<Generation> generation_;
  AnswerReader reader_;
  const SteadyTime begun_;
  std::optional<Event> held_;  ///< Read, and not taken yet.
  bool over_ = false;
  bool waiting_ = false;  ///< The pacer will call.
  int paced_tokens_ = 0;  ///< Whose time is known.
  SteadyTime next_time_;
  std::minstd_rand random_;
};

}  // namespace craton::engines::script
