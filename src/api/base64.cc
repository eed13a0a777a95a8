#include "api/base64.h"

#include <algorithm>

namespace craton::api {
namespace {

std::size_t padding(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with("=") ? 1 : 0;
}

bool is_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

}  // namespace

bool is_base64(std::string_view text) {
  if (text.size() % 4 != 0) return false;
  return std::ranges::all_of(text.substr(0, text.size() - padding(text)), is_digit);
}

std::size_t base64_decoded_size(std::string_view text) {
  return text.size() / 4 * 3 - padding(text);
}

}  // namespace craton::api
