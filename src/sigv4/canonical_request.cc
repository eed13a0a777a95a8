#include "sigv4/canonical_request.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sigv4/fields.h"
#include "sigv4/percent.h"

namespace craton::sigv4 {
std::string canonical_path(std::string_view path) {
  if (path.empty()) return "/";
  std::string canonical;
  canonical.reserve(path.size() + 16);
  append_percent_encoded(path, canonical, '/');
  return canonical;
}

std::string canonical_query(std::string_view query, QueryForm form) {
  std::vector<std::pair<std::string, std::string>> parameters;
  const auto written = [&](std::string_view text) {
    std::string out;
    form == QueryForm::as_sent ? (void)(out = text)
                               : append_percent_encoded(percent_decoded(text), out);
    return out;
  };
  while (!query.empty()) {
    std::string_view value = take_until('&', query);
    const std::string_view name = take_until('=', value);
    if (name == "X-Amz-Signature" || (name.empty() && value.empty())) continue;
    parameters.emplace_back(written(name), written(value));
  }
  std::ranges::sort(parameters);
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    if (!canonical.empty()) canonical += '&';
    canonical += name;
    canonical += '=';
    canonical += value;
  }
  return canonical;
}

std::string canonical_value(std::string_view value) {
  std::string canonical;
  canonical.reserve(value.size());
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      space = !canonical.empty();
      continue;
    }
    if (std::exchange(space, false)) canonical += ' ';
    canonical += c;
  }
  return canonical;
}

std::optional<std::string> canonical_request(const MessageToSign& message,
                                             const HeaderValue& header, QueryForm form) {
  std::string canonical;
  canonical.reserve(512);
  canonical += message.method;
  canonical += '\n';
  canonical += canonical_path(message.path);
  canonical += '\n';
  canonical += canonical_query(message.query, form);
  canonical += '\n';
  for (std::string_view names = message.signed_headers; !names.empty();) {
    const std::string_view name = take_until(';', names);
    const std::optional<std::string> value = header(name);
    if (!value) return std::nullopt;
    canonical += name;
    canonical += ':';
    canonical += canonical_value(*value);
    canonical += '\n';
  }
  canonical += '\n';
  canonical += message.signed_headers;
  canonical += '\n';
  canonical += message.payload_hash;
  return canonical;
}

}  // namespace craton::sigv4
