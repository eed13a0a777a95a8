// Stands in until the floor's own encoder is merged.
#include "event_stream/bedrock_frames.h"

#include <boost/beast/core/detail/base64.hpp>
#include <boost/crc.hpp>
#include <cstdint>

namespace craton::event_stream {
namespace {
void put32(std::uint32_t n, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
}
std::uint32_t crc(std::string_view bytes) {
  boost::crc_32_type sum;
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}
void header(std::string_view name, std::string_view value, std::string& out) {
  out += static_cast<char>(name.size());
  out += name;
  out += '\7';
  out += static_cast<char>(value.size() >> 8);
  out += static_cast<char>(value.size());
  out += value;
}
void frame(std::string_view kind, std::string_view type, std::string_view message_type,
           std::string_view json, std::string& out) {
  std::string headers;
  header(kind, type, headers);
  header(":content-type", "application/json", headers);
  header(":message-type", message_type, headers);
  std::string message;
  put32(static_cast<std::uint32_t>(16 + headers.size() + json.size()), message);
  put32(static_cast<std::uint32_t>(headers.size()), message);
  put32(crc(message), message);
  message += headers;
  message += json;
  put32(crc(message), message);
  out += message;
}
}  // namespace

void append_event(std::string_view event_type, std::string_view json, std::string& out) {
  frame(":event-type", event_type, "event", json, out);
}
void append_exception(std::string_view exception_type, std::string_view json, std::string& out) {
  frame(":exception-type", exception_type, "exception", json, out);
}
void append_chunk(std::string_view native_json, std::string& out) {
  namespace base64 = boost::beast::detail::base64;
  std::string text(base64::encoded_size(native_json.size()), '\0');
  text.resize(base64::encode(text.data(), native_json.data(), native_json.size()));
  append_event("chunk", "{\"bytes\":\"" + text + "\",\"p\":\"abcdef\"}", out);
}
}  // namespace craton::event_stream
