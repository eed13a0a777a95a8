#include "engines/upstream/answer_call.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "engines/refusals.h"
#include "engines/upstream/chat_request.h"
#include "engines/upstream/prompt_measure.h"

namespace craton::engines::upstream {
namespace {

constexpr std::size_t attempts_max = 4;  // of a request: more would make bad days worse
constexpr std::size_t refusal_bytes_max = 64 * 1024;
constexpr std::size_t whole_bytes_max = std::size_t{16} << 20;

/// Of the header Retry-After in seconds; dates are not read.
std::optional<Milliseconds> retry_after_of(const http::Headers& headers) {
  const auto value = headers.find("retry-after");
  int seconds = 0;
  if (!value) return std::nullopt;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (error != std::errc() || end != value->data() + value->size() || seconds < 0) {
    return std::nullopt;
  }
  return Milliseconds(1000 * std::min(seconds, 3600));
}

}  // namespace

AnswerCall::AnswerCall(std::shared_ptr<Cluster> cluster, http::Client& client,
                       Conversation conversation, const Limits& limits)
    : cluster_(std::move(cluster)),
      client_(client),
      conversation_(std::move(conversation)),
      deadline_(limits.deadline),
      key_(prefix_key(conversation_)),
      work_(work_of(conversation_)) {
  ++cluster_->waiting;
}

AnswerCall::~AnswerCall() {
  // Without a lease, unless the engine goes while the request is being begun.
  if (lease_) release(Outcome::given_up, {});
  --(began_ ? cluster_->running : cluster_->waiting);
}

Result<std::shared_ptr<Generation>> AnswerCall::begin(std::shared_ptr<Cluster> cluster,
                                                      http::Client& client,
                                                      Conversation conversation,
                                                      const Limits& limits) {
  const std::shared_ptr<AnswerCall> call(
      new AnswerCall(std::move(cluster), client, std::move(conversation), limits));
  auto generation = std::make_shared<Generation>([call] { call->wake(); });
  const std::lock_guard lock(call->mutex_);
  call->generation_ = generation;
  CRATON_TRY(call->send());
  return generation;
}

bool AnswerCall::past_deadline() const {
  return deadline_ && std::chrono::steady_clock::now() >= *deadline_;
}

/// To the replica that is next, or once more to the one that has it.
Result<void> AnswerCall::send(bool to_the_same) {
  const Served* served = cluster_->served();
  if (!served) return none_takes_it(Balancer::Why::down);
  CRATON_TRY_ASSIGN(std::string body, chat_body(conversation_, {.model = served->model,
                                                                .kind = *served->kind,
                                                                .tokens_max = tokens_max_}));
  if (past_deadline()) return timed_out();
  if (!to_the_same) {
    const auto lease = cluster_->pick({key_, work_, tried_});
    if (!lease) return none_takes_it(lease.error());
    lease_ = *lease;
    tried_.push_back(lease->replica);
  }
  http::ClientRequest request =
      cluster_->request(lease_->replica, chat_path(conversation_), std::move(body));
  request.headers.add("Accept", "text/event-stream, application/json");
  request.repeatable = false;  // a second generation is nobody's wish
  request.idle_limit = cluster_->options().idle_limit;
  if (deadline_) {
    const auto left = *deadline_ - std::chrono::steady_clock::now();
    request.limit = std::max(Milliseconds(1), std::chrono::ceil<Milliseconds>(left));
  }
  status_ = 0;
  retry_after_.reset();
  body_ = Body::none;
  kept_.clear();
  transfer_ = client_.send(std::move(request), handlers());
  return {};
}

/// They keep the call until the transfer has ended.
http::ClientHandlers AnswerCall::handlers() {
  return {.on_head = [self = shared_from_this()](
                         http::ClientHead head) { self->on_head(std::move(head)); },
          .on_body =
              [self = shared_from_this()](std::string_view bytes) { return self->on_body(bytes); },
          .on_end =
              [self = shared_from_this()](http::TransferEnd end) { self->on_end(std::move(end)); }};
}

/// There is room again, or the caller has left.
void AnswerCall::wake() {
  const std::lock_guard lock(mutex_);
  const auto generation = generation_.lock();
  const bool left = !generation || generation->cancelled();
  if (!left) flush();
  if (left) pending_.clear();
  if (transfer_) left ? transfer_->cancel() : transfer_->resume();
}

void AnswerCall::on_head(http::ClientHead head) {
  const std::lock_guard lock(mutex_);
  status_ = head.status;
  if (status_ != 200) {
    retry_after_ = retry_after_of(head.headers);
    return;
  }
  if (!std::exchange(began_, true)) {
    --cluster_->waiting;
    ++cluster_->running;
  }
  const std::string_view type = head.headers.find("content-type").value_or(std::string_view());
  if (type.starts_with("text/event-stream")) body_ = Body::events;
  if (type.starts_with("application/json")) body_ = Body::whole;
  const bool goes_on =
      conversation_.turns.back().role == Role::assistant && cluster_->served()->kind->repeats_begun;
  reader_.emplace(ChunkForm{.thoughts_shown = conversation_.reasoning.wanted,
                            .tokens_lowered = tokens_max_.has_value(),
                            .begun = goes_on ? text_of(conversation_.turns.back()) : "",
                            .prompt_tokens = estimated_tokens(conversation_)});
}

bool AnswerCall::on_body(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (over_) {
    bytes_after_end_ += bytes.size();
    if (bytes_after_end_ > refusal_bytes_max) transfer_->cancel();
    return true;
  }
  if (status_ != 200) {
    read_refusal(bytes);
    return true;
  }
  flush();
  if (!pending_.empty()) return false;
  switch (body_) {
    case Body::events: read_events(bytes); break;
    case Body::whole: read_whole(bytes); break;
    case Body::none:
      fail({not_understood(), {}}, Outcome::broken, "neither events nor JSON came");
      break;
  }
  flush();
  return true;
}

void AnswerCall::read_refusal(std::string_view bytes) {
  kept_ += bytes.substr(0, refusal_bytes_max - std::min(kept_.size(), refusal_bytes_max));
  if (kept_.size() >= refusal_bytes_max) transfer_->cancel();
}

void AnswerCall::read_whole(std::string_view bytes) {
  kept_ += bytes;
  if (kept_.size() <= whole_bytes_max) return;
  fail({not_understood(), {}}, Outcome::broken, "the answer is too large");
}

void AnswerCall::read_events(std::string_view bytes) {
  std::vector<ServerSentEvent> pieces;
  std::vector<Event> events;
  Result<void> read = parser_.feed(bytes, pieces);
  for (const ServerSentEvent& piece : pieces) {
    if (read) read = reader_->read(piece, events);
  }
  for (Event& event : events) pending_.push_back(std::move(event));
  if (!read) return fail({read.error(), {}}, Outcome::broken, "a piece of the stream is none");
  if (reader_->done()) end_of_answer();
}

/// Makes the last events. False when the answer has no end.
bool AnswerCall::end_of_answer() {
  std::vector<Event> events;
  const Result<void> whole = reader_->finish(events);
  if (!whole) {
    fail({whole.error(), {}}, Outcome::broken, "the answer has no end");
    return false;
  }
  for (Event& event : events) pending_.push_back(std::move(event));
  complete();
  return true;
}

void AnswerCall::complete() {
  over_ = true;
  const auto& usage = std::get<Usage>(pending_.back());
  cluster_->prompt_tokens += static_cast<std::uint64_t>(prompt_tokens(usage));
  cluster_->cached_tokens += static_cast<std::uint64_t>(usage.cache_read_tokens);
  cluster_->generated_tokens += static_cast<std::uint64_t>(usage.output_tokens);
  if (reader_->usage_missing() && !cluster_->warned_of_usage.exchange(true)) {
    log::warning("usage_estimated",
                 {{"replica", cluster_->options().replicas[lease_->replica]},
                  {"reason", "the server tells no usage: tokens are counted by bytes"}});
  }
  release(Outcome::answered, {});
}

/// The failure is the last event, behind what has come so far.
void AnswerCall::fail(Failure failure, Outcome outcome, std::string_view reason) {
  if (std::exchange(over_, true)) return;
  pending_.emplace_back(std::move(failure));
  release(outcome, reason);
  if (transfer_) transfer_->cancel();
}

void AnswerCall::release(Outcome outcome, std::string_view reason) {
  if (const auto lease = std::exchange(lease_, std::nullopt)) {
    cluster_->finish(*lease, outcome, reason, retry_after_);
  }
}

/// A server that takes no more tokens than there is room for is asked for as many as that.
bool AnswerCall::asks_for_less(const Verdict& verdict) {
  const auto& measured = verdict.refusal->measured;
  if (!measured || tokens_max_ || !conversation_.sampling.tokens_max) return false;
  const int room = measured->context_tokens - measured->input_tokens;
  if (room < 1 || room >= *conversation_.sampling.tokens_max) return false;
  tokens_max_ = room;
  return send(true).has_value();
}

void AnswerCall::on_end(http::TransferEnd end) {
  const std::lock_guard lock(mutex_);
  if (over_) return flush();
  const auto generation = generation_.lock();
  if (!generation || generation->cancelled()) {
    over_ = true;
    return release(Outcome::given_up, {});
  }
  const bool refused = status_ != 0 && status_ != 200;
  if (end.fault == http::TransferFault::cancelled && !refused) {
    fail({engine_stops(), {}}, Outcome::given_up, {});
    return flush();
  }
  const Verdict verdict = verdict_of({end.fault, status_, past_deadline(), kept_});
  if (!verdict.refusal) {
    std::vector<ServerSentEvent> pieces;
    std::vector<Event> events;
    Result<void> read;
    if (body_ == Body::events) parser_.finish(pieces);
    if (body_ == Body::whole) read = reader_->read_whole(kept_, events);
    for (const ServerSentEvent& piece : pieces) {
      if (read) read = reader_->read(piece, events);
    }
    for (Event& event : events) pending_.push_back(std::move(event));
    if (!read) fail({read.error(), {}}, Outcome::broken, "the answer is none");
    if (read) end_of_answer();
    return flush();
  }
  if (asks_for_less(verdict)) return;
  release(verdict.outcome, end.reason);
  if (verdict.elsewhere && tried_.size() < attempts_max && send()) return;
  fail(verdict.refusal->failure, verdict.outcome, {});
  flush();
}

void AnswerCall::flush() {
  const auto generation = generation_.lock();
  if (!generation) {
    pending_.clear();
    if (transfer_) transfer_->cancel();
    return;
  }
  while (!pending_.empty()) {
    Event event = pending_.front();
    if (!generation->offer(std::move(event))) return;
    pending_.pop_front();
  }
}

}  // namespace craton::engines::upstream
