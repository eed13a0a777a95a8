// JsonCall: a request to some replica whose answer is one JSON text: tokens, vectors, ranks.
//
// Threads: `done` is called on the client's thread, or by begin() itself; cancel() by any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engines/upstream/cluster.h"
#include "engines/upstream/verdict.h"

namespace craton::engines::upstream {

struct JsonQuestion {
  std::string path;
  std::string body;
  std::uint64_t key = 0;
  std::uint64_t work = 1;
  std::optional<SteadyTime> deadline = std::nullopt;
};

/// A whole body with status 200, or why there is none.
struct JsonAnswer {
  std::string text;
  int status = 0;  ///< Of the last answer; 0: there was none.
  std::optional<Failure> failure = std::nullopt;
};

class JsonCall : public std::enable_shared_from_this<JsonCall> {
 public:
  using Done = std::function<void(JsonAnswer)>;

  /// Sends it; `client` outlives the transfer. Fails, without calling `done`, when no replica takes
  /// it.
  static Result<std::shared_ptr<JsonCall>> begin(std::shared_ptr<Cluster> cluster,
                                                 http::Client& client, JsonQuestion question,
                                                 Done done);

  /// `done` is not called any more, unless it is being called.
  void cancel();

 private:
  JsonCall(std::shared_ptr<Cluster> cluster, http::Client& client, JsonQuestion question, Done done)
      : cluster_(std::move(cluster)),
        client_(client),
        question_(std::move(question)),
        done_(std::move(done)) {}

  Result<void> send();
  void on_end(http::TransferEnd end);
  void finish(JsonAnswer answer, std::unique_lock<std::mutex>& lock);

  const std::shared_ptr<Cluster> cluster_;
  http::Client& client_;
  const JsonQuestion question_;

  std::mutex mutex_;  // guards all below
  Done done_;
  bool cancelled_ = false;
  std::shared_ptr<http::Client::Transfer> transfer_;
  std::optional<Balancer::Lease> lease_;
  std::vector<std::size_t> tried_;
  int status_ = 0;
  std::string body_;
  bool too_large_ = false;
};

}  // namespace craton::engines::upstream
