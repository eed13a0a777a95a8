#include "engines/script/pacer.h"

#include <utility>

namespace craton::engines::script {

Pacer::~Pacer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (; !waiting_.empty(); waiting_.pop()) waiting_.top().paced->stop();
}

void Pacer::call_at(SteadyTime time, std::shared_ptr<Paced> paced) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push({time, std::move(paced)});
    if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { run(); });
  }
  news_.notify_all();
}

void Pacer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      news_.wait(lock);
    } else if (const SteadyTime next = waiting_.top().time;
               std::chrono::steady_clock::now() < next) {
      news_.wait_until(lock, next);
    } else {
      const std::shared_ptr<Paced> paced = waiting_.top().paced;
      waiting_.pop();
      lock.unlock();
      paced->due();
      lock.lock();
    }
  }
}

}  // namespace craton::engines::script
