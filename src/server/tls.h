// The server's certificate, as the configuration asks for it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "http/tls.h"
#include "server/config.h"

namespace craton::server {

struct TlsSetup {
  std::shared_ptr<http::TlsContext> context;  ///< Null without TLS.
  std::string authority_file;  ///< What clients have to trust, when it is self-signed.
};

/// Fails with one line that names the file and what is wrong with it.
Result<TlsSetup> make_tls(const Config& config);

}  // namespace craton::server
