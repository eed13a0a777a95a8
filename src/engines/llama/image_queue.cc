#include "engines/llama/image_queue.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <span>
#include <utility>

#include "base/log.h"
#include "engines/refusals.h"

namespace craton::engines::llama {
namespace {

// How often those that wait are looked through for such as have given up.
constexpr std::chrono::milliseconds sweep_interval{100};

bool cancelled(const UnseenRequest& unseen) { return unseen.request.generation->cancelled(); }

bool late(const UnseenRequest& unseen) {
  const auto& deadline = unseen.request.deadline;
  return deadline && *deadline <= std::chrono::steady_clock::now();
}

void fail(const UnseenRequest& unseen, Error error) {
  if (cancelled(unseen)) return;
  unseen.request.generation->offer(Failure{std::move(error), std::nullopt});
}

}  // namespace

ImageQueue::ImageQueue(Encode encode, Done done, int cells_max)
    : encode_(std::move(encode)),
      done_(std::move(done)),
      cells_max_(cells_max),
      thread_([this] { run(); }) {}

ImageQueue::~ImageQueue() { stop(); }

void ImageQueue::put(UnseenRequest request) {
  {
    const std::scoped_lock lock(mutex_);
    if (!stopped_) {
      waiting_.push_back(std::move(request));
      changed_.notify_one();
      return;
    }
  }
  fail(request, engine_stops());
}

void ImageQueue::stop() {
  std::deque<UnseenRequest> left;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    left.swap(waiting_);
  }
  changed_.notify_one();
  for (const UnseenRequest& unseen : left) fail(unseen, engine_stops());
  if (thread_.joinable()) thread_.join();
}

void ImageQueue::run() {
  pthread_setname_np(pthread_self(), "images");
  while (std::optional<UnseenRequest> unseen = next()) {
    const std::shared_ptr<Generation> generation = unseen->request.generation;
    try {
      see(*std::move(unseen));
    } catch (const std::exception& exception) {  // out of memory, mostly
      log::error("image_not_encoded", {{"reason", exception.what()}});
      generation->offer(Failure{model_broke(), std::nullopt});
    }
  }
}

/// Waits for a request that may begin; nullopt when the queue stops.
std::optional<UnseenRequest> ImageQueue::next() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    drop_given_up(lock);
    if (may_begin()) {
      UnseenRequest first = std::move(waiting_.front());
      waiting_.pop_front();
      return first;
    }
    if (waiting_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, sweep_interval);
    }
  }
  return std::nullopt;
}

/// A prompt that is larger than all of `cells_max_` has it alone.
bool ImageQueue::may_begin() const {
  if (waiting_.empty()) return false;
  return cells_held_ == 0 || cells_held_ + waiting_.front().cells <= cells_max_;
}

void ImageQueue::drop_given_up(const std::unique_lock<std::mutex>&) {
  std::erase_if(waiting_, [](const UnseenRequest& unseen) {
    if (cancelled(unseen)) return true;
    if (!late(unseen)) return false;
    fail(unseen, timed_out());
    return true;
  });
}

void ImageQueue::see(UnseenRequest unseen) {
  unseen.request.place = hold(unseen.cells, std::move(unseen.request.place));
  Result<Prompt> prompt = seen(unseen);
  if (!prompt) return fail(unseen, std::move(prompt.error()));
  unseen.request.prompt = *std::move(prompt);
  done_(std::move(unseen.request));
}

Result<Prompt> ImageQueue::seen(const UnseenRequest& unseen) {
  const std::span<const Token> tokens = unseen.text.tokens;
  Prompt prompt;
  std::size_t begin = 0;
  for (const ImagePlace& place : unseen.text.images) {
    if (stopped_) return engine_stops();
    drop_given_up(std::unique_lock(mutex_));
    if (cancelled(unseen) || late(unseen)) return timed_out();  // who has left is told nothing
    prompt.add(tokens.subspan(begin, place.before - begin));
    begin = place.before;
    CRATON_TRY_ASSIGN(ImagePieces pieces, encode_(unseen.images[place.image]));
    for (ImagePiece& piece : pieces.pieces) prompt.add(std::move(piece));
  }
  prompt.add(tokens.subspan(begin));
  if (prompt.cells() != unseen.cells || !prompt.ends_with_token()) {
    log::error("image_not_as_measured",
               {{"cells", std::int64_t{prompt.cells()}}, {"measured", std::int64_t{unseen.cells}}});
    return model_broke();
  }
  return prompt;
}

/// A place that also holds `cells` until it is given back.
std::shared_ptr<void> ImageQueue::hold(int cells, std::shared_ptr<void> place) {
  const auto add = [this](int more) {
    {
      const std::scoped_lock lock(mutex_);
      cells_held_ += more;
    }
    changed_.notify_one();
  };
  add(cells);
  return {this, [cells, add, place = std::move(place)](ImageQueue*) { add(-cells); }};
}

}  // namespace craton::engines::llama
