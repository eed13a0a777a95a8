#include "engines/pool.h"

#include <algorithm>
#include <iterator>
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

/// What a caller holds of a model, loaded or not; and what shows it to those who only look.
class Pool::Guest : public Engine {
 public:
  Guest(Pool& pool, Member& member) : pool_(pool), member_(member) {}
  ~Guest() override;

  std::string_view kind() const override;
  std::string_view model() const override;

  Status status() const override {
    const std::shared_ptr<Engine> loaded = engine();
    return loaded ? loaded->status() : Status{State::loading, {}};
  }

  void notify_loaded(std::function<void()> wake) override;

  Capabilities capabilities() const override {
    const std::shared_ptr<Engine> loaded = engine();
    return loaded ? loaded->capabilities() : Capabilities{};
  }

  EngineStats stats() const override {
    const std::shared_ptr<Engine> loaded = engine();
    return loaded ? loaded->stats() : EngineStats{};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation conversation,
                                               const Limits& limits) override {
    const std::shared_ptr<Engine> loaded = engine();
    if (!loaded) return not_ready();
    return loaded->generate(std::move(conversation), limits);
  }

  Result<int> count_tokens(const Conversation& conversation) override {
    const std::shared_ptr<Engine> loaded = engine();
    if (!loaded) return not_ready();
    return loaded->count_tokens(conversation);
  }

  Result<std::shared_ptr<Embedding>> embed(EmbeddingRequest request,
                                           const Limits& limits) override {
    const std::shared_ptr<Engine> loaded = engine();
    if (!loaded) return not_ready();
    return loaded->embed(std::move(request), limits);
  }

  Result<std::shared_ptr<Drawing>> draw(DrawingRequest request, const Limits& limits) override {
    const std::shared_ptr<Engine> loaded = engine();
    if (!loaded) return not_ready();
    return loaded->draw(std::move(request), limits);
  }

 private:
  friend Pool;

  std::shared_ptr<Engine> engine() const;  ///< Null while it may not be used.

  Pool& pool_;
  Member& member_;

  // Guarded by the pool's mutex.
  bool comes_ = false;  ///< To use it, not only to look.
  bool admitted_ = false;
  std::vector<std::function<void()>> wakes_;
};

struct Pool::Member {
  Member(Pool& pool, PoolModel told) : model(std::move(told)), view(pool, *this) {}

  const PoolModel model;

  // Guarded by the pool's mutex.
  bool kept = model.kept;
  bool retired = false;
  std::shared_ptr<Engine> engine;  ///< Null: not loaded, and not loading.
  bool made_now = false;           ///< The pool's thread is about to put one there.
  SteadyTime made{};
  SteadyTime wanted_since{};    ///< While it is wanted.
  std::vector<Guest*> waiting;  ///< For there to be an engine that they may use.
  int holders = 0;              ///< Guests that may use it.
  std::uint64_t used = 0;       ///< When one last left.

  Guest view;  ///< What peek() gives.
};

Pool::Guest::~Guest() {
  if (comes_) pool_.leave(*this);
}

std::string_view Pool::Guest::kind() const { return member_.model.kind; }
std::string_view Pool::Guest::model() const { return member_.model.name; }

std::shared_ptr<Engine> Pool::Guest::engine() const {
  std::lock_guard lock(pool_.mutex_);
  return comes_ && !admitted_ ? nullptr : member_.engine;
}

void Pool::Guest::notify_loaded(std::function<void()> wake) {
  std::shared_ptr<Engine> engine;
  {
    std::lock_guard lock(pool_.mutex_);
    if (admitted_) engine = member_.engine;
    if (!engine) {
      if (wakes_.empty()) member_.waiting.push_back(this);
      wakes_.push_back(std::move(wake));
      return pool_.want(member_);
    }
  }
  engine->notify_loaded(std::move(wake));
}

std::shared_ptr<Pool> Pool::make(std::vector<PoolModel> models,
                                 std::optional<std::uint64_t> bytes_max,
                                 std::function<SteadyTime()> clock) {
  return std::shared_ptr<Pool>(new Pool(std::move(models), bytes_max, std::move(clock)));
}

