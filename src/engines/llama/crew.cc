#include "engines/llama/crew.h"

#include <algorithm>
#include <utility>

namespace craton::engines::llama {

Crew::Crew(int threads) {
  for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  begun_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::share(std::size_t parts, const std::function<void(std::size_t)>& work) {
  std::unique_lock lock(mutex_);
  work_ = &work;
  parts_ = unfinished_ = parts;
  next_ = 0;
  const std::size_t helpers = std::min(threads_.size(), parts > 0 ? parts - 1 : 0);
  for (std::size_t i = 0; i < helpers; ++i) begun_.notify_one();
  take_parts(lock);
  done_.wait(lock, [this] { return unfinished_ == 0; });
  work_ = nullptr;
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Crew::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] { return stopping_ || (work_ && next_ < parts_); });
    if (stopping_) return;
    take_parts(lock);
    if (unfinished_ == 0) done_.notify_one();
  }
}

/// The parts are few and long beside the lock, which is held between them.
void Crew::take_parts(std::unique_lock<std::mutex>& lock) {
  while (next_ < parts_) {
    const std::size_t part = next_++;
    lock.unlock();
    std::exception_ptr thrown;
    try {
      (*work_)(part);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    if (thrown && !thrown_) thrown_ = thrown;
    --unfinished_;
  }
}

}  // namespace craton::engines::llama
