#include "engines/canvas/canvas_engine.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "engines/canvas/draw.h"
#include "engines/refusals.h"
#include "metrics/instruments.h"

namespace craton::engines::canvas {
namespace {

constexpr double step_bounds[] = {0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28};
constexpr metrics::Buckets step_seconds{step_bounds, 1e-9};

struct Job {
  DrawingRequest request;
  Limits limits;
  std::shared_ptr<Drawing> drawing;
  std::size_t bytes;
};

std::size_t bytes_of(const DrawingRequest& request) {
  std::size_t bytes = static_cast<std::size_t>(request.width) *
                      static_cast<std::size_t>(request.height) * 4 *
                      static_cast<std::size_t>(request.count + 1);
  for (const Picture& source : request.sources) bytes += source.rgba.size();
  if (request.mask) bytes += request.mask->change.size();
  if (request.control) bytes += request.control->picture.rgba.size();
  return bytes;
}

void fail(Drawing& drawing, const Error& error) {
  drawing.finish(tl::unexpected(Failure{error, {}}));
}

Error writes_nothing() {
  return {ErrorCode::model_error, "The engine that answers here draws, and writes no text."};
}

class CanvasEngine final : public Engine {
 public:
  explicit CanvasEngine(CanvasOptions options)
      : options_(std::move(options)), steps_(step_seconds) {}

  ~CanvasEngine() override {
    std::deque<Job> dropped;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      dropped = std::exchange(waiting_, {});
    }
    news_.notify_all();
    for (const Job& job : dropped) fail(*job.drawing, engine_stops());
    for (std::thread& thread : threads_) thread.join();
  }

  std::string_view kind() const override { return "canvas"; }
  std::string_view model() const override { return "canvas"; }
  Status status() const override { return {State::ready, {}}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Capabilities capabilities() const override { return {.text = false, .drawings = true}; }

  EngineStats stats() const override {
    const std::lock_guard lock(mutex_);
    return {.queue_length = static_cast<int>(waiting_.size()),
            .running = held_ - static_cast<int>(waiting_.size()),
            .steps = steps_.read()};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation, const Limits&) override {
    return writes_nothing();
  }
  Result<int> count_tokens(const Conversation&) override { return writes_nothing(); }

  Result<std::shared_ptr<Drawing>> draw(DrawingRequest request, const Limits& limits) override {
    const std::size_t bytes = bytes_of(request);
    auto drawing = std::make_shared<Drawing>();
    {
      const std::lock_guard lock(mutex_);
      const bool full =
          held_ >= options_.requests_max || (held_ > 0 && bytes_held_ + bytes > options_.bytes_max);
      if (stopping_ || full) return throttled();
      ++held_;
      bytes_held_ += bytes;
      put({std::move(request), limits, drawing, bytes});
    }
    news_.notify_one();
    return drawing;
  }

 private:
  /// Behind those whose turn comes before. With the lock held.
  void put(Job job) {
    const auto before = std::ranges::upper_bound(
        waiting_, job.limits.priority, {}, [](const Job& other) { return other.limits.priority; });
    waiting_.insert(before, std::move(job));
    const bool all_busy = held_ > idle_ && std::ssize(threads_) < options_.threads;
    if (all_busy) threads_.emplace_back([this] { work(); });
  }

  void work() {
    Lettering lettering(options_.font_files);
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      news_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      --idle_;
      if (stopping_) return;
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      make(job, lettering);
      lock.lock();
      --held_;
      bytes_held_ -= job.bytes;
    }
  }

  void make(const Job& job, Lettering& lettering) {
    const auto began = std::chrono::steady_clock::now();
    const auto late = [&job] {
      return job.limits.deadline && std::chrono::steady_clock::now() >= *job.limits.deadline;
    };
    const auto stopped = [&] { return job.drawing->cancelled() || late() || is_stopping(); };
    std::optional<Drawings> made;
    try {
      made = canvas::draw(job.request, lettering, stopped);
    } catch (const std::bad_alloc&) {
      return fail(*job.drawing, model_broke());
    }
    if (made) {
      steps_.observe((std::chrono::steady_clock::now() - began).count());
      return job.drawing->finish(std::move(*made));
    }
    fail(*job.drawing, late() ? timed_out() : engine_stops());  // who has left is told nothing
  }

  bool is_stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  const CanvasOptions options_;
  metrics::Histogram steps_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::deque<Job> waiting_;
  std::vector<std::thread> threads_;
  int idle_ = 0;
  int held_ = 0;
  std::size_t bytes_held_ = 0;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Engine> make_canvas_engine(CanvasOptions options) {
  return std::make_unique<CanvasEngine>(std::move(options));
}

}  // namespace craton::engines::canvas
