// A byte stream cut anywhere gives the same messages and the same end; what was read is written as
// the bytes that it was read from.
//
// Input: one byte, the size of a piece; then bytes as they are on the wire.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/diffusion/messages.h"

using namespace craton::engines::diffusion;

namespace {

/// All messages, and whether it ended in an error.
std::pair<std::vector<Message>, bool> decoded(std::string_view wire, std::size_t piece) {
  Decoder decoder;
  std::vector<Message> messages;
  while (!wire.empty()) {
    decoder.feed(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    for (;;) {
      auto message = decoder.next();
      if (!message) return {std::move(messages), true};
      if (!*message) break;
      messages.push_back(**std::move(message));
    }
  }
  return {std::move(messages), false};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view wire(reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 65536));
  const std::size_t piece = wire.empty() ? 1 : 1 + static_cast<unsigned char>(wire[0]);
  wire.remove_prefix(std::min<std::size_t>(1, wire.size()));
  const auto whole = decoded(wire, std::max<std::size_t>(1, wire.size()));
  if (decoded(wire, piece) != whole) std::abort();
  std::string again;
  for (const Message& message : whole.first) {
    if (!encode(message, again)) std::abort();
  }
  if (!wire.starts_with(again)) std::abort();
  return 0;
}
