// Cluster: what is known of a model's replicas, shared by all requests to them.
//
// Threads: any function may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversation/event.h"
#include "engines/upstream/balancer.h"
#include "engines/upstream/server_kind.h"
#include "http/client.h"

namespace craton::engines::upstream {

/// The name by which a server knows its model, and what kind of server it is.
struct Served {
  std::string model;
  const ServerKind* kind = &unknown_server;
};

/// What `/v1/models` says. `wanted`: the name to look for; empty: the first. Without the wanted one
/// in it, the name stands and the kind is the first's. Fails with `validation` when there is none.
Result<Served> served_in(std::string_view models, std::string_view wanted);

struct ClusterOptions {
  std::vector<std::string> replicas =
      {};                            ///< "http://10.0.0.2:8000": replica_url()s, each another.
  std::string model = {};            ///< Sent upstream; empty: the first that a replica serves.
  const ServerKind* kind = nullptr;  ///< Null: as the server says who it is.
  std::string api_key = {};          ///< Empty: none is sent.
  std::chrono::milliseconds idle_limit{300'000};  ///< Without a byte of an answer.
  BalancerOptions balancer = {};
};

class Cluster {
 public:
  explicit Cluster(ClusterOptions options)
      : options_(std::move(options)), balancer_(options_.replicas, options_.balancer) {}

  const ClusterOptions& options() const { return options_; }

  tl::expected<Balancer::Lease, Balancer::Why> pick(const Balancer::Asked& asked);

  /// `reason`: for the log, where the replica begins to rest.
  void finish(const Balancer::Lease& lease, Outcome outcome, std::string_view reason,
              std::optional<Milliseconds> rest = std::nullopt);

  /// `problem`: why it is not well; empty: it is.
  void probed(std::size_t replica, std::string_view problem);
  bool is_well(std::size_t replica) const;
  std::vector<ReplicaStats> replicas() const;

  /// Null until it is known; lives as long as the cluster.
  const Served* served() const { return served_.load(std::memory_order_acquire); }

  /// The first that is learned stays.
  void learn(Served served);

  /// A request for `path` of a replica: POST with a body, GET without.
  http::ClientRequest request(std::size_t replica, std::string_view path, std::string body) const;

  /// `/v1/rerank` is not there: ranking is done by embeddings.
  std::atomic<bool> ranks_by_vectors = false;

  std::atomic<int> waiting = 0;  ///< Answers that have not begun,
  std::atomic<int> running = 0;  ///< and those that have.
  std::atomic<std::uint64_t> prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
  std::atomic<bool> warned_of_usage = false;  ///< That a server tells none.

 private:
  const ClusterOptions options_;
  mutable std::mutex mutex_;  // guards balancer_
  Balancer balancer_;
  std::mutex learning_;
  std::unique_ptr<const Served> learned_;
  std::atomic<const Served*> served_ = nullptr;
};

}  // namespace craton::engines::upstream
