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

/// What requests take up, until the pictures that answer them have gone.
class Room {
 public:
  Room(int requests_max, std::size_t bytes_max)
      : requests_max_(requests_max), bytes_max_(bytes_max) {}

  /// Null when there is none; given back on destruction. Whoever holds it holds `room`.
  static std::shared_ptr<void> take(const std::shared_ptr<Room>& room, std::size_t bytes) {
    const std::lock_guard lock(room->mutex_);
    const bool full = room->requests_ >= room->requests_max_ ||
                      (room->requests_ > 0 && room->bytes_ + bytes > room->bytes_max_);
    if (full) return nullptr;
    ++room->requests_;
    room->bytes_ += bytes;
    return {room.get(), [room, bytes](Room*) { room->give_back(bytes); }};
  }

 private:
  void give_back(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    --requests_;
    bytes_ -= bytes;
  }

  const int requests_max_;
  const std::size_t bytes_max_;
  std::mutex mutex_;  // guards all below
  int requests_ = 0;
  std::size_t bytes_ = 0;
};

struct Job {
  DrawingRequest request;
  Limits limits;
  std::shared_ptr<Drawing> drawing;
  std::shared_ptr<void> place;
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
      : options_(std::move(options)),
        room_(std::make_shared<Room>(options_.requests_max, options_.bytes_max)),
        steps_(step_seconds) {}

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
            .running = running_,
            .steps = steps_.read()};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation, const Limits&) override {
    return writes_nothing();
  }
  Result<int> count_tokens(const Conversation&) override { return writes_nothing(); }

  Result<std::shared_ptr<Drawing>> draw(DrawingRequest request, const Limits& limits) override {
    std::shared_ptr<void> place = Room::take(room_, bytes_of(request));
    if (!place) return throttled();
    auto drawing = std::make_shared<Drawing>();
    {
      const std::lock_guard lock(mutex_);
      put({std::move(request), limits, drawing, std::move(place)});
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
    const bool all_busy = std::ssize(waiting_) > idle_;
    if (all_busy && std::ssize(threads_) < options_.threads) {
      threads_.emplace_back([this] { work(); });
    }
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
      ++running_;
      lock.unlock();
      make(std::move(job), lettering);
      lock.lock();
      --running_;
    }
  }

  void make(Job job, Lettering& lettering) {
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
      made->place = std::move(job.place);
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
  const std::shared_ptr<Room> room_;
  metrics::Histogram steps_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable news_;
  std::deque<Job> waiting_;
  std::vector<std::thread> threads_;
  int idle_ = 0;
  int running_ = 0;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Engine> make_canvas_engine(CanvasOptions options) {
  return std::make_unique<CanvasEngine>(std::move(options));
}

}  // namespace craton::engines::canvas
