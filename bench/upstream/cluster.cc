// A thousand replicas in virtual time: how the balancer shares work among them, and what callers
// wait when some are slow and some die. Beside it, the same day under round robin and under least
// outstanding requests, both without breaker, probes and affinity.
//
// A replica answers all its requests at once, each slower the more there are, as batching engines
// do; a conversation's prompt is computed in a tenth of the time where its beginning is cached, and
// each replica keeps the last few conversations. A request that meets a dead replica goes to
// another; one whose replica dies under it has failed.
//
// usage: craton_bench_cluster [REPLICAS] [SECONDS]
// Prints one JSON object. It needs no clock and no network: the same numbers everywhere.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <list>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "engines/upstream/balancer.h"

namespace craton {
namespace {

using namespace std::chrono_literals;
using engines::upstream::Balancer;
using engines::upstream::Outcome;

constexpr double load_each = 6;  // requests on a replica at once, on average, when all are well
constexpr double first_token_s = 0.8;   // of a prompt that is not cached
constexpr double token_s = 0.012;       // of one answer alone
constexpr double tokens_mean = 150;     // of an answer, exponential
constexpr double batch = 24;            // answers at once that make each other twice as slow
constexpr std::size_t cached_max = 40;  // conversations on a replica
constexpr int conversations_each = 20;  // of which one is asked again

/// What goes wrong on a day.
struct Day {
  const char* name;
  double slow = 0;   ///< Share of replicas that are ten times slower.
  double dying = 0;  ///< Share that dies in the middle third of the day.
};
constexpr Day days[] = {
    {"well", 0, 0}, {"slow", 0.05, 0}, {"dying", 0, 0.05}, {"both", 0.05, 0.05}};

struct Choice {
  std::size_t replica;
  Balancer::Lease lease;
};

/// Who gets the next request. `tried`: replicas that are dead.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::optional<Choice> pick(std::uint64_t key, std::uint64_t work,
                                     const std::vector<std::size_t>& tried, SteadyTime now) = 0;
  virtual void finish(const Choice& choice, Outcome outcome, SteadyTime now) = 0;
  virtual void probed(std::size_t, bool) {}
};

class Ours : public Policy {
 public:
  explicit Ours(std::size_t replicas) : balancer_(names(replicas)) {}
  std::optional<Choice> pick(std::uint64_t key, std::uint64_t work,
                             const std::vector<std::size_t>& tried, SteadyTime now) override {
    const auto lease = balancer_.pick({key, work, tried}, now);
    if (!lease) return std::nullopt;
    return Choice{lease->replica, *lease};
  }
  void finish(const Choice& choice, Outcome outcome, SteadyTime now) override {
    balancer_.finish(choice.lease, outcome, now);
  }
  void probed(std::size_t replica, bool well) override { balancer_.probed(replica, well); }

 private:
  static std::vector<std::string> names(std::size_t replicas) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < replicas; ++i) all.push_back("http://replica-" + std::to_string(i));
    return all;
  }
  Balancer balancer_;
};

class RoundRobin : public Policy {
 public:
  explicit RoundRobin(std::size_t replicas) : replicas_(replicas) {}
  std::optional<Choice> pick(std::uint64_t, std::uint64_t, const std::vector<std::size_t>&,
                             SteadyTime) override {
    return Choice{next_++ % replicas_, {}};
  }
  void finish(const Choice&, Outcome, SteadyTime) override {}

 private:
  const std::size_t replicas_;
  std::size_t next_ = 0;
};

class LeastOutstanding : public Policy {
 public:
  explicit LeastOutstanding(std::size_t replicas) : outstanding_(replicas, 0) {}
  std::optional<Choice> pick(std::uint64_t key, std::uint64_t,
                             const std::vector<std::size_t>& tried, SteadyTime) override {
    std::optional<std::size_t> least;
    for (std::size_t i = 0; i < outstanding_.size(); ++i) {
      const std::size_t at = (key + i) % outstanding_.size();
      if (std::ranges::find(tried, at) != tried.end()) continue;
      if (!least || outstanding_[at] < outstanding_[*least]) least = at;
    }
    ++outstanding_[*least];
    return Choice{*least, {}};
  }
  void finish(const Choice& choice, Outcome, SteadyTime) override {
    --outstanding_[choice.replica];
  }

 private:
  std::vector<int> outstanding_;
};

struct Replica {
  double slowness = 1;
  double dies = 1e18, back = 1e18;  ///< Seconds of the day.
  int running = 0;
  std::list<std::uint64_t> cached;
  double busy = 0;  ///< Integral of `running`, for the balance.
  double changed = 0;

  bool dead(double at) const { return at >= dies && at < back; }
};

struct Result {
  std::vector<double> first_tokens, answers;
  int requests = 0, failed = 0, retried = 0, cached = 0, refused = 0;
};

