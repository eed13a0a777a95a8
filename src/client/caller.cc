#include "client/caller.h"

#include <algorithm>
#include <ctime>
#include <mutex>
#include <utility>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "client/endpoint.h"
#include "client/errors.h"
#include "event_stream/message.h"

namespace craton::client {
namespace {

using Kind = CallError::Kind;

constexpr std::string_view generations[] = {"Converse", "ConverseStream", "InvokeModel",
                                            "InvokeModelWithResponseStream"};

/// A clock that is wrong by more is corrected; less does no harm.
constexpr std::chrono::seconds skew_min{240};

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

std::optional<WallTime> date_of(const http::ClientHead& head) {
  const std::string text(head.headers.find("date").value_or(""));
  std::tm parts{};
  if (!strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts)) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

bool speaks_of_the_clock(const CallError& error) {
  return error.type == "RequestTimeTooSkewed" || error.type == "RequestExpired" ||
         (error.type == "InvalidSignatureException" &&
          (error.message.find("Signature expired") != std::string::npos ||
           error.message.find("Signature not yet current") != std::string::npos));
}

std::string_view header_of(const event_stream::Message& message, std::string_view name) {
  const auto found = std::ranges::find(message.headers, name, &event_stream::Header::name);
  return found == message.headers.end() ? std::string_view() : std::string_view(found->value);
}

/// `chunk` carries the provider's JSON as base64.
std::string payload_of(std::string_view type, std::string payload) {
  if (type != "chunk") return payload;
  const Result<json::value> value = json::parse(payload);
  const json::value* bytes =
      value && value->is_object() ? value->get_object().if_contains("bytes") : nullptr;
  if (!bytes || !bytes->is_string()) return payload;
  return base64_bytes(std::string_view(bytes->get_string())).value_or(std::move(payload));
}

}  // namespace

/// One call: its attempts, one after the other. Its state is the HTTP client's thread's, once the
/// first request is on its way; before, whoever brings the credentials.
class Caller::Attempts : public std::enable_shared_from_this<Attempts> {
 public:
  using Done = std::function<void(Outcome<Reply>)>;
  using Opened = std::function<void(Outcome<OpenedStream>)>;

  Attempts(std::shared_ptr<Caller> caller, const api::Operation& operation, WireRequest request,
           Done done, Opened opened)
      : caller_(std::move(caller)),
        operation_(operation),
        request_(std::move(request)),
        endpoint_(endpoint_of(settings().url_of(operation.service))),
        invocation_(random_uuid()),
        done_(std::move(done)),
        opened_(std::move(opened)) {}

  void begin() {
    const Milliseconds wait = caller_->retries_.before_sending(steady_now());
    if (wait > Milliseconds{}) {
      caller_->http_.call_later(wait, [self = shared_from_this()] { self->sign_and_send(); });
    } else {
      sign_and_send();
    }
  }

  void cancel() {
    std::shared_ptr<http::Client::Transfer> transfer;
    {
      const std::lock_guard lock(mutex_);
      cancelled_ = true;
      transfer = transfer_;
    }
    if (transfer) transfer->cancel();
  }

 private:
  const Settings& settings() const { return caller_->settings_; }

  bool cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void sign_and_send() {
    if (cancelled()) return fail({.kind = Kind::cancelled, .message = "given up"});
    if (!settings().bearer_token.empty()) {
      return send({{"Authorization", "Bearer " + settings().bearer_token}});
    }
    caller_->credentials_->get([self = shared_from_this()](Result<sigv4::Credentials> found) {
      if (!found) return self->fail(refused(Kind::credentials, found.error()));
      self->send(self->signature(*found));
    });
  }

  sigv4::Fields signature(const sigv4::Credentials& credentials) const {
    const std::string path = endpoint_.prefix + request_.path;
    return sigv4::sign({.method = request_.method,
                        .host = endpoint_.host,
                        .path = path,
                        .query = request_.query,
                        .headers = request_.headers,
                        .body = request_.body},
                       credentials, {settings().region, "bedrock"},
                       system_now() + caller_->skew_.load());
  }

