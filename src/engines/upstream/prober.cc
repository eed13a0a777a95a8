#include "engines/upstream/prober.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace craton::engines::upstream {
namespace {

constexpr std::chrono::milliseconds tick{100};
constexpr std::chrono::milliseconds well_interval{5000};
constexpr std::chrono::milliseconds other_interval{1000};
constexpr std::chrono::milliseconds limit{3000};
constexpr std::size_t models_bytes_max = std::size_t{1} << 20;

/// What one transfer has given so far.
struct Page {
  int status = 0;
  std::string body;
};

/// Whether a replica is well; learns from its models. Fails with what is wrong.
Result<void> health_in(Cluster& cluster, const http::TransferEnd& end, const Page& page,
                       bool models) {
  if (end.fault != http::TransferFault::none) return Error{ErrorCode::validation, end.reason};
  if (page.status != 200) {
    return Error{ErrorCode::validation, "status " + std::to_string(page.status)};
  }
  if (!models) return {};
  CRATON_TRY_ASSIGN(Served served, served_in(page.body, cluster.options().model));
  cluster.learn(std::move(served));
  return {};
}

}  // namespace

/// Outlives the prober: transfers refer to it.
struct Prober::Shared {
  struct Replica {
    std::atomic<bool> asked = false;  ///< A probe is on its way.
    std::atomic<bool> has_health = true;
    std::atomic<bool> looked_at = false;
    std::atomic<SteadyTime> next = SteadyTime{};
  };

  explicit Shared(std::size_t count, std::function<void()> tell)
      : replicas(count), first_round(std::move(tell)) {}

  void tell_first_round() {
    if (!told.exchange(true)) first_round();
  }

  void note_looked_at(Replica& replica) {
    if (!replica.looked_at.exchange(true) && ++looked_at == replicas.size()) tell_first_round();
  }

  std::vector<Replica> replicas;
  std::atomic<std::size_t> looked_at = 0;
  std::atomic<bool> told = false;
  const std::function<void()> first_round;
};

Prober::Prober(std::shared_ptr<Cluster> cluster, http::Client& client,
               std::function<void()> first_round)
    : cluster_(std::move(cluster)),
      client_(client),
      shared_(
          std::make_shared<Shared>(cluster_->options().replicas.size(), std::move(first_round))),
      thread_([this] { run(); }) {}

Prober::~Prober() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void Prober::run() {
  pthread_setname_np(pthread_self(), "prober");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const SteadyTime now = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < shared_->replicas.size(); ++i) {
      Shared::Replica& replica = shared_->replicas[i];
      if (replica.next.load() <= now && !replica.asked.exchange(true)) look(i, now);
    }
    stopped_.wait_for(lock, tick, [this] { return stopping_; });
  }
}

void Prober::look(std::size_t index, SteadyTime now) {
  Shared::Replica& replica = shared_->replicas[index];
  // Not all at once, however many there are.
  const std::chrono::milliseconds apart(index * 37 % 500);
  replica.next = now + (cluster_->is_well(index) ? well_interval : other_interval) + apart;
  const bool models = !cluster_->served() || !replica.has_health;
  http::ClientRequest request =
      cluster_->request(index, models ? "/v1/models" : "/health", std::string());
  request.limit = limit;
  request.connect_limit = limit;
  const auto page = std::make_shared<Page>();
  const auto end = [cluster = cluster_, shared = shared_, page, index,
                    models](const http::TransferEnd& how) {
    Shared::Replica& asked = shared->replicas[index];
    if (how.fault != http::TransferFault::cancelled) {
      const bool no_such_page = page->status >= 300 && page->status < 500;
      if (no_such_page && !models) {
        asked.has_health = false;
        asked.next = SteadyTime{};
      } else {
        const Result<void> well = health_in(*cluster, how, *page, models);
        cluster->probed(index, well ? std::string_view() : std::string_view(well.error().message));
        if (cluster->served()) shared->tell_first_round();
        shared->note_looked_at(asked);
      }
    }
    asked.asked = false;
  };
  client_.send(std::move(request),
               {.on_head = [page](http::ClientHead head) { page->status = head.status; },
                .on_body =
                    [page](std::string_view bytes) {
                      if (page->body.size() < models_bytes_max) page->body += bytes;
                      return true;
                    },
                .on_end = end});
}

}  // namespace craton::engines::upstream
