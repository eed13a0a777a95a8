// Signing a request: the header fields that prove who sends it.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace craton::sigv4 {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};  ///< Empty: of a key that lasts.
};

using Fields = std::vector<std::pair<std::string, std::string>>;

struct RequestToSign {
  std::string_view method;
  std::string_view host;   ///< With the port where it is sent: "127.0.0.1:8420"
  std::string_view path;   ///< As on the wire.
  std::string_view query;  ///< As on the wire, without '?'.
  const Fields& headers;   ///< All are signed, their names in lower case.
  std::string_view body;
};

/// For whom a signature is made.
struct Audience {
  std::string_view region;
  std::string_view service;  ///< "bedrock"
};

/// The fields to add: X-Amz-Date, X-Amz-Security-Token for a session, Authorization.
Fields sign(const RequestToSign& request, const Credentials& credentials, const Audience& audience,
            WallTime now);

}  // namespace craton::sigv4
