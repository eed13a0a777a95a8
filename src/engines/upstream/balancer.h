// Balancer: which of a model's replicas gets the next request.
//
//   pick(key, work) ──► the replica that the key's place on the ring belongs to, unless it has more
//                       than its share of the work: then the next on the ring, and where those
//                       have too, the one that has least
//   finish(lease, outcome) ──► what came of it: a replica that misbehaves rests
//
// Keys are places on a ring of hashes (consistent hashing with bounded loads), so requests that
// begin alike meet the replica that has their beginning in its cache, whichever Craton asks; when a
// replica comes or goes, only its own keys move.
//
//   ready ── it broke an answer, or failed `failures_max` times in a row ──► resting
//   resting ── twice as long each time ──► on trial: one request at most
//   on trial ── that went well ──► ready, else resting again
//   any ── two probes in a row failed ──► down ── a probe went well ──► ready, or as it was
//
// Where all that are not down rest, they are asked all the same, but for those that asked to be
// spared.
//
// Source of the ring: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads".
//
// No I/O, no clock, no threads: whoever shares one guards it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engines/engine.h"

namespace craton::engines::upstream {

/// What became of a request, for the replica that had it.
enum class Outcome {
  answered,     ///< Well, or refused for the caller's own fault.
  given_up,     ///< The caller left: it says nothing of the replica.
  failed,       ///< A 5xx: perhaps this request's fault.
  broken,       ///< It stalled, broke off, or was no answer at all.
  unreachable,  ///< The replica saw nothing of it.
  overloaded,   ///< 429 or 503: it did not begin.
};

struct BalancerOptions {
  double load_bound =
      1.5;  ///< Of a replica's share of all work, before others on the ring take it.
  int requests_max = 1024;  ///< On one replica at once.
  int failures_max = 3;     ///< In a row.
  Milliseconds rest_first{500};
  Milliseconds rest_max{30'000};
  Milliseconds rest_overloaded{250};  ///< Where the replica says nothing of how long.
};

class Balancer {
 public:
  /// `names`: of the replicas, each another; their places on the ring.
  explicit Balancer(std::vector<std::string> names, BalancerOptions options = {});

  /// A request on its way. Ended by finish(), once.
  struct Lease {
    std::size_t replica;
    std::uint64_t work;
    bool trial;  ///< The replica had been resting.
  };

  enum class Why {
    busy,  ///< They have all that they can take: ask again soon.
    down,  ///< None is fit.
  };

  struct Asked {
    std::uint64_t key;                        ///< hash_of() what the prompt begins with.
    std::uint64_t work;                       ///< How much it is, in any unit; above 0.
    std::span<const std::size_t> tried = {};  ///< Replicas that have refused it.
  };

  tl::expected<Lease, Why> pick(const Asked& asked, SteadyTime now);

  /// `rest`: how long the replica asked to be spared, where it was overloaded.
  void finish(const Lease& lease, Outcome outcome, SteadyTime now,
              std::optional<Milliseconds> rest = std::nullopt);

  /// A health check's result.
  void probed(std::size_t replica, bool well);

  std::size_t size() const { return replicas_.size(); }

  /// False while it is resting or down: it should be looked at more often.
  bool is_well(std::size_t replica) const;

  ReplicaStats stats(std::size_t replica, SteadyTime now) const;

  /// The same on every machine.
  static std::uint64_t hash_of(std::string_view bytes);

 private:
  struct Replica {
    std::string name;
    std::uint64_t work = 0;
    int requests = 0;
    int failures = 0;  ///< In a row,
    int rests = 0;     ///< and of trials.
    int probes_failed = 0;
    bool resting = false;     ///< Until `rest_end`, and then on trial.
    bool overloaded = false;  ///< That is why.
    bool unreachable = false;
    bool on_trial = false;  ///< A request is.
    SteadyTime rest_end{};
    std::uint64_t requests_total = 0;
    std::uint64_t failures_total = 0;

    bool down() const { return probes_failed >= 2; }
  };

  bool available(const Replica& replica, SteadyTime now) const;
  std::optional<std::size_t> on_ring(const Asked& asked, std::uint64_t most, SteadyTime now) const;
  std::optional<std::size_t> last_resort(const Asked& asked) const;
  Why why_none(SteadyTime now) const;
  Lease take(std::size_t index, std::uint64_t work);
  void rest(Replica& replica, SteadyTime now);
  void recover(Replica& replica);

  const BalancerOptions options_;
  std::vector<Replica> replicas_;
  std::vector<std::pair<std::uint64_t, std::size_t>> ring_;  ///< Places and whose they are, sorted.
};

}  // namespace craton::engines::upstream
