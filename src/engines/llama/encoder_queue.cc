#include "engines/llama/encoder_queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engines/refusals.h"
#include "engines/turn.h"

namespace craton::engines::llama {
namespace {

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

/// A job and how far it is.
struct EncoderQueue::Running {
  explicit Running(EncoderJob told)
      : job(std::move(told)), sums(job.input.tokens.size()), weights(job.input.tokens.size()) {}

  std::size_t left() const { return job.input.sequences.size() - begun; }

  void add(const EncoderSequence& sequence, std::span<const float> vector) {
    std::vector<float>& sum = sums[sequence.item];
    sum.resize(vector.size());
    for (std::size_t i = 0; i < vector.size(); ++i) {
      sum[i] += vector[i] * static_cast<float>(sequence.weight);
    }
    weights[sequence.item] += sequence.weight;
    ++done;
  }

  bool whole() const { return done == job.input.sequences.size(); }

  void finish() {
    Embeddings embeddings{.scores = job.scores};
    for (std::size_t item = 0; item < sums.size(); ++item) {
      for (float& value : sums[item]) value /= static_cast<float>(weights[item]);
      if (!all_finite(sums[item])) return fail(model_broke());
      embeddings.vectors.push_back({std::move(sums[item]), job.input.tokens[item]});
    }
    job.embedding->finish(std::move(embeddings));
    over = true;
  }

  void fail(const Error& error) {
    job.embedding->finish(tl::unexpected(Failure{error, {}}));
    over = true;
  }

  EncoderJob job;
  std::size_t begun = 0;
  std::size_t done = 0;
  bool over = false;                     ///< Its embedding is finished.
  std::vector<std::vector<float>> sums;  ///< By item.
  std::vector<int> weights;
};

struct EncoderQueue::Chosen {
  Running* from;
  const EncoderSequence* sequence;
};

struct EncoderQueue::Batch {
  std::vector<Chosen> chosen;
  int room;  ///< Tokens that still fit.
};

EncoderQueue::EncoderQueue(SequenceEncoder& encoder, BatchBounds bounds)
    : encoder_(encoder), bounds_(bounds) {}
EncoderQueue::~EncoderQueue() = default;

void EncoderQueue::add(EncoderJob job) {
  jobs_.push_back(std::make_unique<Running>(std::move(job)));
}

/// Takes leave of those that are whole, given up or late.
void EncoderQueue::drop_done(SteadyTime now) {
  for (const auto& running : jobs_) {
    const EncoderJob& job = running->job;
    if (running->over) continue;
    if (running->whole()) {
      running->finish();
    } else if (job.embedding->cancelled()) {
      running->fail(engine_stops());
    } else if (job.deadline && now >= *job.deadline) {
      running->fail(timed_out());
    }
  }
  std::erase_if(jobs_, [](const auto& running) { return running->over; });
}

/// Adds a sequence of each job of one priority in turn, while they fit.
void EncoderQueue::choose(Priority priority, SteadyTime now, Batch& batch) {
  for (bool more = true; more;) {
    more = false;
    for (const auto& running : jobs_) {
      const EncoderJob& job = running->job;
      if (aged(job.priority, job.arrived, now) != priority || running->left() == 0) continue;
      const EncoderSequence& next = job.input.sequences[running->begun];
      if (std::ssize(batch.chosen) == bounds_.sequences || std::ssize(next.tokens) > batch.room) {
        continue;
      }
      batch.room -= static_cast<int>(next.tokens.size());
      batch.chosen.push_back({running.get(), &next});
      ++running->begun;
      more = true;
    }
  }
}

bool EncoderQueue::step(SteadyTime now) {
  drop_done(now);
  Batch batch{.chosen = {}, .room = bounds_.tokens};
  for (const Priority priority : {Priority::high, Priority::normal, Priority::low}) {
    choose(priority, now, batch);
  }
  if (batch.chosen.empty()) return false;
  std::vector<std::span<const Token>> sequences;
  for (const Chosen& chosen : batch.chosen) sequences.emplace_back(chosen.sequence->tokens);
  const auto vectors = encoder_.encode(sequences);
  for (std::size_t i = 0; i < batch.chosen.size(); ++i) {
    const auto& [running, sequence] = batch.chosen[i];
    if (vectors) {
      running->add(*sequence, (*vectors)[i]);
      tokens_ += sequence->tokens.size();
    } else if (!running->over) {
      running->fail(vectors.error());
    }
  }
  drop_done(now);
  return true;
}

void EncoderQueue::fail_all(const Error& error) {
  for (const auto& running : jobs_) running->fail(error);
  jobs_.clear();
}

}  // namespace craton::engines::llama
