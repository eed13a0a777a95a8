// An operation's input, as JSON, to the request that asks for it: path, query, header fields and
// body by the operation's shapes. What api/ reads, written.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string>
#include <string_view>

#include "api/operation.h"
#include "base/json.h"
#include "base/result.h"
#include "sigv4/signer.h"

namespace craton::client {

struct WireRequest {
  std::string_view method;
  std::string path;        ///< "/model/anthropic.claude-v2%3A1/invoke"
  std::string query = {};  ///< Without '?'; empty: none.
  sigv4::Fields headers = {};
  std::string body = {};
};

/// The request for `operation`. `input` has its members by their names in the service model. A
/// member that is a whole body (InvokeModel's `body`) is a string of its bytes, or JSON that is
/// written as text. A missing `clientRequestToken` is made up.
/// Fails with `validation` when a member of the path is missing or empty, or when there is no
/// member of that name; the message names the nearest.
Result<WireRequest> write_request(const api::Operation& operation, const json::object& input);

}  // namespace craton::client
