#include "http/server.h"

#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "http/listener.h"
#include "http/shard.h"

namespace craton::http {
namespace {

/// While it lives, threads are started with every signal blocked: signals are the main thread's.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

struct Server::State {
  ServerOptions options;
  Handler handler;
  RefusalWriter refuse;
  std::uint16_t port = 0;

  std::mutex mutex;  // of what follows
  std::condition_variable changed;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<std::thread> threads;
  std::size_t undrained = 0;
  bool stopped = false;

  void shard_drained() {
    const std::lock_guard lock(mutex);
    --undrained;
    changed.notify_all();
  }
};

Server::Server(ServerOptions options, Handler handler, RefusalWriter refuse)
    : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->handler = std::move(handler);
  state_->refuse = std::move(refuse);
}

Server::~Server() { stop(); }

Result<void> Server::start() {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  std::vector<boost::asio::io_context*> contexts;
  for (int i = 0; i < std::max(1, state.options.threads); ++i) {
    state.shards.push_back(std::make_unique<Shard>(state.options, state.handler, state.refuse,
                                                   [&state] { state.shard_drained(); }));
    contexts.push_back(&state.shards.back()->context());
  }
  auto acceptors = listen(state.options.host, state.options.port, contexts);
  if (!acceptors) {
    state.shards.clear();
    return std::move(acceptors).error();
  }
  state.port = acceptors->front().local_endpoint().port();
  state.undrained = state.shards.size();
  const SignalsBlocked signals_blocked;
  for (std::size_t i = 0; i < state.shards.size(); ++i) {
    Shard& shard = *state.shards[i];
    shard.listen_on(std::move((*acceptors)[i]));
    state.threads.emplace_back([&shard] { shard.run(); });
  }
  return {};
}

std::uint16_t Server::port() const { return state_->port; }

Traffic Server::traffic() const {
  const std::lock_guard lock(state_->mutex);
  Traffic all;
  for (const auto& shard : state_->shards) shard->traffic().add_to(all);
  return all;
}

bool Server::drain(std::chrono::milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  if (state_->stopped) return state_->undrained == 0;
  for (const auto& shard : state_->shards) shard->drain();
  state_->changed.wait_for(lock, limit,
                           [this] { return state_->undrained == 0 || state_->stopped; });
  return state_->undrained == 0;
}

void Server::stop() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(state_->mutex);
    if (std::exchange(state_->stopped, true)) return;
    for (const auto& shard : state_->shards) shard->stop();
    threads.swap(state_->threads);
    state_->changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  const std::lock_guard lock(state_->mutex);
  state_->shards.clear();
}

}  // namespace craton::http
