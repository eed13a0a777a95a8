// Pool: models that share one machine's memory. Each is loaded when somebody asks for it, and the
// one that was used least recently goes when another needs its room.
//
//   take(model) ──► an Engine that is always there: `loading` until the model is
//                      │ notify_loaded(): somebody waits
//                      ▼
//                   the pool's thread: make room, load
//
// A model stays while anybody holds what take() gave. Where all that would have to go is held, the
// one that is wanted waits until some is let go. When it has waited for its turn, those in its way
// take no new callers: these wait until it is loaded, and then for theirs.
//
// Threads: any function may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "engines/engine.h"

namespace craton::engines {

struct PoolModel {
  std::string kind;         ///< Engine::kind()
  std::string name;         ///< Engine::model()
  std::uint64_t bytes = 0;  ///< Of memory, about, while it is loaded.
  bool kept = false;        ///< Loaded at once, and never unloaded.
  /// Begins to load it; must not wait for that.
  std::function<std::unique_ptr<Engine>()> make;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  /// A model that could not be loaded is tried again when it is asked for after this time: perhaps
  /// its file was mended.
  static constexpr std::chrono::seconds retry_after{30};

  /// How long a model may be kept from being loaded by others that are never idle.
  static constexpr std::chrono::seconds turn{10};

  /// `bytes_max`: of all models that are loaded at once; absent: no bound. The kept ones, and each
  /// other beside them, fit.
  static std::shared_ptr<Pool> make(
      std::vector<PoolModel> models, std::optional<std::uint64_t> bytes_max,
      std::function<SteadyTime()> clock = std::chrono::steady_clock::now);
  ~Pool();

  /// Adds a model, which may be taken from now on by the number that is returned.
  std::size_t add(PoolModel model);

  /// Unloads it as soon as nobody holds it, also when it was to be kept.
  void retire(std::size_t model);

  std::size_t size() const;
  bool kept(std::size_t model) const;

  /// The engine of a model. While anybody holds it the model is not unloaded. Keeps the pool.
  std::shared_ptr<Engine> take(std::size_t model);

  /// The same to look at: does not keep the model, and makes nobody think that it is used.
  const Engine& peek(std::size_t model) const;

  /// Models that are loaded or loading.
  int loaded() const;

 private:
  struct Member;
  class Guest;

  Pool(std::vector<PoolModel> models, std::optional<std::uint64_t> bytes_max,
       std::function<SteadyTime()> clock);

  Member& member(std::size_t model) const;
  void come(Guest& guest);
  void admit(Guest& guest);
  void leave(Guest& guest);
  void want(Member& member);
  bool must_yield(const Member& member) const;
  bool is_in_the_way(const Member& member, const Member& wanted) const;

  void run();
  bool load_next(std::unique_lock<std::mutex>& lock);
  void load(Member& member, std::unique_lock<std::mutex>& lock);
  void wake_waiting(Member& member, std::unique_lock<std::mutex>& lock);
  bool make_room_for(const Member& wanted);
  void unload(Member& member);
  void discard(std::unique_lock<std::mutex>& lock);

  const std::optional<std::uint64_t> bytes_max_;
  const std::function<SteadyTime()> now_;
  mutable std::mutex mutex_;  // guards all below, and what the members say it does
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Member>> models_;
  std::vector<Member*> wanted_;                     ///< In the order in which they were asked for.
  std::vector<std::shared_ptr<Engine>> discarded_;  ///< To be destroyed, which may take a moment.
  std::uint64_t bytes_ = 0;                         ///< Of all that are loaded, and discarded.
  std::uint64_t bytes_discarded_ = 0;
  std::uint64_t clock_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: uses all of the above
};

}  // namespace craton::engines