double at_share(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

class Simulation {
 public:
  Simulation(std::size_t replicas, double seconds, const Day& day, Policy& policy)
      : seconds_(seconds), policy_(policy), replicas_(replicas) {
    for (std::size_t i = 0; i < replicas; ++i) {
      if (share_(random_) < day.slow) replicas_[i].slowness = 10;
      if (share_(random_) >= day.dying) continue;
      replicas_[i].dies = seconds / 3 * (1 + share_(random_));
      replicas_[i].back = replicas_[i].dies + seconds / 6;
    }
  }

  Result run() {
    const double answer_s = first_token_s / 2 + tokens_mean * token_s * (1 + load_each / batch);
    const double rate = load_each * static_cast<double>(replicas_.size()) / answer_s;
    std::exponential_distribution<double> pause(rate);
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      later(share_(random_), [this, i] { probe(i); });
    }
    for (double at = pause(random_); at < seconds_; at += pause(random_)) {
      later(at, [this] { arrive(); });
    }
    while (!events_.empty()) {
      const auto event = events_.top();
      events_.pop();
      now_ = event.at;
      (*event.what)();
    }
    return std::move(result_);
  }

  /// The busiest replica's load beside the mean.
  double imbalance() const {
    double most = 0, all = 0;
    for (const Replica& replica : replicas_) {
      most = std::max(most, replica.busy);
      all += replica.busy;
    }
    return most * static_cast<double>(replicas_.size()) / all;
  }

 private:
  struct Event {
    double at;
    std::shared_ptr<std::function<void()>> what;
    bool operator<(const Event& other) const { return at > other.at; }
  };

  void later(double at, std::function<void()> what) {
    events_.push({at, std::make_shared<std::function<void()>>(std::move(what))});
  }
  SteadyTime time() const {
    return SteadyTime(
        std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(now_)));
  }

  void probe(std::size_t index) {
    const bool dead = replicas_[index].dead(now_);
    policy_.probed(index, !dead);
    if (now_ < seconds_) later(now_ + (dead ? 1 : 5), [this, index] { probe(index); });
  }

  void arrive() {
    ++result_.requests;
    const auto conversations = static_cast<std::uint64_t>(conversations_each) * replicas_.size();
    const std::uint64_t key =
        Balancer::hash_of("conversation " + std::to_string(random_() % conversations));
    const double tokens = std::exponential_distribution<double>(1 / tokens_mean)(random_) + 1;
    std::vector<std::size_t> tried;
    for (int attempt = 0; attempt < 4; ++attempt) {
      // The answer's length is not known before: only that of the prompt, here all alike.
      const auto choice = policy_.pick(key, 512, tried, time());
      if (!choice) break;
      if (!replicas_[choice->replica].dead(now_)) return begin(*choice, key, tokens);
      policy_.finish(*choice, Outcome::unreachable, time());
      tried.push_back(choice->replica);
      ++result_.retried;
    }
    ++result_.refused;
  }

  void note(Replica& replica, int more) {
    replica.busy += replica.running * (now_ - replica.changed);
    replica.changed = now_;
    replica.running += more;
  }

  bool is_cached(Replica& replica, std::uint64_t key) {
    const auto found = std::ranges::find(replica.cached, key);
    const bool there = found != replica.cached.end();
    if (there) replica.cached.erase(found);
    replica.cached.push_front(key);
    if (replica.cached.size() > cached_max) replica.cached.pop_back();
    return there;
  }

  void begin(const Choice& choice, std::uint64_t key, double tokens) {
    Replica& replica = replicas_[choice.replica];
    note(replica, 1);
    const double crowd = replica.slowness * (1 + replica.running / batch);
    const bool cached = is_cached(replica, key);
    result_.cached += cached;
    const double first = first_token_s * crowd * (cached ? 0.1 : 1);
    const double whole = first + tokens * token_s * crowd;
    const double end = now_ + whole;
    const bool dies = replica.dies > now_ && replica.dies < end;
    later(dies ? replica.dies : end, [this, choice, first, whole, dies] {
      note(replicas_[choice.replica], -1);
      policy_.finish(choice, dies ? Outcome::broken : Outcome::answered, time());
      if (dies) {
        ++result_.failed;
        return;
      }
      result_.first_tokens.push_back(first);
      result_.answers.push_back(whole);
    });
  }

  const double seconds_;
  Policy& policy_;
  std::vector<Replica> replicas_;
  std::mt19937_64 random_{1};
  std::uniform_real_distribution<double> share_{0, 1};
  std::priority_queue<Event> events_;
  double now_ = 0;
  Result result_;
};

void print(const Day& day, const char* policy, double imbalance, Result result, bool last) {
  const double all = result.requests;
  std::printf(
      "  {\"day\":\"%s\",\"policy\":\"%s\",\"requests\":%d,\"busiest_by_mean\":%.2f,"
      "\"cached\":%.3f,\"first_token_p50_s\":%.2f,\"first_token_p99_s\":%.2f,"
      "\"answer_p50_s\":%.2f,\"answer_p99_s\":%.2f,\"broken\":%d,\"refused\":%d,"
      "\"tries_in_vain\":%d}%s\n",
      day.name, policy, result.requests, imbalance, result.cached / all,
      at_share(result.first_tokens, 0.5), at_share(result.first_tokens, 0.99),
      at_share(result.answers, 0.5), at_share(result.answers, 0.99), result.failed, result.refused,
      result.retried, last ? "" : ",");
}

int run(std::size_t replicas, double seconds) {
  std::printf("{\"replicas\":%zu,\"seconds\":%g,\"rows\":[\n", replicas, seconds);
  for (const Day& day : days) {
    Ours ours(replicas);
    RoundRobin round_robin(replicas);
    LeastOutstanding least(replicas);
    const std::pair<const char*, Policy*> policies[] = {
        {"craton", &ours}, {"round robin", &round_robin}, {"least outstanding", &least}};
    for (const auto& [name, policy] : policies) {
      Simulation simulation(replicas, seconds, day, *policy);
      Result result = simulation.run();
      const bool last = &day == std::end(days) - 1 && policy == &least;
      print(day, name, simulation.imbalance(), std::move(result), last);
    }
  }
  std::printf("]}\n");
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) {
  const long replicas = argc > 1 ? std::atol(argv[1]) : 1000;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 180;
  return craton::run(static_cast<std::size_t>(std::max(1L, replicas)), std::max(6.0, seconds));
}
