#include "engines/pool.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engines/refusals.h"

namespace craton::engines {
namespace {

std::int64_t mebibytes(std::uint64_t bytes) { return static_cast<std::int64_t>(bytes >> 20); }

/// What goes wrong is told when it does.
void log_when_failed(Engine& engine) {
  engine.notify_loaded([&engine] {
    const Status status = engine.status();
    if (status.state != State::failed) return;
    log::error("model_failed", {{"model", engine.model()}, {"reason", status.reason}});
  });
}

}  // namespace

/// What stands for a model, loaded or not.
class Pool::Member : public Engine {
 public:
  Member(Pool& pool, PoolModel told) : model_(std::move(told)), pool_(pool) {}

  std::string_view kind() const override { return model_.kind; }
  std::string_view model() const override { return model_.name; }

  Status status() const override {
    const std::shared_ptr<Engine> engine = loaded();
    return engine ? engine->status() : Status{State::loading, {}};
  }

  void notify_loaded(std::function<void()> wake) override {
    std::shared_ptr<Engine> engine;
    {
      std::lock_guard lock(pool_.mutex_);
      engine = engine_;
      if (!engine) {
        waiting_.push_back(std::move(wake));
        return pool_.want(*this);
      }
    }
    engine->notify_loaded(std::move(wake));
  }

  Capabilities capabilities() const override {
    const std::shared_ptr<Engine> engine = loaded();
    return engine ? engine->capabilities() : Capabilities{};
  }

  EngineStats stats() const override {
    const std::shared_ptr<Engine> engine = loaded();
    return engine ? engine->stats() : EngineStats{};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation conversation,
                                               const Limits& limits) override {
    const std::shared_ptr<Engine> engine = loaded();
    if (!engine) return not_ready();
    return engine->generate(std::move(conversation), limits);
  }

  Result<int> count_tokens(const Conversation& conversation) override {
    const std::shared_ptr<Engine> engine = loaded();
    if (!engine) return not_ready();
    return engine->count_tokens(conversation);
  }

  Result<std::shared_ptr<Embedding>> embed(EmbeddingRequest request,
                                           const Limits& limits) override {
    const std::shared_ptr<Engine> engine = loaded();
    if (!engine) return not_ready();
    return engine->embed(std::move(request), limits);
  }

  const PoolModel& told() const { return model_; }

 private:
  friend Pool;

  std::shared_ptr<Engine> loaded() const {
    std::lock_guard lock(pool_.mutex_);
    return engine_;
  }

  const PoolModel model_;
  Pool& pool_;

  // Guarded by the pool's mutex.
  std::shared_ptr<Engine> engine_;  ///< Null: not loaded, and not loading.
  bool made_now_ = false;           ///< The pool's thread is about to put one there.
  SteadyTime made_{};
  std::vector<std::function<void()>> waiting_;  ///< For there to be an engine.
  int holders_ = 0;
  std::uint64_t used_ = 0;  ///< When somebody last let go of it.
};

std::shared_ptr<Pool> Pool::make(std::vector<PoolModel> models,
                                 std::optional<std::uint64_t> bytes_max) {
  return std::shared_ptr<Pool>(new Pool(std::move(models), bytes_max));
}

Pool::Pool(std::vector<PoolModel> models, std::optional<std::uint64_t> bytes_max)
    : bytes_max_(bytes_max) {
  for (PoolModel& model : models) {
    models_.push_back(std::make_unique<Member>(*this, std::move(model)));
    Member& member = *models_.back();
    if (member.told().kept) wanted_.push_back(&member);
  }
  thread_ = std::thread([this] { run(); });
}

Pool::~Pool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Pool::kept(std::size_t model) const { return models_[model]->told().kept; }

std::shared_ptr<Engine> Pool::take(std::size_t model) {
  Member& member = *models_[model];
  std::shared_ptr<Engine> failed;
  {
    std::lock_guard lock(mutex_);
    ++member.holders_;
    const bool stale =
        member.engine_ && std::chrono::steady_clock::now() - member.made_ > retry_after;
    if (stale && member.holders_ == 1) failed = member.engine_;
  }
  if (failed && failed->status().state == State::failed) {
    std::lock_guard lock(mutex_);
    if (member.engine_ == failed) unload(member);
  }
  return {&member,
          [pool = shared_from_this()](Engine* held) { pool->let_go(static_cast<Member&>(*held)); }};
}

const Engine& Pool::peek(std::size_t model) const { return *models_[model]; }

int Pool::loaded() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(
      std::ranges::count_if(models_, [](const auto& member) { return bool(member->engine_); }));
}

