// Caller: sends the requests of one client: signed, tried again, their answers read.
//
//   call ─► credentials ─► sign ─► http::Client ─► whole reply, or messages of a stream, or an
//   error
//             ▲                                                    │
//             └──────────── Retries: wait, and again ◄─────────────┘   before the first byte only
//
// Threads: any function may be called from any thread; callbacks come on the HTTP client's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "api/operation.h"
#include "client/credentials.h"
#include "client/message_channel.h"
#include "client/request.h"
#include "client/retry.h"
#include "client/settings.h"
#include "craton/client.h"
#include "http/client.h"

namespace craton::client {

class Caller : public std::enable_shared_from_this<Caller> {
 public:
  explicit Caller(Settings settings);

  const Settings& settings() const { return settings_; }

  /// Calls `callback` once.
  Cancel send(const api::Operation& operation, WireRequest request,
              std::function<void(Outcome<Reply>)> callback);

  struct OpenedStream {
    std::shared_ptr<MessageChannel> messages;
    std::string request_id;
  };
  /// Calls `callback` once: with an error, or with the stream when its head is there.
  Cancel open(const api::Operation& operation, WireRequest request,
              std::function<void(Outcome<OpenedStream>)> callback);

  /// Ends what is in progress, and waits until all callbacks have returned.
  void stop() { http_.stop(); }

 private:
  class Attempts;

  const Settings settings_;
  const std::shared_ptr<CredentialSource> credentials_;
  Retries retries_;
  std::atomic<std::chrono::seconds> skew_{};  ///< The service's clock, ahead of ours.
  http::Client http_;
};

}  // namespace craton::client
