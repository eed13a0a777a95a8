#include "engines/upstream/json_call.h"

#include <algorithm>
#include <utility>

#include "engines/refusals.h"

namespace craton::engines::upstream {
namespace {

constexpr std::size_t attempts_max = 4;
constexpr std::size_t bytes_max = std::size_t{64} << 20;  // vectors of 1000 texts, as text

}  // namespace

Result<std::shared_ptr<JsonCall>> JsonCall::begin(std::shared_ptr<Cluster> cluster,
                                                  http::Client& client, JsonQuestion question,
                                                  Done done) {
  const std::shared_ptr<JsonCall> call(
      new JsonCall(std::move(cluster), client, std::move(question), std::move(done)));
  const std::lock_guard lock(call->mutex_);
  CRATON_TRY(call->send());
  return call;
}

Result<void> JsonCall::send() {
  const auto now = std::chrono::steady_clock::now();
  if (question_.deadline && now >= *question_.deadline) return timed_out();
  const auto lease = cluster_->pick({question_.key, question_.work, tried_});
  if (!lease) return none_takes_it(lease.error());
  lease_ = *lease;
  tried_.push_back(lease->replica);
  http::ClientRequest request = cluster_->request(lease->replica, question_.path, question_.body);
  request.headers.add("Accept", "application/json");
  request.idle_limit = cluster_->options().idle_limit;
  if (question_.deadline) {
    request.limit =
        std::max(Milliseconds(1), std::chrono::ceil<Milliseconds>(*question_.deadline - now));
  }
  status_ = 0;
  body_.clear();
  const auto take = [self = shared_from_this()](std::string_view bytes) {
    const std::lock_guard lock(self->mutex_);
    self->too_large_ = self->body_.size() + bytes.size() > bytes_max;
    if (self->too_large_) {
      self->transfer_->cancel();
    } else {
      self->body_ += bytes;
    }
    return true;
  };
  transfer_ = client_.send(
      std::move(request), {.on_head =
                               [self = shared_from_this()](http::ClientHead head) {
                                 const std::lock_guard lock(self->mutex_);
                                 self->status_ = head.status;
                               },
                           .on_body = take,
                           .on_end = [self = shared_from_this()](
                                         http::TransferEnd end) { self->on_end(std::move(end)); }});
  return {};
}

void JsonCall::cancel() {
  Done dropped;
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  dropped = std::exchange(done_, nullptr);
  if (transfer_) transfer_->cancel();
}

void JsonCall::on_end(http::TransferEnd end) {
  std::unique_lock lock(mutex_);
  const Balancer::Lease lease = *std::exchange(lease_, std::nullopt);
  if (cancelled_) return cluster_->finish(lease, Outcome::given_up, {});
  if (too_large_) {
    cluster_->finish(lease, Outcome::broken, "the answer is too large");
    return finish({.text = {}, .status = status_, .failure = Failure{not_understood(), {}}}, lock);
  }
  if (end.fault == http::TransferFault::cancelled) {
    cluster_->finish(lease, Outcome::given_up, {});
    return finish({.text = {}, .failure = Failure{engine_stops(), {}}}, lock);
  }
  const bool late = question_.deadline && std::chrono::steady_clock::now() >= *question_.deadline;
  const Verdict verdict = verdict_of({end.fault, status_, late, body_});
  // What a server has not, it has not: that is no failure of the replica's.
  const bool missing = status_ == 404 || status_ == 405 || status_ == 501;
  cluster_->finish(lease, missing ? Outcome::answered : verdict.outcome, end.reason);
  if (!verdict.refusal) {
    return finish({.text = std::move(body_), .status = status_}, lock);
  }
  if (verdict.elsewhere && tried_.size() < attempts_max && send()) return;
  finish({.text = {}, .status = status_, .failure = verdict.refusal->failure}, lock);
}

/// Outside the lock: whoever is told may let go of the call.
void JsonCall::finish(JsonAnswer answer, std::unique_lock<std::mutex>& lock) {
  const Done done = std::exchange(done_, nullptr);
  lock.unlock();
  if (done) done(std::move(answer));
}

}  // namespace craton::engines::upstream
