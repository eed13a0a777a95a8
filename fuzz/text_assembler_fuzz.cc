// Stop sequences and bytes: any cut gives the text and the stop that a plain search finds.
//
// Input: one byte, the size of a piece; stop sequences, each ended by 0xFF; 0xFF; the bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "engines/llama/text_assembler.h"

using namespace craton::engines::llama;
using craton::mended_utf8;

namespace {

/// Looks at every end of `text`, in order, for the longest sequence that ends there.
std::string searched(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (std::string_view(text).substr(0, end).ends_with(stop))
        longest = std::max(longest, stop.size());
    }
    if (longest > 0) return text.substr(0, end - longest);
  }
  return text;
}

std::string assembled(const std::vector<std::string>& stops, std::string_view bytes,
                      std::size_t piece) {
  TextAssembler assembler(stops);
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    text += assembler.add(bytes.substr(at, piece));
  text += assembler.finish();
  if (mended_utf8(text) != text) std::abort();
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4096) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t piece = 1 + static_cast<unsigned char>(input[0]) % 16;
  input.remove_prefix(1);
  std::vector<std::string> stops;
  for (std::size_t end; (end = input.find('\xFF')) != input.npos && end > 0;) {
    stops.push_back(mended_utf8(input.substr(0, end)));
    input.remove_prefix(end + 1);
  }
  std::string whole;  // a character that the end cuts is left out
  craton::Utf8Mender().add(input, whole);
  const std::string expected = searched(stops, whole);
  if (assembled(stops, input, piece) != expected) std::abort();
  if (assembled(stops, input, std::max<std::size_t>(1, input.size())) != expected) std::abort();
  return 0;
}