Pool::Pool(std::vector<PoolModel> models, std::optional<std::uint64_t> bytes_max,
           std::function<SteadyTime()> clock)
    : bytes_max_(bytes_max), now_(std::move(clock)) {
  for (PoolModel& model : models) add(std::move(model));
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

std::size_t Pool::add(PoolModel model) {
  std::lock_guard lock(mutex_);
  models_.push_back(std::make_unique<Member>(*this, std::move(model)));
  if (models_.back()->kept) want(*models_.back());
  return models_.size() - 1;
}

void Pool::retire(std::size_t model) {
  std::lock_guard lock(mutex_);
  Member& member = *models_[model];
  member.kept = false;
  member.retired = true;
  if (member.waiting.empty()) std::erase(wanted_, &member);
  if (member.holders == 0) unload(member);
}

std::size_t Pool::size() const {
  std::lock_guard lock(mutex_);
  return models_.size();
}

/// They stay where they are.
Pool::Member& Pool::member(std::size_t model) const {
  std::lock_guard lock(mutex_);
  return *models_[model];
}

bool Pool::kept(std::size_t model) const {
  std::lock_guard lock(mutex_);
  return models_[model]->kept;
}

std::shared_ptr<Engine> Pool::take(std::size_t model) {
  auto guest = std::make_unique<Guest>(*this, member(model));
  come(*guest);
  return {guest.release(), [pool = shared_from_this()](Engine* left) { delete left; }};
}

const Engine& Pool::peek(std::size_t model) const { return member(model).view; }

int Pool::loaded() const {
  std::lock_guard lock(mutex_);
  return static_cast<int>(
      std::ranges::count_if(models_, [](const auto& member) { return bool(member->engine); }));
}

void Pool::come(Guest& guest) {
  Member& member = guest.member_;
  std::shared_ptr<Engine> failed;
  {
    std::lock_guard lock(mutex_);
    guest.comes_ = true;
    if (must_yield(member)) return;
    admit(guest);
    const bool stale = member.engine && now_() - member.made > retry_after;
    if (stale && member.holders == 1) failed = member.engine;
  }
  if (failed && failed->status().state == State::failed) {
    std::lock_guard lock(mutex_);
    if (member.engine == failed) unload(member);
  }
}

/// With the mutex held.
void Pool::admit(Guest& guest) {
  if (std::exchange(guest.admitted_, true)) return;
  ++guest.member_.holders;
}

void Pool::leave(Guest& guest) {
  std::lock_guard lock(mutex_);
  Member& member = guest.member_;
  std::erase(member.waiting, &guest);
  if (!guest.admitted_) return;
  --member.holders;
  member.used = ++clock_;
  if (member.holders > 0) return;
  if (member.retired) unload(member);
  changed_.notify_one();
}

/// With the mutex held.
void Pool::want(Member& member) {
  if (member.made_now) return;  // who waits is woken all the same
  if (std::ranges::find(wanted_, &member) == wanted_.end()) {
    member.wanted_since = now_();
    wanted_.push_back(&member);
  }
  changed_.notify_one();
}

/// Whether another has waited for its turn, and this one, having had its own, must go for it. With
/// the mutex held.
bool Pool::must_yield(const Member& member) const {
  if (!bytes_max_ || !member.engine || member.kept) return false;
  const SteadyTime before = now_() - turn;
  if (member.made > before) return false;
  return std::ranges::any_of(wanted_, [&](const Member* wanted) {
    return wanted != &member && wanted->wanted_since <= before && is_in_the_way(member, *wanted);
  });
}

/// Those that were loaded first go first.
bool Pool::is_in_the_way(const Member& member, const Member& wanted) const {
  std::uint64_t bytes = bytes_ - bytes_discarded_ + wanted.model.bytes;
  for (const auto& other : models_) {
    if (!other->engine || other->kept || other->made >= member.made) continue;
    bytes -= std::min(bytes, other->model.bytes);
  }
  return bytes > *bytes_max_;
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
    if (member.engine ? must_yield(member) : !make_room_for(member)) continue;
    if (!discarded_.empty()) return true;
    wanted_.erase(wanted_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!member.engine) load(member, lock);
    wake_waiting(member, lock);
    if (member.retired && member.holders == 0) unload(member);
    return true;
  }
  return false;
}

void Pool::load(Member& member, std::unique_lock<std::mutex>& lock) {
  bytes_ += member.model.bytes;
  member.made_now = true;
  lock.unlock();
  log::info("model_loads", {{"model", member.model.name}, {"mib", mebibytes(member.model.bytes)}});
  const std::shared_ptr<Engine> engine = member.model.make();
  log_when_failed(*engine);
  lock.lock();
  member.engine = engine;
  member.made_now = false;
  member.made = now_();
}

void Pool::wake_waiting(Member& member, std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<Engine> engine = member.engine;
  std::vector<std::function<void()>> wakes;
  for (Guest* guest : std::exchange(member.waiting, {})) {
    admit(*guest);
    std::ranges::move(std::exchange(guest->wakes_, {}), std::back_inserter(wakes));
  }
  lock.unlock();
  for (std::function<void()>& wake : wakes) engine->notify_loaded(std::move(wake));
  lock.lock();
}

/// Unloads as many as must go, least recently used first. False, touching none, when those that
/// may go are not enough.
bool Pool::make_room_for(const Member& wanted) {
  if (!bytes_max_) return true;
  std::vector<Member*> idle;
  std::uint64_t idle_bytes = 0;
  for (const auto& member : models_) {
    if (!member->engine || member->holders > 0 || member->kept) continue;
    idle.push_back(member.get());
    idle_bytes += member->model.bytes;
  }
  std::uint64_t bytes = bytes_ - bytes_discarded_ + wanted.model.bytes;
  if (bytes - std::min(bytes, idle_bytes) > *bytes_max_) return false;
  std::ranges::sort(idle, {}, &Member::used);
  for (Member* member : idle) {
    if (bytes <= *bytes_max_) break;
    bytes -= member->model.bytes;
    log::info("model_unloaded", {{"model", member->model.name}, {"for", wanted.model.name}});
    unload(*member);
  }
  return true;
}

/// With the mutex held. Whoever has waited for a failed one asks for it anew.
void Pool::unload(Member& member) {
  if (!member.engine) return;
  discarded_.push_back(std::move(member.engine));
  member.engine = nullptr;
  bytes_discarded_ += member.model.bytes;
  changed_.notify_one();
}

}  // namespace craton::engines
