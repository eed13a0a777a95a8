// Forwarder: requests of others, sent on to the service that the settings name: signed anew, for a
// signature cannot be handed on, and otherwise as they came; the answer comes back the same way.
//
// Nothing is tried again here: whoever asked does that.
//
// Threads: any function may be called from any thread; handlers come on the HTTP client's.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "api/operation.h"
#include "base/result.h"
#include "client/credentials.h"
#include "client/settings.h"
#include "http/client.h"
#include "http/message.h"

namespace craton::client {

class Forwarder {
 public:
  explicit Forwarder(Settings settings);

  const Settings& settings() const { return settings_; }

  /// What cancels or resumes a request that was sent.
  class Sent {
   public:
    void resume();
    void cancel();

   private:
    friend class Forwarder;
    void follow(std::shared_ptr<http::Client::Transfer> transfer);

    std::mutex mutex_;
    std::shared_ptr<http::Client::Transfer> transfer_;
    bool cancelled_ = false;
  };

  /// Sends `request` to that service of the settings. Its credentials, its host, and what is
  /// between it and this server alone stay behind. on_end tells `unreachable` when there are no
  /// credentials.
  std::shared_ptr<Sent> send(api::Service service, const http::Request& request,
                             http::ClientHandlers handlers);

 private:
  void transmit(const std::shared_ptr<Sent>& sent, http::ClientRequest request,
                http::ClientHandlers handlers);

  const Settings settings_;
  const std::shared_ptr<CredentialSource> credentials_;
  http::Client http_;
};

/// True for a field of a request or an answer that is between two neighbours alone.
bool is_between_neighbours(std::string_view name);

}  // namespace craton::client
