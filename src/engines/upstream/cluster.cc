#include "engines/upstream/cluster.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "engines/upstream/json_members.h"

namespace craton::engines::upstream {
namespace {

constexpr std::array<std::string_view, 6> outcome_names{"answered", "given_up",    "failed",
                                                        "broken",   "unreachable", "overloaded"};

}  // namespace

Result<Served> served_in(std::string_view models, std::string_view wanted) {
  const Error none{ErrorCode::validation, "its /v1/models names no model"};
  const auto parsed = json::parse(models);
  if (!parsed || !parsed->is_object()) return none;
  const json::array* data = array_member(parsed->get_object(), "data");
  if (!data || data->empty()) return none;
  const json::object* found = nullptr;
  for (const json::value& row : *data) {
    const json::object* model = row.if_object();
    if (!model || text_member(*model, "id").empty()) continue;
    if (!found || text_member(*model, "id") == wanted) found = model;
  }
  if (!found) return none;
  const std::string_view name = wanted.empty() ? text_member(*found, "id") : wanted;
  return Served{std::string(name), &server_kind_of(text_member(*found, "owned_by"))};
}

tl::expected<Balancer::Lease, Balancer::Why> Cluster::pick(const Balancer::Asked& asked) {
  const std::lock_guard lock(mutex_);
  return balancer_.pick(asked, std::chrono::steady_clock::now());
}

void Cluster::finish(const Balancer::Lease& lease, Outcome outcome, std::string_view reason,
                     std::optional<Milliseconds> rest) {
  bool was_well = false;
  bool is_well = false;
  {
    const std::lock_guard lock(mutex_);
    was_well = balancer_.is_well(lease.replica);
    balancer_.finish(lease, outcome, std::chrono::steady_clock::now(), rest);
    is_well = balancer_.is_well(lease.replica);
  }
  const std::string& name = options_.replicas[lease.replica];
  if (was_well && !is_well) {
    log::warning("replica_rests", {{"replica", name},
                                   {"why", outcome_names[static_cast<std::size_t>(outcome)]},
                                   {"reason", reason}});
  }
  if (!was_well && is_well) log::info("replica_is_back", {{"replica", name}});
}

void Cluster::probed(std::size_t replica, std::string_view problem) {
  bool was_well = false;
  bool is_well = false;
  {
    const std::lock_guard lock(mutex_);
    was_well = balancer_.is_well(replica);
    balancer_.probed(replica, problem.empty());
    is_well = balancer_.is_well(replica);
  }
  if (was_well == is_well) return;
  const std::string& name = options_.replicas[replica];
  is_well ? log::info("replica_is_back", {{"replica", name}})
          : log::warning("replica_is_down", {{"replica", name}, {"reason", problem}});
}

bool Cluster::is_well(std::size_t replica) const {
  const std::lock_guard lock(mutex_);
  return balancer_.is_well(replica);
}

std::vector<ReplicaStats> Cluster::replicas() const {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  std::vector<ReplicaStats> all;
  for (std::size_t i = 0; i < balancer_.size(); ++i) all.push_back(balancer_.stats(i, now));
  return all;
}

void Cluster::learn(Served served) {
  const std::lock_guard lock(learning_);
  if (learned_) return;
  if (options_.kind) served.kind = options_.kind;
  learned_ = std::make_unique<const Served>(std::move(served));
  served_.store(learned_.get(), std::memory_order_release);
  log::info("upstream_found", {{"model", learned_->model}, {"server", learned_->kind->name}});
  if (!learned_->kind->ignores.empty()) {
    log::warning("upstream_ignores",
                 {{"server", learned_->kind->name}, {"fields", learned_->kind->ignores}});
  }
}

http::ClientRequest Cluster::request(std::size_t replica, std::string_view path,
                                     std::string body) const {
  http::ClientRequest request;
  request.url = options_.replicas[replica] + std::string(path);
  if (!body.empty()) {
    request.method = "POST";
    request.headers.add("Content-Type", "application/json");
  }
  request.body = std::move(body);
  request.headers.add("User-Agent", "craton");
  if (!options_.api_key.empty()) {
    request.headers.add("Authorization", "Bearer " + options_.api_key);
  }
  request.connect_limit = std::chrono::seconds(3);  // a network's, not the Internet's
  return request;
}

}  // namespace craton::engines::upstream
