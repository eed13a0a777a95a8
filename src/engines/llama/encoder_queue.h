// EncoderQueue: sequences of all requests that wait, in batches.
//
// A batch takes a sequence of each request in turn, of those with the highest priority first (and
// of those that have waited for long: turn.h), until it is full: a request of one text is not kept
// by one of a thousand. A caller who leaves, or whose time is up, takes no part in the next batch.
//
// No threads of its own: call from one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "engines/engine.h"
#include "engines/llama/encoder_text.h"

namespace craton::engines::llama {

/// A request, read.
struct EncoderJob {
  EncoderInput input;
  bool scores = false;  ///< Embeddings::scores
  std::optional<SteadyTime> deadline;
  Priority priority = Priority::normal;
  SteadyTime arrived{};
  std::shared_ptr<Embedding> embedding;
  std::shared_ptr<void> place;  ///< Given back when the job goes.
};

struct BatchBounds {
  int tokens;
  int sequences;
};

class EncoderQueue {
 public:
  /// `encoder` outlives this. No sequence is longer than a batch.
  EncoderQueue(SequenceEncoder& encoder, BatchBounds bounds);
  ~EncoderQueue();

  void add(EncoderJob job);

  /// Computes a batch; false when there was nothing to compute.
  bool step(SteadyTime now);

  void fail_all(const Error& error);

  std::size_t size() const { return jobs_.size(); }
  std::uint64_t tokens() const { return tokens_; }  ///< Computed since it was made.

 private:
  struct Running;
  struct Chosen;
  struct Batch;

  void drop_done(SteadyTime now);
  void choose(Priority priority, SteadyTime now, Batch& batch);

  SequenceEncoder& encoder_;
  const BatchBounds bounds_;
  std::vector<std::unique_ptr<Running>> jobs_;  ///< In order of arrival.
  std::uint64_t tokens_ = 0;
};

}  // namespace craton::engines::llama
