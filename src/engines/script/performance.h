// Performance: an answer that is known beforehand, given event by event at its pace.
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
  std::string text;     ///< Or a call's input.
  std::string name;     ///< Of a call's tool.
  std::string id = {};  ///< Of a call; empty: one is made.
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
};

/// When the first token of an answer that is begun now comes.
SteadyTime first_token_time(const Pacing& pacing);

/// The events of an answer, in their order.
class TimedEvents {
 public:
  virtual ~TimedEvents() = default;

  /// nullopt after the last.
  virtual std::optional<Event> next() = 0;

  /// When the event that next() gave may go. Times are counted from the beginning, not from the
  /// event before: pauses of the machine are made up for.
  virtual SteadyTime time() = 0;

  /// Nobody reads on: frees what was to come.
  virtual void drop() = 0;
};

/// Of a declared answer.
class AnswerReader : public TimedEvents {
 public:
  explicit AnswerReader(FilledAnswer answer);

  std::optional<Event> next() override;
  SteadyTime time() override;
  void drop() override { answer_.content = {}; }

 private:
  enum class Phase { start, blocks, stop, usage, over };

  std::optional<Event> next_of_blocks();
  std::string next_piece(const FilledBlock& block);

  FilledAnswer answer_;
  Phase phase_ = Phase::start;
  std::size_t block_ = 0;
  std::size_t at_ = 0;    ///< In the block's text.
  bool begun_ = false;    ///< The block, if it is a call.
  int tokens_ = 0;        ///< Of all events so far.
  int paced_tokens_ = 0;  ///< Whose time is known.
  SteadyTime time_;
  std::minstd_rand random_;
};

class Performance : public Paced, public std::enable_shared_from_this<Performance> {
 public:
  /// `pacer` outlives the generation.
  Performance(std::unique_ptr<TimedEvents> events, std::optional<SteadyTime> deadline, Pacer& pacer)
      : pacer_(pacer), deadline_(deadline), events_(std::move(events)) {}

  /// Begins; the generation keeps its performance.
  static std::shared_ptr<Generation> begin(std::unique_ptr<TimedEvents> events,
                                           std::optional<SteadyTime> deadline, Pacer& pacer);

  void due() override;
  void stop() override;

 private:
  void give(Generation& generation);
  void fail(Generation& generation, Error error);

  Pacer& pacer_;
  const std::optional<SteadyTime> deadline_;
  std::mutex mutex_;  // guards all below
  std::weak_ptr<Generation> generation_;
  const std::unique_ptr<TimedEvents> events_;
  std::optional<Event> held_;  ///< Read, and not taken yet.
  bool over_ = false;
  bool waiting_ = false;  ///< The pacer will call.
};

}  // namespace craton::engines::script
