#include "engines/script/performance.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"
#include "engines/script/tokens.h"

namespace craton::engines::script {
namespace {

using FloatSeconds = std::chrono::duration<double>;

Error timed_out() {
  return {ErrorCode::model_timeout,
          "Model has timed out in processing the request. Try your request again."};
}

Error stops() {
  return {ErrorCode::service_unavailable, "The server is being stopped. Try your request again."};
}

SteadyTime after(SteadyTime time, double seconds) {
  return time + std::chrono::duration_cast<SteadyTime::duration>(FloatSeconds(seconds));
}

/// `step`, longer or shorter as `pacing` has it.
double jittered(double step, const Pacing& pacing, std::minstd_rand& random) {
  if (pacing.jitter <= 0) return step;
  std::uniform_real_distribution<double> part(1 - pacing.jitter, 1 + pacing.jitter);
  return step * part(random);
}

}  // namespace

SteadyTime first_token_time(const Pacing& pacing) {
  std::minstd_rand random(static_cast<unsigned>(random_number()));
  return after(std::chrono::steady_clock::now(),
               jittered(FloatSeconds(pacing.first_token).count(), pacing, random));
}

std::string AnswerReader::next_piece(const FilledBlock& block) {
  const std::string_view rest = std::string_view(block.text).substr(at_);
  if (!answer_.streamed) {
    at_ += rest.size();
    tokens_ += count_tokens(rest);
    return std::string(rest);
  }
  std::size_t size = 0;
  for (int i = 0; i < answer_.pacing.tokens_per_event && size < rest.size(); ++i) {
    size += first_token(rest.substr(size)).size();
    ++tokens_;
  }
  at_ += size;
  return std::string(rest.substr(0, size));
}

std::optional<Event> AnswerReader::next_of_blocks() {
  while (block_ < answer_.content.size()) {
    const FilledBlock& block = answer_.content[block_];
    const bool call = block.kind == FilledBlock::Kind::tool_call;
    if (call && !std::exchange(begun_, true)) {
      return ToolUseStart{block.name, block.id};
    }
    if (at_ < block.text.size()) {
      std::string piece = next_piece(block);
      if (call) return ToolInputDelta{std::move(piece)};
      if (block.kind == FilledBlock::Kind::reasoning) return ReasoningDelta{std::move(piece)};
      return TextDelta{std::move(piece), tokens_, {}};
    }
    ++block_;
    at_ = 0;
    begun_ = false;
    if (call) return ToolUseStop{};
  }
  return std::nullopt;
}

std::optional<Event> AnswerReader::next() {
  switch (phase_) {
    case Phase::start: {
      phase_ = Phase::blocks;
      MessageStart start;
      start.usage = answer_.usage;
      start.usage.output_tokens = 0;
      return start;
    }
    case Phase::blocks:
      if (std::optional<Event> event = next_of_blocks()) return event;
      [[fallthrough]];
    case Phase::stop:
      phase_ = Phase::usage;
      return MessageStop{answer_.stop_reason, answer_.stop_sequence};
    case Phase::usage: {
      phase_ = Phase::over;
      Usage usage = answer_.usage;
      if (!answer_.output_declared) usage.output_tokens = tokens_;
      return usage;
    }
    case Phase::over: break;
  }
  return std::nullopt;
}

AnswerReader::AnswerReader(FilledAnswer answer)
    : answer_(std::move(answer)),
      time_(std::chrono::steady_clock::now()),
      random_(static_cast<unsigned>(random_number())) {}

SteadyTime AnswerReader::time() {
  const Pacing& pacing = answer_.pacing;
  for (; paced_tokens_ < tokens_; ++paced_tokens_) {
    double step = FloatSeconds(pacing.first_token).count();
    if (paced_tokens_ > 0) {
      step = pacing.tokens_per_second > 0 ? 1 / pacing.tokens_per_second : 0;
    }
    time_ = after(time_, jittered(step, pacing, random_));
  }
  return time_;
}

std::shared_ptr<Generation> Performance::begin(std::unique_ptr<TimedEvents> events,
                                               std::optional<SteadyTime> deadline, Pacer& pacer) {
  const auto performance = std::make_shared<Performance>(std::move(events), deadline, pacer);
  auto generation = std::make_shared<Generation>([performance] { performance->due(); });
  performance->generation_ = generation;
  performance->due();
  return generation;
}

void Performance::due() {
  const std::shared_ptr<Generation> generation = generation_.lock();
  if (!generation) return;
  const std::lock_guard lock(mutex_);
  waiting_ = false;
  if (generation->cancelled()) {
    over_ = true;
    events_->drop();  // the pacer may hold the rest of this for an hour
  }
  if (!over_) give(*generation);
}

void Performance::stop() {
  const std::shared_ptr<Generation> generation = generation_.lock();
  const std::lock_guard lock(mutex_);
  if (generation && !over_) fail(*generation, stops());
}

void Performance::fail(Generation& generation, Error error) {
  over_ = true;
  generation.offer(Failure{std::move(error), std::nullopt});
}

void Performance::give(Generation& generation) {
  while (true) {
    if (!held_) held_ = events_->next();
    if (!held_) {
      over_ = true;
      return;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (deadline_ && now >= *deadline_) return fail(generation, timed_out());
    if (const SteadyTime time = events_->time(); time > now) {
      if (!std::exchange(waiting_, true)) {
        pacer_.call_at(deadline_ ? std::min(time, *deadline_) : time, shared_from_this());
      }
      return;
    }
    if (!generation.offer(*held_)) return;  // it calls due() when there is room
    held_.reset();
  }
}

}  // namespace craton::engines::script
