#include "engines/upstream/balancer.h"

#include <algorithm>
#include <bit>

#include "base/fnv.h"

namespace craton::engines::upstream {
namespace {

constexpr int places_each = 64;  // on the ring: shares differ by an eighth or so
constexpr int looked_at = 64;    // places behind a key, before the least loaded is taken

}  // namespace

// FNV-1a, and the last steps of MurmurHash3, without which short names lie close together.
std::uint64_t Balancer::hash_of(std::string_view bytes) {
  std::uint64_t hash = fnv1a(bytes);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

Balancer::Balancer(std::vector<std::string> names, BalancerOptions options) : options_(options) {
  for (std::string& name : names) {
    for (int place = 0; place < places_each; ++place) {
      ring_.emplace_back(hash_of(name + '#' + std::to_string(place)), replicas_.size());
    }
    replicas_.push_back({.name = std::move(name)});
  }
  std::ranges::sort(ring_);
}

bool Balancer::available(const Replica& replica, SteadyTime now) const {
  if (replica.down() || replica.requests >= options_.requests_max) return false;
  return !replica.resting || (now >= replica.rest_end && !replica.on_trial);
}

bool Balancer::is_well(std::size_t replica) const {
  return !replicas_[replica].resting && !replicas_[replica].down();
}

tl::expected<Balancer::Lease, Balancer::Why> Balancer::pick(const Asked& asked, SteadyTime now) {
  std::uint64_t all_work = asked.work;
  std::size_t fit = 0;
  std::optional<std::size_t> least;
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    // From another one on for each key: of equals, not always the first.
    const std::size_t index = (asked.key + i) % replicas_.size();
    const Replica& replica = replicas_[index];
    if (!available(replica, now)) continue;
    all_work += replica.work;
    ++fit;
    if (std::ranges::find(asked.tried, index) != asked.tried.end()) continue;
    if (!least || replica.work < replicas_[*least].work) least = index;
  }
  if (!least) {
    const std::optional<std::size_t> resort = last_resort(asked);
    if (!resort) return tl::unexpected(why_none(now));
    return take(*resort, asked.work);
  }
  const double share = static_cast<double>(all_work) / static_cast<double>(fit);
  const auto most = static_cast<std::uint64_t>(options_.load_bound * share);
  return take(on_ring(asked, most, now).value_or(*least), asked.work);
}

/// Of those that rest for what they did, the one that has least: a rest is for others to step in,
/// and there is none.
std::optional<std::size_t> Balancer::last_resort(const Asked& asked) const {
  std::optional<std::size_t> least;
  for (std::size_t index = 0; index < replicas_.size(); ++index) {
    const Replica& replica = replicas_[index];
    if (!replica.resting || replica.overloaded || replica.down()) continue;
    if (replica.requests >= options_.requests_max) continue;
    if (std::ranges::find(asked.tried, index) != asked.tried.end()) continue;
    if (!least || replica.work < replicas_[*least].work) least = index;
  }
  return least;
}

/// The first behind the key that has room in its share. Who has nothing to do always has.
std::optional<std::size_t> Balancer::on_ring(const Asked& asked, std::uint64_t most,
                                             SteadyTime now) const {
  const auto begin = std::ranges::lower_bound(ring_, std::pair{asked.key, std::size_t{0}});
  auto at = static_cast<std::size_t>(begin - ring_.begin());
  for (int i = 0; i < looked_at; ++i, ++at) {
    const std::size_t index = ring_[at % ring_.size()].second;
    const Replica& replica = replicas_[index];
    const bool has_room = replica.work == 0 || replica.work + asked.work <= most;
    if (!has_room || !available(replica, now)) continue;
    if (std::ranges::find(asked.tried, index) == asked.tried.end()) return index;
  }
  return std::nullopt;
}

Balancer::Why Balancer::why_none(SteadyTime now) const {
  const auto busy = [&](const Replica& replica) {
    if (replica.down()) return false;
    const bool full = replica.requests >= options_.requests_max && !replica.resting;
    return full || (replica.resting && replica.overloaded) || available(replica, now);
  };
  return std::ranges::any_of(replicas_, busy) ? Why::busy : Why::down;
}

Balancer::Lease Balancer::take(std::size_t index, std::uint64_t work) {
  Replica& replica = replicas_[index];
  replica.work += work;
  ++replica.requests;
  ++replica.requests_total;
  replica.on_trial = replica.resting;
  return {index, work, replica.resting};
}

void Balancer::finish(const Lease& lease, Outcome outcome, SteadyTime now,
                      std::optional<Milliseconds> rest_wanted) {
  Replica& replica = replicas_[lease.replica];
  replica.work -= lease.work;
  --replica.requests;
  if (lease.trial) replica.on_trial = false;
  const bool bad = outcome != Outcome::answered && outcome != Outcome::given_up;
  if (bad) ++replica.failures_total;
  // What had begun before the rest says nothing of what the replica does now.
  if (replica.resting && !lease.trial) return;
  switch (outcome) {
    case Outcome::given_up: return;
    case Outcome::answered: return recover(replica);
    case Outcome::failed:
      if (++replica.failures < options_.failures_max && !lease.trial) return;
      return rest(replica, now);
    case Outcome::broken: return rest(replica, now);
    case Outcome::unreachable:
      rest(replica, now);
      replica.unreachable = true;
      return;
    case Outcome::overloaded: break;
  }
  replica.resting = true;
  replica.overloaded = true;
  replica.unreachable = false;
  replica.rest_end =
      now + std::min(rest_wanted.value_or(options_.rest_overloaded), options_.rest_max);
}

/// Twice as long as the last time, and not all at the same moment.
void Balancer::rest(Replica& replica, SteadyTime now) {
  const int doublings = std::min(replica.rests++, 16);
  const Milliseconds whole = std::min(options_.rest_first * (1 << doublings), options_.rest_max);
  const std::uint64_t lot = hash_of(replica.name + std::to_string(replica.rests)) % 256;
  replica.rest_end = now + whole - whole * lot / 1024;
  replica.resting = true;
  replica.overloaded = false;
  replica.unreachable = false;
  replica.failures = 0;
}

void Balancer::recover(Replica& replica) {
  replica.failures = 0;
  replica.rests = 0;
  replica.resting = false;
  replica.overloaded = false;
  replica.unreachable = false;
}

/// A replica that could not be reached is back when it can; one that broke its answers has to make
/// a better one.
void Balancer::probed(std::size_t index, bool well) {
  Replica& replica = replicas_[index];
  if (!well) {
    replica.probes_failed = std::min(replica.probes_failed + 1, 2);
    return;
  }
  replica.probes_failed = 0;
  if (replica.resting && replica.unreachable && !replica.on_trial) recover(replica);
}

ReplicaStats Balancer::stats(std::size_t index, SteadyTime now) const {
  const Replica& replica = replicas_[index];
  const ReplicaState state = replica.down()           ? ReplicaState::down
                             : !replica.resting       ? ReplicaState::ready
                             : now < replica.rest_end ? ReplicaState::resting
                                                      : ReplicaState::on_trial;
  return {.name = replica.name,
          .state = state,
          .outstanding = replica.requests,
          .requests = replica.requests_total,
          .failures = replica.failures_total};
}

}  // namespace craton::engines::upstream
