// Making keys, in the forms that AWS gives them.
//
// Source: what AWS's consoles and Bedrock's own key generator hand out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.h"

namespace craton::auth {

/// What its owner is told once, and nobody after.
struct NewKey {
  Identity identity;          ///< Without allow rules, quota and times.
  std::string access_key_id;  ///< Empty of a bearer key.
  std::string secret;         ///< Of an access key.
  std::string session_token;  ///< Of a temporary one.
  std::string bearer;         ///< The bearer key.
};

/// "AKIA" and 16 more, a secret of 40 characters.
NewKey new_access_key(std::string name);

/// "ASIA" and 16 more, with a session token.
NewKey new_temporary_key(std::string name);

/// "ABSK" and base64 of a name, the account and a secret.
NewKey new_bearer_key(std::string name, std::string_view account);

}  // namespace craton::auth
