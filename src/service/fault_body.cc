#include "service/fault_body.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "event_stream/bedrock_events.h"
#include "event_stream/message.h"
#include "http/awaitable.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;
using engines::faults::Fault;
using engines::faults::Kind;

/// Bytes of the event that `bytes` begin with; 0 when it is not whole. What cannot be cut is one.
std::size_t event_size(std::string_view bytes, Framing framing) {
  if (framing == Framing::server_sent_events) {
    const std::size_t end = bytes.find("\n\n");
    return end == bytes.npos ? 0 : end + 2;
  }
  if (bytes.size() < event_stream::prelude_size) return 0;
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i)
    size = size << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return size <= bytes.size() ? size : 0;
}

/// A native piece without the metrics that Bedrock adds to the last.
std::optional<std::string> without_metrics(const std::string& payload) {
  const Result<json::value> read = json::parse(payload);
  const auto* members = read ? read->if_object() : nullptr;
  const auto* bytes = members ? members->if_contains("bytes") : nullptr;
  if (!bytes || !bytes->is_string()) return std::nullopt;
  std::string piece = base64_bytes(bytes->get_string()).value_or(std::string());
  const std::size_t at = piece.find(R"(,"amazon-bedrock-invocationMetrics":{)");
  if (at == piece.npos) return std::nullopt;
  piece.resize(at);
  return piece + "}";
}

/// `event` without tokens and latency; empty when nothing is left of it.
std::string without_metadata(std::string event) {
  event_stream::Decoder decoder;
  decoder.feed(event);
  const auto message = decoder.next();
  if (!message || !*message) return event;
  for (const event_stream::Header& header : (*message)->headers) {
    if (header.name == ":event-type" && header.value == "metadata") return {};
  }
  const std::optional<std::string> piece = without_metrics((*message)->payload);
  if (!piece) return event;
  std::string framed;
  const auto written =
      event_stream::append_chunk(*piece, event_stream::padding(random_number()), framed);
  return written ? framed : event;
}

class FaultBody : public http::BodyStream {
 public:
  FaultBody(std::unique_ptr<EventBody> body, std::shared_ptr<Account> account, Framing framing)
      : body_(std::move(body)), account_(std::move(account)), framing_(framing) {}

  awaitable<std::optional<std::string>> next() override {
    while (true) {
      if (!out_.empty()) co_return co_await next_slice();
      if (over_) co_return std::nullopt;
      if (const std::size_t size = event_size(buffer_, framing_); size > 0) {
        std::string event = buffer_.substr(0, size);
        buffer_.erase(0, size);
        co_await strike(std::move(event));
        continue;
      }
      std::optional<std::string> bytes = co_await body_->next();
      over_ = !bytes;
      out_ = over_ ? std::exchange(buffer_, {}) : std::string();
      if (bytes) buffer_ += *bytes;
    }
  }

  /// Slices are to arrive as such.
  bool writes_alone() const override { return true; }

 private:
  /// The fault of that kind that strikes now; null when there is none.
  const Fault* striking(Kind kind) const {
    for (const auto& fault : account_->faults) {
      if (fault->kind == kind && (fault->at == 0 || fault->at == event_)) return fault.get();
    }
    return nullptr;
  }

  awaitable<std::optional<std::string>> next_slice() {
    const Fault* sliced = striking(Kind::sliced);
    if (!sliced) co_return std::exchange(out_, {});
    if (sliced->wait.count() > 0 && std::exchange(sliced_before_, true)) {
      co_await http::sleep_for(sliced->wait);
    }
    std::string slice = out_.substr(0, static_cast<std::size_t>(sliced->bytes));
    out_.erase(0, slice.size());
    co_return slice;
  }

  awaitable<void> strike(std::string event) {
    ++event_;
    if (const Fault* jitter = striking(Kind::jitter)) {
      const auto most = static_cast<std::uint64_t>(jitter->wait.count()) + 1;
      const Milliseconds late(static_cast<std::int64_t>(random_number() % most));
      co_await http::sleep_for(late);
    }
    if (const Fault* stall = striking(Kind::stall)) co_await http::sleep_for(stall->wait);
    if (const Fault* drop = striking(Kind::drop)) {
      end_with(*drop);
      throw std::runtime_error("the connection is dropped, as a fault asks");
    }
    if (const Fault* cut = striking(Kind::cut)) co_return end_with(*cut);
    const Fault* exception = striking(Kind::exception);
    if (exception && exception->at > 0) {
      body_->append_failure({exception->code, exception->message}, out_);
      co_return end_with(*exception);
    }
    if (striking(Kind::no_metadata)) event = without_metadata(std::move(event));
    if (striking(Kind::bad_crc)) event.back() = static_cast<char>(event.back() ^ 1);
    out_ += event;
  }

  void end_with(const Fault& fault) {
    over_ = true;
    account_->error = fault.name;
    account_->complete = true;
  }

  std::unique_ptr<EventBody> body_;
  std::shared_ptr<Account> account_;
  const Framing framing_;
  std::string buffer_;  ///< Of the body, not looked at yet.
  std::string out_;     ///< To go out.
  int event_ = 0;       ///< Number of the latest, from 1.
  bool over_ = false;
  bool sliced_before_ = false;
};

/// Breaks the connection behind the head.
class BrokenBody : public http::BodyStream {
 public:
  awaitable<std::optional<std::string>> next() override {
    throw std::runtime_error("the connection is dropped, as a fault asks");
    co_return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<http::BodyStream> stream_body(Event first, std::vector<Running> running,
                                              std::unique_ptr<EventWriter> writer,
                                              std::shared_ptr<Account> account, Framing framing) {
  auto body =
      std::make_unique<EventBody>(std::move(first), std::move(running), std::move(writer), account);
  if (account->faults.empty()) return body;
  return std::make_unique<FaultBody>(std::move(body), std::move(account), framing);
}

void mark_faults(const Account& account, http::Response& response) {
  for (const auto& fault : account.faults) {
    const bool refused = response.status >= 400;
    if (refused && fault->kind != Kind::exception && fault->kind != Kind::slow_start) continue;
    response.headers.add("x-craton-fault", fault->name);
    if (fault->kind == Kind::exception && refused && fault->retry_after) {
      response.headers.add("x-amz-retry-after", std::to_string(fault->retry_after->count()));
    }
    if (fault->kind == Kind::malformed) response.body.resize(response.body.size() / 2);
    if (fault->kind == Kind::drop && !response.stream && !refused) {
      response.body.clear();
      response.stream = std::make_unique<BrokenBody>();
    }
  }
}

}  // namespace craton::service
