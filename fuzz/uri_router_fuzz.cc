// Any method and target: routed or unknown, and never anything else. Where a target is routed, the
// template filled with the labels' values, encoded again, is routed to the same.
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/operation.h"

namespace {

using craton::api::Match;

std::string encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char byte : text) {
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 0xf];
  }
  return out;
}

std::string filled(const Match& match) {
  std::string path(match.operation->uri);
  for (const auto& [label, value] : match.labels) {
    const std::string hole = "{" + std::string(label) + "}";
    path.replace(path.find(hole), hole.size(), encoded(value));
  }
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view method = input.substr(0, input.find(' '));
  const std::string_view target = input.substr(std::min(size, method.size() + 1));
  const auto match = craton::api::route(method, target);
  if (!match) {
    if (match.error().code != craton::ErrorCode::unknown_operation) std::abort();
    return 0;
  }
  const auto again = craton::api::route(method, filled(*match));
  if (!again || again->operation != match->operation || again->labels != match->labels)
    std::abort();
  return 0;
}
