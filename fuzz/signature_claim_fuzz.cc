// What a request says of its signature, in its Authorization header or in its query: bytes are the
// header, the target, a date and a body, a line each. Nothing that was not signed is taken.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sigv4/claim.h"
#include "sigv4/fields.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view authorization = sigv4::take_until('\n', rest);
  const std::string_view target = sigv4::take_until('\n', rest);
  const std::string_view date = sigv4::take_until('\n', rest);
  const sigv4::SignedRequest request{"POST", target, rest,
                                     [&](std::string_view name) -> std::optional<std::string> {
                                       if (name == "authorization" && !authorization.empty())
                                         return std::string(authorization);
                                       if (name == "x-amz-date" && !date.empty())
                                         return std::string(date);
                                       if (name == "host") return "localhost";
                                       return std::nullopt;
                                     }};
  const auto claim = sigv4::read_claim(request);
  if (!claim) {
    if (claim.error().message.empty()) std::abort();
    return 0;
  }
  const sigv4::Expected expected{claim->region, claim->service, claim->at};
  (void)sigv4::check_claim(*claim, expected);
  const Sha256Digest key = sigv4::signing_key("a secret that no input knows", claim->scope());
  if (sigv4::verify(request, *claim, key)) std::abort();
  return 0;
}
