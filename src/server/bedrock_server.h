// BedrockServer: the catalogue, the models, the service and the HTTP server, put together.
//
// Beside Bedrock's operations it answers /health (200 while the process serves) and /ready (503
// until the models that are kept are loaded), /metrics, and to loopback alone /_craton/.
//
// Threads: call from one thread; stop() may be called while another is in drain().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.h"
#include "server/config.h"
#include "server/served_models.h"

namespace craton::server {

class BedrockServer {
 public:
  /// Listens and serves when it returns; models load in the background meanwhile.
  /// Fails when the address or the certificate cannot be had; the message names it and the cure.
  static Result<std::unique_ptr<BedrockServer>> start(const Config& config,
                                                      std::shared_ptr<ServedModels> models);
  ~BedrockServer();

  std::uint16_t port() const;

  /// "http://127.0.0.1:8420"
  std::string url() const;

  /// The certificate file that clients have to trust; empty when there is no self-signed one.
  const std::string& authority_file() const;

  /// Keys by which callers are let in; nullopt: everybody is.
  std::optional<std::size_t> keys() const;

  /// Reads the certificate's files again, for connections from now on. Fails, changing nothing, as
  /// start() would.
  Result<void> reload_tls();

  /// Lets answers in progress finish. False when `limit` passed or stop() came first.
  bool drain(std::chrono::milliseconds limit);
  void stop();

 private:
  BedrockServer();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace craton::server
