// Documents: whatever the bytes, an error or text within its bound, UTF-8 without zeros.
//
// Input: one byte that chooses the format; the document. Not pdf: another program reads that.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.h"
#include "documents/document_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton::documents;
  constexpr std::string_view formats[] = {"html", "docx", "xlsx", "txt"};
  constexpr DocumentLimits limits{
      .text_bytes_max = 1 << 16, .unpacked_bytes_max = 1 << 20, .xml_items_max = 1 << 14};
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view format = formats[data[0] % std::size(formats)];
  const auto text = document_text(format, input.substr(1), limits);
  const std::string_view said = text ? std::string_view(*text) : text.error().message;
  if (craton::mended_utf8(said) != said || said.find('\0') != said.npos) std::abort();
  if (said.size() > limits.text_bytes_max) std::abort();
  return 0;
}
