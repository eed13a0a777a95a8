#include "documents/signature.h"

namespace craton::documents {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  Signature signature;
};

// Source: the formats' own specifications; the order does not matter, none begins another.
constexpr Magic magics[] = {
    {"%PDF-"sv, {Look::pdf, "a PDF document"}},
    {"PK\3\4"sv, {Look::zip, "a ZIP archive"}},
    {"PK\5\6"sv, {Look::zip, "an empty ZIP archive"}},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv,
     {Look::binary_office, "a Microsoft Office 97-2003 or a password-protected document"}},
    {"\x89PNG\r\n"sv, {Look::other, "a PNG image"}},
    {"\xFF\xD8\xFF"sv, {Look::other, "a JPEG image"}},
    {"GIF8"sv, {Look::other, "a GIF image"}},
    {"\x1F\x8B\x08"sv, {Look::other, "a gzip archive"}},
    {"7z\xBC\xAF\x27\x1C"sv, {Look::other, "a 7-Zip archive"}},
    {"Rar!\x1A\x07"sv, {Look::other, "a RAR archive"}},
    {"\x7F"
     "ELF"sv,
     {Look::other, "a program"}},
};

/// Readers of PDF look for its header in the first 1024 bytes (ISO 32000-1, annex H.3.4.1).
constexpr std::size_t pdf_header_within = 1024;

}  // namespace

Signature signature_of(std::string_view bytes) {
  for (const Magic& magic : magics) {
    if (bytes.starts_with(magic.bytes)) return magic.signature;
  }
  return {Look::text, ""};
}

bool has_pdf_header(std::string_view bytes) {
  return bytes.substr(0, pdf_header_within).find("%PDF-") != bytes.npos;
}

}  // namespace craton::documents