  void send(sigv4::Fields authorization) {
    ++attempts_;
    head_ = {};
    body_.clear();
    http::ClientRequest request{.method = std::string(request_.method)};
    request.url = settings().url_of(operation_.service) + request_.path;
    if (!request_.query.empty()) request.url += "?" + request_.query;
    for (const sigv4::Fields* fields : {&request_.headers, &std::as_const(authorization)}) {
      for (const auto& [name, value] : *fields) request.headers.add(name, value);
    }
    if (!request.headers.find("accept")) request.headers.add("Accept", "application/json");
    request.headers.add("User-Agent", user_agent());
    request.headers.add("amz-sdk-invocation-id", invocation_);
    request.headers.add("amz-sdk-request", "attempt=" + std::to_string(attempts_) +
                                               "; max=" + std::to_string(settings().max_attempts));
    request.body = request_.body;
    request.connect_limit = settings().options.connect_timeout;
    request.idle_limit = settings().options.read_timeout;
    transmit(std::move(request));
  }

  std::string user_agent() const {
    std::string text = "craton/" CRATON_VERSION " ua/2.1 os/linux lang/c++ cfg/retry-mode#";
    text += settings().retry_mode == RetryMode::adaptive ? "adaptive" : "standard";
    if (!settings().options.user_agent.empty()) text += " " + settings().options.user_agent;
    return text;
  }

  void transmit(http::ClientRequest request) {
    const auto self = shared_from_this();
    auto transfer = caller_->http_.send(
        std::move(request),
        {.on_head = [self](http::ClientHead head) { self->take_head(std::move(head)); },
         .on_body = [self](std::string_view bytes) { return self->take_body(bytes); },
         .on_end = [self](const http::TransferEnd& end) { self->take_end(end); }});
    bool cancelled = false;
    {
      const std::lock_guard lock(mutex_);
      transfer_ = transfer;
      cancelled = cancelled_;
      if (channel_) channel_->follow(transfer);
    }
    if (cancelled) transfer->cancel();
  }

  void take_head(http::ClientHead head) {
    head_ = std::move(head);
    if (!opened_ || head_.status != operation_.status) return;
    // From here on nothing is tried again: the answer has begun.
    auto channel = std::make_shared<MessageChannel>();
    {
      const std::lock_guard lock(mutex_);
      channel_ = channel;
      if (transfer_) channel_->follow(transfer_);
    }
    note_success();
    const Opened opened = std::exchange(opened_, nullptr);
    opened(OpenedStream{std::move(channel), request_id_of(head_)});
  }

  bool take_body(std::string_view bytes) {
    if (!channel_) {
      body_ += bytes;
      return true;
    }
    if (!channel_->has_room()) return false;
    decoder_.feed(bytes);
    take_messages();
    return true;
  }

  void take_messages() {
    while (!stream_error_) {
      Result<std::optional<event_stream::Message>> message = decoder_.next();
      if (!message) {
        stream_error_ = refused(Kind::protocol, message.error());
      } else if (!*message) {
        return;
      } else {
        take_message(std::move(**message));
      }
    }
    const std::lock_guard lock(mutex_);
    if (transfer_) transfer_->cancel();  // what follows is not of this stream
  }

  void take_message(event_stream::Message message) {
    if (const std::string_view type = header_of(message, ":event-type"); !type.empty()) {
      channel_->push({std::string(type), payload_of(type, std::move(message.payload))});
    } else if (header_of(message, ":message-type") == "error") {
      stream_error_ = CallError{.kind = Kind::service,
                                .type = std::string(header_of(message, ":error-code")),
                                .message = std::string(header_of(message, ":error-message"))};
    } else {
      stream_error_ = stream_error(header_of(message, ":exception-type"), message.payload);
    }
  }

  void take_end(const http::TransferEnd& end) {
    if (channel_) return end_stream(end);
    const bool whole = end.fault == http::TransferFault::none;
    if (whole && head_.status >= 200 && head_.status < 300 && done_) return succeed();
    CallError error = whole ? service_error(head_, body_) : transfer_error(end);
    if (whole && opened_ && head_.status < 300) {
      error = {.kind = Kind::protocol, .message = "the answer is no stream"};
    }
    error.attempts = attempts_;
    caller_->retries_.answered(cause_of(error) == RetryCause::throttling, steady_now());
    again_or_fail(std::move(error));
  }

