// Credentials: found as every AWS SDK finds them, by aws-c-auth.
//
//   told ─► variables ─► profile (keys, role, process) ─► SSO ─► web identity ─► container,
//   instance
//
// Where a profile was asked for by name, it alone is looked at.
//
// Threads: any function may be called from any thread.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "client/settings.h"
#include "sigv4/signer.h"

namespace craton::client {

class CredentialSource {
 public:
  using Callback = std::function<void(Result<sigv4::Credentials>)>;

  virtual ~CredentialSource() = default;

  /// Calls `callback` once, at once or on a thread of aws-c-auth's, which it must not block. Kept
  /// until they expire. Fails with `unrecognized_client`; the message says where was looked.
  virtual void get(Callback callback) = 0;
};

std::shared_ptr<CredentialSource> credentials_of(const Settings& settings);

}  // namespace craton::client
