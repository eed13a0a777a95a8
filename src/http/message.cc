#include "http/message.h"

#include <algorithm>

#include "http/body_stream.h"

namespace craton::http {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

Response::Response() = default;
Response::~Response() = default;
Response::Response(Response&& other) noexcept = default;
Response& Response::operator=(Response&& other) noexcept = default;

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& field : fields_) {
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

}  // namespace craton::http
