// Quotas, as words and as JSON: what is read is written and read again the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/quota_table.h"
#include "server/quota_admin.h"

using namespace craton;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = auth::read_quota_rules(text);
  if (rules) {
    const auto again = auth::read_quota_rules(auth::text_of(*rules));
    if (!again || *again != *rules) std::abort();
  }
  const auto told = server::read_quotas(text);
  if (told && !told->empty()) {
    const auto again = auth::read_quota_rules(auth::text_of(*told));
    if (!again || *again != *told) std::abort();
  }
  return 0;
}
