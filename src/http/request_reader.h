// HTTP/1.1 requests out of bytes, in whatever pieces the bytes arrive.
//
//   method SP target SP HTTP/1.x CRLF  *( name ":" value CRLF )  CRLF  [ body ]
//   body: Content-Length bytes, or  *( size [ ";" extension ] CRLF  bytes CRLF )  0 CRLF  trailers
//   CRLF
//
// Strict, because a byte that two parsers read differently is how requests are smuggled: a bare CR
// or LF, a folded line, a blank before the colon, a control character, two lengths, a length beside
// Transfer-Encoding and the like are refused, never repaired. How the bytes were cut makes no
// difference to what comes out. Source: RFC 9112.
//
// No I/O, no clock, no globals: distinct readers may be used from distinct threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "http/message.h"

namespace craton::http {

/// A longer request line is refused with 414. Bedrock's longest ids are ARNs of 2 KiB.
inline constexpr std::size_t request_line_bytes_max = 16 * 1024;
/// More header fields are refused with 431: each costs far more memory than its bytes.
inline constexpr std::size_t header_fields_max = 256;
/// Of one chunk's size line; and of all extensions of a body, which are read and dropped.
inline constexpr std::size_t chunk_line_bytes_max = 1024;
inline constexpr std::size_t chunk_extension_bytes_max = 16 * 1024;

struct ReaderLimits {
  std::size_t header_bytes_max = 64 * 1024;  ///< Request line and header fields together; trailers.
  std::size_t body_bytes_max = 25'000'000;   ///< After chunks are put together.
};

/// Why the bytes are no request. The connection cannot go on: framing is lost.
struct Refusal {
  int status;               ///< 400, 413, 414, 431, 501 or 505
  std::string_view reason;  ///< A sentence; static text.
};

/// A whole request, and what its connection is to do after the answer.
struct Incoming {
  Request request;  ///< Without `peer`.
  bool keep_alive = false;
  bool http_1_0 = false;  ///< The client does not know of chunked answers.
};

class RequestReader {
 public:
  /// Where the bytes so far end.
  enum class Phase {
    idle,  ///< Between requests.
    head,  ///< In a request line or header field.
    body,
  };

  explicit RequestReader(ReaderLimits limits) : limits_(limits) {}

  /// Takes in bytes from the wire. Keeps a copy: `bytes` may die after the call.
  void feed(std::string_view bytes);

  /// The next whole request; nullopt when more bytes are needed. Fails for good.
  tl::expected<std::optional<Incoming>, Refusal> next();

  /// After next() failed: whether what it refuses is how HTTP/2 begins (RFC 9113 3.4), at the
  /// connection's first byte.
  bool begins_http2() const { return begins_http2_; }

  /// Every byte that was fed, when begins_http2().
  std::string take_bytes() { return std::move(buffer_); }

  /// After next() gave nullopt.
  Phase phase() const;

  /// After next() gave nullopt: true when the client waits for "100 Continue" before it sends the
  /// body; once a request.
  bool take_continue();

  /// Bytes of the body so far, in Phase::body.
  std::size_t body_bytes() const { return incoming_.request.body.size(); }

  /// Bytes that next() has not looked at or not used yet.
  std::size_t buffered() const { return buffer_.size() - used_; }

  /// Memory that is set aside for them.
  std::size_t buffer_capacity() const { return buffer_.capacity(); }

 private:
  enum class State {
    request_line,
    header_line,
    sized_body,
    chunk_size,
    chunk_data,
    chunk_end,
    trailer_line,
    complete,
  };
  enum class Step { more_bytes, go_on, refused };
  using Reading = Step (RequestReader::*)();
  using Noting = Step (RequestReader::*)(std::string_view value);
  struct KnownField;

  Step read_request_line();
  Step read_header_line();
  Step read_sized_body();
  Step read_chunk_size();
  Step read_chunk_data();
  Step read_chunk_end();
  Step read_trailer_line();

  Step parse_request_line(std::string_view line);
  Step parse_target(std::string_view target);
  Step parse_version(std::string_view version);
  Step parse_field(std::string_view line, bool trailer);
  Step finish_head();
  Step begin_sized_body();
  Step begin_chunked_body();

  Step note_host(std::string_view value);
  Step note_content_length(std::string_view value);
  Step note_transfer_encoding(std::string_view value);
  Step note_connection(std::string_view value);
  Step note_expect(std::string_view value);
  static const KnownField* known_field(std::string_view name);

  Step take_line(std::size_t bytes_max, Refusal too_long);
  Step take_head_line();
  bool take_body(std::size_t wanted);
  Step refuse(Refusal refusal);
  void begin_request();

  ReaderLimits limits_;
  State state_ = State::request_line;
  std::optional<Refusal> refusal_;
  bool first_request_ = true;
  bool begins_http2_ = false;

  std::string buffer_;        // bytes of the wire, of which
  std::size_t used_ = 0;      // so many are done with, and
  std::size_t searched_ = 0;  // so many hold no line end that is not done with.
  std::string_view line_;     // the line that take_line() took, without its end; into buffer_

  Incoming incoming_;
  std::size_t head_bytes_ = 0;       // of this head's lines, or of the trailers
  bool blank_line_skipped_ = false;  // before the request line
  bool http_1_0_ = false;
  bool host_seen_ = false;
  bool close_asked_ = false;
  bool keep_alive_asked_ = false;
  bool continue_expected_ = false;
  std::optional<std::uint64_t> content_length_;
  std::optional<std::string> transfer_encoding_;  // of all its fields, as one list
  std::uint64_t body_left_ = 0;                   // of the body or of the chunk
  std::size_t extension_bytes_ = 0;
};

}  // namespace craton::http
