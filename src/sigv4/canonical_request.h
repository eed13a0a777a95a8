// The canonical request: one text for a request, which its sender signs and its receiver computes
// again, however proxies and libraries may have written it down.
//
//   POST
//   /model/anthropic.claude-v2%253A1/invoke       the path, each segment encoded once more
//   X-Amz-Algorithm=…&X-Amz-Date=…                the query, sorted
//   content-type:application/json                 the headers that were signed
//   host:bedrock-runtime.us-east-1.amazonaws.com
//                                                 (an empty line)
//   content-type;host
//   e3b0c442…                                     SHA-256 of the body
//
// Source:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace craton::sigv4 {

/// The values of all header fields of a name in lower case, joined by commas; nullopt when there
/// is none. ":authority" is the host's other name in HTTP/2.
using HeaderValue = std::function<std::optional<std::string>(std::string_view name)>;

struct MessageToSign {
  std::string_view method;
  std::string_view path;            ///< As on the wire.
  std::string_view query;           ///< As on the wire, without '?'.
  std::string_view signed_headers;  ///< "host;x-amz-date": in lower case, sorted.
  std::string_view payload_hash;    ///< 64 hexadecimal digits, or what stands in their place.
};

/// How names and values of a query came to be written: some senders sign it as they wrote it, and
/// the rule is to decode and encode it anew. Where the two differ, either may have been signed.
enum class QueryForm { encoded_anew, as_sent };

/// nullopt when a signed header is missing.
std::optional<std::string> canonical_request(const MessageToSign& message,
                                             const HeaderValue& header,
                                             QueryForm form = QueryForm::encoded_anew);

/// Each segment of a path encoded once more: "/model/a%3A1" becomes "/model/a%253A1".
std::string canonical_path(std::string_view path);

/// Sorted; the parameter X-Amz-Signature is no part of it.
std::string canonical_query(std::string_view query, QueryForm form);

/// Spaces around a header's value do not count, and several within it are one.
std::string canonical_value(std::string_view value);

}  // namespace craton::sigv4