  void end_stream(const http::TransferEnd& end) {
    if (!stream_error_ && end.fault != http::TransferFault::none)
      stream_error_ = transfer_error(end);
    if (!stream_error_ && !decoder_.at_boundary()) {
      stream_error_ =
          CallError{.kind = Kind::protocol, .message = "the stream ended within a message"};
    }
    if (stream_error_) {
      stream_error_->attempts = attempts_;
      stream_error_->request_id = request_id_of(head_);
      stream_error_->retryable = cause_of(*stream_error_) != RetryCause::none;
    }
    channel_->end(std::exchange(stream_error_, std::nullopt));
  }

  void note_success() {
    caller_->retries_.succeeded(taken_);
    caller_->retries_.answered(false, steady_now());
  }

  void succeed() {
    note_success();
    Reply reply{
        .status = head_.status, .request_id = request_id_of(head_), .body = std::move(body_)};
    for (const http::Header& field : head_.headers) {
      reply.headers.emplace_back(field.name, field.value);
    }
    const Done done = std::exchange(done_, nullptr);
    done(std::move(reply));
  }

  /// Whether another attempt could be a second generation beside one that is being made.
  bool may_be_running(const CallError& error) const {
    const bool generates = std::ranges::find(generations, operation_.name) != std::end(generations);
    const bool lost =
        error.kind == Kind::time_out || (error.kind == Kind::connection && head_.status != 0);
    return generates && lost && !settings().options.retry_generations_after_time_out;
  }

  void again_or_fail(CallError error) {
    if (correct_clock(error)) return begin();
    const RetryCause cause = may_be_running(error) ? RetryCause::none : cause_of(error);
    const auto wait = caller_->retries_.delay(cause, attempts_, error.retry_after, taken_);
    if (!wait || cancelled()) {
      error.retryable = cause != RetryCause::none;
      return fail(std::move(error));
    }
    caller_->http_.call_later(*wait, [self = shared_from_this()] { self->begin(); });
  }

  /// Once a call: our clock is wrong, and the answer says by how much.
  bool correct_clock(const CallError& error) {
    if (corrected_ || !speaks_of_the_clock(error)) return false;
    const auto date = date_of(head_);
    if (!date) return false;
    const auto skew = std::chrono::duration_cast<std::chrono::seconds>(*date - system_now());
    if (std::chrono::abs(skew - caller_->skew_.load()) < skew_min) return false;
    caller_->skew_ = skew;
    return corrected_ = true;
  }

  void fail(CallError error) {
    error.attempts = attempts_;
    if (const Done done = std::exchange(done_, nullptr))
      return done(tl::unexpected(std::move(error)));
    const Opened opened = std::exchange(opened_, nullptr);
    if (opened) opened(tl::unexpected(std::move(error)));
  }

  const std::shared_ptr<Caller> caller_;
  const api::Operation& operation_;
  const WireRequest request_;
  const Endpoint endpoint_;
  const std::string invocation_;
  Done done_;      // of a whole answer,
  Opened opened_;  // or of a stream
  int attempts_ = 0;
  int taken_ = 0;
  bool corrected_ = false;
  http::ClientHead head_;
  std::string body_;
  event_stream::Decoder decoder_;
  std::optional<CallError> stream_error_;

  std::mutex mutex_;  // guards what follows
  std::shared_ptr<http::Client::Transfer> transfer_;
  std::shared_ptr<MessageChannel>
      channel_;  // read without it on the HTTP client's thread, which sets it
  bool cancelled_ = false;
};

Caller::Caller(Settings settings)
    : settings_(std::move(settings)),
      credentials_(credentials_of(settings_)),
      retries_({settings_.retry_mode, settings_.max_attempts}),
      http_({.authority_file = settings_.ca_bundle, .proxy = settings_.options.proxy}) {}

Cancel Caller::send(const api::Operation& operation, WireRequest request,
                    std::function<void(Outcome<Reply>)> callback) {
  auto attempts = std::make_shared<Attempts>(shared_from_this(), operation, std::move(request),
                                             std::move(callback), nullptr);
  attempts->begin();
  return [attempts] { attempts->cancel(); };
}

Cancel Caller::open(const api::Operation& operation, WireRequest request,
                    std::function<void(Outcome<OpenedStream>)> callback) {
  auto attempts = std::make_shared<Attempts>(shared_from_this(), operation, std::move(request),
                                             nullptr, std::move(callback));
  attempts->begin();
  return [attempts] { attempts->cancel(); };
}

}  // namespace craton::client
