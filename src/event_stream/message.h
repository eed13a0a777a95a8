// AWS event stream: the framing of InvokeModelWithResponseStream and ConverseStream.
//
//   | total length u32 | headers length u32 | prelude CRC u32 | headers | payload | message CRC u32
//   |
//
//   header: | name length u8 | name | type u8 | value |
//   value of a string or bytes: | length u16 | bytes |; of any other type: as many bytes as it has
//
// Integers are big-endian; both checksums are CRC-32 (IEEE). The prelude's is of the two lengths,
// the message's of everything before it. Source: https://smithy.io/2.0/aws/amazon-eventstream.html
//
// The encoder writes straight into the caller's buffer, over the checksums of aws-checksums; the
// decoder reads with aws-c-event-stream, to which the tests hold the encoder too.
//
// No I/O. Distinct Decoders may be used from distinct threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::event_stream {

inline constexpr std::size_t prelude_size = 12;  ///< Both lengths and their checksum, bytes.
inline constexpr std::size_t overhead = 16;      ///< Prelude and the message's checksum, bytes.

// What is over a limit is neither written nor read. Each is the strictest among the clients, so
// that all of them read what is written here.
inline constexpr std::size_t max_message = 24 * 1024 * 1024;  ///< aws-c-event-stream's, bytes.
inline constexpr std::size_t max_headers_size = 128 * 1024;   ///< botocore's, bytes, all together.
inline constexpr std::size_t max_header_count = 1024;         ///< aws-c-event-stream's.
inline constexpr std::size_t max_header_name = 255;           ///< Its length is one byte.
inline constexpr std::size_t max_header_value = 32767;        ///< The Java client's, bytes.

/// By their numbers on the wire. Bedrock sends strings; signed requests have timestamp and bytes.
enum class HeaderType : std::uint8_t {
  bool_true,
  bool_false,
  int8,
  int16,
  int32,
  int64,
  bytes,
  string,
  timestamp,  ///< Milliseconds since 1970, 8 bytes.
  uuid,       ///< 16 bytes
};

struct Header {
  std::string name;                      ///< 1 to 255 bytes
  std::string value;                     ///< As on the wire, without its length: text if a string.
  HeaderType type = HeaderType::string;  ///< It fixes the value's size, but for string and bytes.

  friend bool operator==(const Header&, const Header&) = default;
};

struct Message {
  std::vector<Header> headers;
  std::string payload;

  friend bool operator==(const Message&, const Message&) = default;
};

/// Appends the wire form of `message` to `out`.
/// Fails with `validation`, leaving `out` as it was, when a limit above is exceeded or a value has
/// not its type's size.
Result<void> encode(const Message& message, std::string& out);

/// Writes one message into the end of a buffer: headers first, then the payload. encode() for those
/// who have no Message and want none: nothing is allocated but by the buffer.
class MessageWriter {
 public:
  /// Begins a message at the end of `out`, which must outlive the writer.
  explicit MessageWriter(std::string& out);

  /// Takes what was written away again, unless finish() went well.
  ~MessageWriter();

  MessageWriter(const MessageWriter&) = delete;
  MessageWriter& operator=(const MessageWriter&) = delete;

  /// Before the payload. What is wrong with it, finish() tells.
  void add_header(std::string_view name, std::string_view value,
                  HeaderType type = HeaderType::string);

  /// What is appended to this from now on is the payload; what it holds already is left alone.
  std::string& payload();

  /// Fills in lengths and checksums. Call once, last. Fails as encode() does.
  Result<void> finish();

 private:
  void refuse(std::string_view why);
  std::size_t size() const { return out_.size() - start_; }

  std::string& out_;
  const std::size_t start_;                  ///< Where the message begins in `out_`.
  std::size_t header_count_ = 0;             ///< How many add_header() wrote.
  std::optional<std::size_t> headers_size_;  ///< Bytes of all headers, once the payload has begun.
  std::optional<Error> refused_;             ///< The first thing wrong.
  bool finished_ = false;
};

/// Cuts a byte stream, in whatever pieces it arrives, into messages.
class Decoder {
 public:
  /// Takes in bytes from the wire. Keeps a copy: `bytes` may die after the call. What is kept stays
  /// below max_message and the last piece, if next() is called until it has nothing more each time.
  void feed(std::string_view bytes);

  /// The next whole message; nullopt when more bytes are needed.
  /// Fails with `validation` on a bad checksum, length or header, for good: framing is lost.
  Result<std::optional<Message>> next();

  /// True when every byte so far belongs to a message that was taken: where a stream may end.
  bool at_boundary() const { return taken_ == buffer_.size() && !broken_; }

 private:
  Result<std::optional<Message>> take();

  std::string buffer_;
  std::size_t taken_ = 0;        ///< Bytes of `buffer_` that next() has given out.
  std::optional<Error> broken_;  ///< Set once, told ever after.
};

}  // namespace craton::event_stream
