// A byte stream cut anywhere gives the same messages and the same end; what was read is written as
// the bytes that it was read from.
//
// Input: one byte, the size of a piece; one byte, even for bytes as they are on the wire, odd for
// messages without lengths and checksums, which are put around them so that their headers are
// looked at: headers size u16, payload size u8, both's bytes, and again.
#include <aws/checksums/crc.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "event_stream/message.h"

using namespace craton::event_stream;

namespace {

struct Decoded {
  std::vector<Message> messages;
  bool failed = false;
  bool at_boundary = true;

  friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decoded(std::string_view wire, std::size_t piece) {
  Decoder decoder;
  Decoded all;
  while (!wire.empty()) {
    decoder.feed(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    for (;;) {
      auto message = decoder.next();
      all.failed = !message;
      if (!message || !*message) break;
      all.messages.push_back(**std::move(message));
    }
  }
  all.at_boundary = decoder.at_boundary();
  return all;
}

std::string_view take(std::string_view& input, std::size_t size) {
  const std::string_view taken = input.substr(0, size);
  input.remove_prefix(taken.size());
  return taken;
}

std::size_t take_number(std::string_view& input) {
  const std::string_view byte = take(input, 1);
  return byte.empty() ? 0 : static_cast<unsigned char>(byte[0]);
}

void append_u32(std::size_t number, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift & 0xff);
}

void append_checksum(std::size_t start, std::string& out) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(out.data()) + start;
  append_u32(aws_checksums_crc32_ex(bytes, out.size() - start, 0), out);
}

std::string sealed(std::string_view input) {
  std::string wire;
  while (!input.empty()) {
    const std::size_t high = take_number(input), low = take_number(input);
    const std::size_t payload_size = take_number(input);
    const std::string_view headers = take(input, high << 8 | low);
    const std::string_view payload = take(input, payload_size);
    const std::size_t start = wire.size();
    append_u32(overhead + headers.size() + payload.size(), wire);
    append_u32(headers.size(), wire);
    append_checksum(start, wire);
    wire.append(headers).append(payload);
    append_checksum(start, wire);
  }
  return wire;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 65536));
  const std::size_t piece = 1 + take_number(input);
  const bool raw = take_number(input) % 2 == 0;
  const std::string wire = raw ? std::string(input) : sealed(input);
  const Decoded whole = decoded(wire, std::max<std::size_t>(1, wire.size()));
  if (decoded(wire, piece) != whole) std::abort();
  if (!raw && !whole.failed && !whole.at_boundary) std::abort();
  std::string again;
  for (const Message& message : whole.messages) {
    if (!encode(message, again)) std::abort();
  }
  if (!std::string_view(wire).starts_with(again)) std::abort();
  if (whole.at_boundary && again.size() != wire.size()) std::abort();
  return 0;
}
