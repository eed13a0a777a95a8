// Any body and query for any operation: an input, or one of two refusals in JSON that can be sent.
// The first byte picks the operation; a line's end parts the query from the body.
#include <boost/json/object.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "api/operation.h"
#include "base/json.h"

namespace {

std::string_view first_line(const void* context, std::string_view) {
  return *static_cast<const std::string_view*>(context);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto operations = craton::api::operations();
  const auto& operation = operations[data[0] % operations.size()];
  const std::string_view line = input.substr(0, input.find('\n'));
  const std::string_view body = input.substr(std::min(input.size(), line.size() + 1));
  const std::string target = "/x?" + std::string(line);
  const craton::api::Match match{&operation, {{"modelId", "a"}}};
  const auto read = craton::api::parse_input(match, {target, first_line, &line, body});
  if (read) {
    if (!craton::json::parse(craton::json::to_text(read->members))) std::abort();
    return 0;
  }
  const craton::Error& error = read.error();
  const bool expected =
      error.code == craton::ErrorCode::validation || error.code == craton::ErrorCode::serialization;
  if (!expected || !craton::json::parse(craton::json::quote(error.message))) std::abort();
  return 0;
}
