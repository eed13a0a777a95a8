// Certificates of one's own making, for TLS on one's own machine.
//
//   <folder>/ca.pem        the authority's certificate: what clients are told to trust
//   <folder>/ca-key.pem    its key, for the owner's eyes only
//   <folder>/server.pem    the server's certificate and key, signed by the authority
//
// The server's certificate is no authority itself (CA:FALSE): rustls refuses one that is. Both are
// used again as long as they are valid, so that clients need to trust the authority once.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace craton::http {

struct SelfSigned {
  std::filesystem::path authority;    ///< ca.pem
  std::filesystem::path certificate;  ///< server.pem
};

/// Makes what is missing, worn out or for other hosts; two processes may do so at once.
/// `hosts`: names and addresses that the server is reached by, beside localhost, 127.0.0.1 and ::1.
/// Fails with `validation` when the folder cannot be written; the message names it.
Result<SelfSigned> self_signed(const std::filesystem::path& folder,
                               std::span<const std::string> hosts, WallTime now);

}  // namespace craton::http
