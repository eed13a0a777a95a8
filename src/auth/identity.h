// Identity: who may ask, by which key, for what and how much.
//
// Plain values: no I/O, no threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/quota.h"
#include "base/clock.h"
#include "base/result.h"

namespace craton::auth {

/// An operation that is allowed, of some models or all: "bedrock:InvokeModel:anthropic.*".
struct Allow {
  std::string action;       ///< "bedrock:InvokeModel"; `*` stands for any text.
  std::string model = "*";  ///< Of model ids and inference profile ids.

  friend bool operator==(const Allow&, const Allow&) = default;
};

/// Fails with `validation`, saying what a rule looks like.
Result<Allow> read_allow(std::string_view text);
std::string text_of(const Allow& allow);

struct Identity {
  std::string name;  ///< By which people call it; it is the user of its ARN.
  /// Of the key: an access key id, or a bearer key's name ("BedrockAPIKey-x7mk").
  std::string key_id;
  std::string secret = {};        ///< Of an access key.
  std::string token_hash = {};    ///< SHA-256 of an access key's session token; empty: it has none.
  std::string key_hash = {};      ///< SHA-256 of a bearer key.
  std::vector<Allow> allow = {};  ///< Empty: everything.
  Quota quota = {};
  WallTime created = {};
  std::optional<WallTime> expires = std::nullopt;

  bool is_bearer() const { return !key_hash.empty(); }
  bool expired(WallTime now) const { return expires && *expires <= now; }

  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Whether it may do that with any of these: a model's id, and that of a profile by which it was
/// named. No model: whether it may do that at all.
bool allows(const Identity& identity, std::string_view action,
            const std::vector<std::string_view>& models = {});

}  // namespace craton::auth
