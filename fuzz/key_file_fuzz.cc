// The file of keys: what is read is written and read again the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/key_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto keys =
      craton::auth::keys_of(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!keys) return 0;
  const auto again = craton::auth::keys_of(craton::auth::text_of(*keys));
  if (!again || *again != *keys) std::abort();
  return 0;
}
