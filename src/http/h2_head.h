// Heads of HTTP/2 messages: lists of fields to and from requests and responses. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/request_reader.h"

namespace craton::http {

/// A request's head out of its fields, one by one. What is malformed by RFC 9113 8.1 to 8.3 (names
/// in capitals, missing pseudo-header fields, control characters, …) has been refused before.
class H2RequestHead {
 public:
  explicit H2RequestHead(const ReaderLimits& limits) : limits_(limits) {}

  void add(std::string_view name, std::string_view value);

  /// Bytes so far, by HTTP/2's measure: 32 for each field on top of its own (RFC 9113 6.5.2).
  /// Fields past the limits count, but are not kept.
  std::size_t bytes() const { return bytes_; }

  /// After the last field: the refusal that it must meet, or nullopt.
  std::optional<Refusal> finish();

  /// After finish(). `:authority` is among the headers, as it may be signed by that name; so is
  /// `host`, also when the client sent only `:authority`.
  Request take_request() { return std::move(request_); }

  bool wants_continue() const { return wants_continue_; }

 private:
  std::optional<Refusal> check_target() const;
  std::optional<Refusal> check_host();

  ReaderLimits limits_;
  Request request_;
  std::string authority_;
  std::optional<std::string> host_;
  std::size_t bytes_ = 0;
  std::optional<std::uint64_t> content_length_;
  bool too_large_ = false;
  bool wants_continue_ = false;
};

/// The fields of a response: `:status` first, names in lower case, without what HTTP/2 has no place
/// for (Connection, Transfer-Encoding). Bytes that would end a value early are blanks.
std::vector<Header> h2_fields(const Response& response, std::string_view date);

}  // namespace craton::http
