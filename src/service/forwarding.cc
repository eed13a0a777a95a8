#include "service/forwarding.h"

#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "http/awaitable.h"
#include "http/body_stream.h"

namespace craton::service {
namespace {

using boost::asio::awaitable;

constexpr std::size_t waiting_bytes_max = 1024 * 1024;  // of a stream that its reader is behind of
constexpr std::size_t whole_bytes_max = 256 * 1024 * 1024;

/// An answer on its way, between the HTTP client's thread and the caller's.
class Arriving : public std::enable_shared_from_this<Arriving> {
 public:
  http::ClientHandlers handlers() {
    const auto self = shared_from_this();
    return {.on_head = [self](http::ClientHead head) { self->take_head(std::move(head)); },
            .on_body = [self](std::string_view bytes) { return self->take_bytes(bytes); },
            .on_end = [self](http::TransferEnd end) { self->take_end(std::move(end)); }};
  }

  void follow(std::shared_ptr<client::Forwarder::Sent> sent) { sent_ = std::move(sent); }

  /// Gives the rest up.
  void give_up() {
    if (sent_) sent_->cancel();
  }

  void notify(std::function<void()> wake) {
    {
      const std::lock_guard lock(mutex_);
      if (!news_) {
        wake_ = std::move(wake);
        return;
      }
    }
    wake();
  }

  struct News {
    std::optional<http::ClientHead> head;
    std::string bytes;
    std::optional<http::TransferEnd> end;
  };

  /// What has come since the last time.
  News take() {
    News taken;
    bool resume = false;
    {
      const std::lock_guard lock(mutex_);
      taken = std::exchange(now_, {});
      news_ = false;
      resume = std::exchange(held_up_, false);
    }
    if (resume && sent_) sent_->resume();
    return taken;
  }

 private:
  template <class Change>
  void tell(Change change) {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      change();
      news_ = true;
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

  void take_head(http::ClientHead head) {
    is_stream_ = head.headers.find("content-type") == "application/vnd.amazon.eventstream";
    tell([&] { now_.head = std::move(head); });
  }

  bool take_bytes(std::string_view bytes) {
    bool taken = true;
    tell([&] {
      if (is_stream_ && now_.bytes.size() >= waiting_bytes_max) {
        held_up_ = true;
        taken = false;
      } else {
        now_.bytes += bytes;
      }
    });
    return taken;
  }

  void take_end(http::TransferEnd end) {
    tell([&] { now_.end = std::move(end); });
  }

  std::shared_ptr<client::Forwarder::Sent> sent_;
  bool is_stream_ = false;  // the HTTP client's thread alone
  std::mutex mutex_;        // guards what follows
  News now_;
  bool news_ = false;
  bool held_up_ = false;
  std::function<void()> wake_;
};

/// Ends the request with whoever waits for it.
struct GivingUp {
  std::shared_ptr<Arriving> arriving;
  ~GivingUp() {
    if (arriving) arriving->give_up();
  }
};

awaitable<Arriving::News> next_news(std::shared_ptr<Arriving> arriving) {
  const http::Subscribe subscribe = [arriving](std::function<void()> wake) {
    arriving->notify(std::move(wake));
  };
  co_await http::wait_until(subscribe, std::nullopt);
  co_return arriving->take();
}

Error error_of(const http::TransferEnd& end) {
  if (end.fault == http::TransferFault::timed_out) {
    return {ErrorCode::model_timeout, "AWS did not answer in time: " + end.reason};
  }
  return {ErrorCode::service_unavailable, "AWS could not be asked: " + end.reason};
}

/// A stream's bytes as they come.
class ForwardedBody : public http::BodyStream {
 public:
  ForwardedBody(std::shared_ptr<Arriving> arriving, Arriving::News first)
      : giving_up_{arriving}, arriving_(std::move(arriving)), news_(std::move(first)) {}

  awaitable<std::optional<std::string>> next() override {
    while (true) {
      if (!news_.bytes.empty()) co_return std::exchange(news_.bytes, {});
      if (news_.end && news_.end->fault == http::TransferFault::none) co_return std::nullopt;
      // Breaks the caller's answer off as AWS's was.
      if (news_.end) throw std::runtime_error("forwarded stream: " + news_.end->reason);
      news_ = co_await next_news(arriving_);
    }
  }

 private:
  GivingUp giving_up_;
  const std::shared_ptr<Arriving> arriving_;
  Arriving::News news_;
};

http::Response response_of(const http::ClientHead& head) {
  http::Response response;
  response.status = head.status;
  for (const http::Header& field : head.headers) {
    const bool kept =
        !client::is_between_neighbours(field.name) && field.name != "date" && field.name != "Date";
    if (kept) response.headers.add(field.name, field.value);
  }
  response.headers.add("x-craton-engine", "aws");
  return response;
}

}  // namespace

awaitable<Result<http::Response>> forward(std::shared_ptr<client::Forwarder> forwarder,
                                          api::Service service, const http::Request& request) {
  const auto arriving = std::make_shared<Arriving>();
  GivingUp giving_up{arriving};
  arriving->follow(forwarder->send(service, request, arriving->handlers()));
  std::optional<http::ClientHead> head;
  std::string body;
  while (true) {
    Arriving::News news = co_await next_news(arriving);
    if (news.head) head = std::move(news.head);
    const bool is_stream =
        head && head->headers.find("content-type") == "application/vnd.amazon.eventstream";
    if (is_stream) {
      giving_up.arriving = nullptr;
      http::Response response = response_of(*head);
      news.head.reset();
      response.stream = std::make_unique<ForwardedBody>(arriving, std::move(news));
      co_return response;
    }
    body += news.bytes;
    if (body.size() > whole_bytes_max) {
      co_return Error{ErrorCode::service_unavailable, "AWS's answer is too large."};
    }
    if (!news.end) continue;
    if (news.end->fault != http::TransferFault::none) co_return error_of(*news.end);
    http::Response response = response_of(*head);
    response.body = std::move(body);
    co_return response;
  }
}

}  // namespace craton::service
