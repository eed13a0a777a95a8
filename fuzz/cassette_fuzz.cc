// A cassette's line: what is read is written and read again the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engines/replay/cassette.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::engines::replay;
  const auto read = interaction_of(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!read) return 0;
  const std::string line = line_of(*read);
  const auto again = interaction_of(line);
  if (!again || line_of(*again) != line) std::abort();
  return 0;
}