/// With the mutex held.
void Pool::want(Member& member) {
  if (member.made_now_) return;  // who waits is woken all the same
  if (std::ranges::find(wanted_, &member) == wanted_.end()) wanted_.push_back(&member);
  changed_.notify_one();
}

void Pool::let_go(Member& member) {
  std::lock_guard lock(mutex_);
  --member.holders_;
  member.used_ = ++clock_;
  if (member.holders_ == 0) changed_.notify_one();
}

void Pool::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (!discarded_.empty()) {
      discard(lock);
    } else if (!load_next(lock)) {
      changed_.wait(lock);
    }
  }
  for (const auto& member : models_) unload(*member);
  discard(lock);
}

void Pool::discard(std::unique_lock<std::mutex>& lock) {
  std::vector<std::shared_ptr<Engine>> engines = std::exchange(discarded_, {});
  const std::uint64_t bytes = std::exchange(bytes_discarded_, 0);
  lock.unlock();
  engines.clear();
  lock.lock();
  bytes_ -= bytes;
}

/// Loads one of those that are wanted, or gets rid of what is in its way. False: there is nothing
/// to be done until something changes.
bool Pool::load_next(std::unique_lock<std::mutex>& lock) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    Member& member = *wanted_[i];
    if (!make_room_for(member)) continue;
    if (!discarded_.empty()) return true;
    wanted_.erase(wanted_.begin() + static_cast<std::ptrdiff_t>(i));
    bytes_ += member.told().bytes;
    member.made_now_ = true;
    lock.unlock();
    log::info("model_loads", {{"model", member.model()}, {"mib", mebibytes(member.told().bytes)}});
    const std::shared_ptr<Engine> engine = member.told().make();
    lock.lock();
    member.engine_ = engine;
    member.made_now_ = false;
    member.made_ = std::chrono::steady_clock::now();
    std::vector<std::function<void()>> waiting = std::exchange(member.waiting_, {});
    lock.unlock();
    log_when_failed(*engine);
    for (std::function<void()>& wake : waiting) engine->notify_loaded(std::move(wake));
    lock.lock();
    return true;
  }
  return false;
}

/// Unloads as many as must go, least recently used first. False, touching none, when those that
/// may go are not enough.
bool Pool::make_room_for(const Member& wanted) {
  if (!bytes_max_) return true;
  std::vector<Member*> idle;
  std::uint64_t idle_bytes = 0;
  for (const auto& member : models_) {
    if (!member->engine_ || member->holders_ > 0 || member->told().kept) continue;
    idle.push_back(member.get());
    idle_bytes += member->told().bytes;
  }
  std::uint64_t bytes = bytes_ - bytes_discarded_ + wanted.told().bytes;
  if (bytes - std::min(bytes, idle_bytes) > *bytes_max_) return false;
  std::ranges::sort(idle, {}, &Member::used_);
  for (Member* member : idle) {
    if (bytes <= *bytes_max_) break;
    bytes -= member->told().bytes;
    log::info("model_unloaded", {{"model", member->model()}, {"for", wanted.model()}});
    unload(*member);
  }
  return true;
}

/// With the mutex held. Whoever has waited for a failed one asks for it anew.
void Pool::unload(Member& member) {
  if (!member.engine_) return;
  discarded_.push_back(std::move(member.engine_));
  member.engine_ = nullptr;
  bytes_discarded_ += member.told().bytes;
  changed_.notify_one();
}

}  // namespace craton::engines
