// AnswerCall: one answer in the making at a replica, from request to last event.
//
//   begin() ─► pick ─► send ─► on_head ─► on_body … ─► on_end
//                ▲                                        │ it could not begin there
//                └────────────────────────────────────────┘
//
// A caller that reads slowly makes the client stop reading from the server, which then stops
// writing; a caller that leaves closes the connection, by which servers know to stop generating.
//
// Threads: the client's calls the handlers, the caller's wake(); a mutex keeps them apart.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/upstream/chat_chunks.h"
#include "engines/upstream/cluster.h"
#include "engines/upstream/sse.h"
#include "engines/upstream/verdict.h"

namespace craton::engines::upstream {

class AnswerCall : public std::enable_shared_from_this<AnswerCall> {
 public:
  /// Sends the request; the answer arrives in the Generation. `client` outlives the transfer.
  /// Fails as Engine::generate().
  static Result<std::shared_ptr<Generation>> begin(std::shared_ptr<Cluster> cluster,
                                                   http::Client& client, Conversation conversation,
                                                   const Limits& limits);
  ~AnswerCall();

 private:
  enum class Body { none, events, whole };

  AnswerCall(std::shared_ptr<Cluster> cluster, http::Client& client, Conversation conversation,
             const Limits& limits);

  Result<void> send(bool to_the_same = false);
  http::ClientHandlers handlers();
  void wake();

  void on_head(http::ClientHead head);
  bool on_body(std::string_view bytes);
  void on_end(http::TransferEnd end);

  void read_events(std::string_view bytes);
  void read_whole(std::string_view bytes);
  void read_refusal(std::string_view bytes);
  bool end_of_answer();
  bool asks_for_less(const Verdict& verdict);
  void complete();
  void fail(Failure failure, Outcome outcome, std::string_view reason);
  void release(Outcome outcome, std::string_view reason);
  void flush();
  bool past_deadline() const;

  const std::shared_ptr<Cluster> cluster_;
  http::Client& client_;
  const Conversation conversation_;
  const std::optional<SteadyTime> deadline_;
  const std::uint64_t key_;
  const std::uint64_t work_;

  std::mutex mutex_;                      // guards all below
  std::weak_ptr<Generation> generation_;  ///< Which holds this call.
  std::shared_ptr<http::Client::Transfer> transfer_;
  std::optional<Balancer::Lease> lease_;
  std::vector<std::size_t> tried_;
  std::optional<int> tokens_max_;  ///< Lower than the caller's, where no more fit.
  int status_ = 0;
  std::optional<Milliseconds> retry_after_;
  Body body_ = Body::none;
  std::string kept_;  ///< A refusal's body, or a whole answer's.
  EventParser parser_;
  std::optional<ChunkReader> reader_;
  std::deque<Event> pending_;  ///< Events for which the Generation has no room yet.
  bool over_ = false;          ///< The last event is made.
  std::size_t bytes_after_end_ = 0;
  bool began_ = false;  ///< Counted as running.
};

}  // namespace craton::engines::upstream
