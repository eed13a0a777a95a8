// The same requests must come out of the same bytes, whole or cut one by one or at odd places.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/request_reader.h"

namespace {

using craton::http::RequestReader;

std::string read_in_pieces(std::string_view bytes, std::size_t piece) {
  RequestReader reader({.header_bytes_max = 512, .body_bytes_max = 256});
  std::string out;
  while (!bytes.empty()) {
    reader.feed(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    auto next = reader.next();
    for (; next && *next; next = reader.next()) {
      const auto& [request, keep_alive, http_1_0] = **next;
      out += request.method + '\n' + request.target + (keep_alive ? "\n+" : "\n-") +
             (http_1_0 ? "0" : "1");
      for (const auto& field : request.headers) out += field.name + '\n' + field.value + '\n';
      out += request.body;
    }
    if (!next) return out + std::string(next.error().reason);
  }
  return out + std::to_string(static_cast<int>(reader.phase()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = read_in_pieces(bytes, size + 1);
  if (size > 0 && read_in_pieces(bytes, 1) != whole) std::abort();
  if (size > 0 && read_in_pieces(bytes, 1 + data[0] % 64) != whole) std::abort();
  return 0;
}
