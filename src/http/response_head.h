// The head of an HTTP/1.1 answer: status line and header fields, as bytes.
//
// No I/O, no clock: any function may be called from any thread.
#pragma once

#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace craton::http {

struct HeadContext {
  bool keep_alive;
  bool http_1_0 = false;  ///< A streamed body ends with the connection, as chunks are unknown.
  std::string_view date;  ///< Value of the Date field.
};

/// Appends the head of `response` with its Date, Connection, Content-Length or Transfer-Encoding,
/// and the blank line.
/// Bytes that would end a field early (CR, LF, NUL) are sent as blanks.
void append_head(const Response& response, const HeadContext& context, std::string& out);

/// Appends what goes before a chunk of `size` bytes; "\r\n" goes after it.
void append_chunk_head(std::size_t size, std::string& out);

/// False for statuses that never have a body (1xx, 204, 304), whatever the Response holds.
bool has_body(int status);

/// Values of Date fields, made anew when the second changes.
class DateField {
 public:
  /// "Sun, 06 Nov 1994 08:49:37 GMT". `seconds` since 1970. Valid until the next call.
  std::string_view at(std::time_t seconds);

 private:
  std::time_t seconds_ = -1;
  std::string value_;
};

}  // namespace craton::http
