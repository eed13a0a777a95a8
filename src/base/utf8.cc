#include "base/utf8.h"

#include <algorithm>

namespace craton {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Lead {
  unsigned char first;
  unsigned char last;
  std::size_t missing;
  unsigned char lowest;
  unsigned char highest;
};

// Unicode, table 3-7: well-formed UTF-8 byte sequences.
constexpr Lead leads[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF}, {0xE0, 0xE0, 2, 0xA0, 0xBF}, {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, {0xEE, 0xEF, 2, 0x80, 0xBF}, {0xF0, 0xF0, 3, 0x90, 0xBF},
    {0xF1, 0xF3, 3, 0x80, 0xBF}, {0xF4, 0xF4, 3, 0x80, 0x8F},
};

}  // namespace

void Utf8Mender::begin(unsigned char byte, std::string& out) {
  if (byte < 0x80) {
    out += static_cast<char>(byte);
    return;
  }
  for (const Lead& lead : leads) {
    if (byte < lead.first || byte > lead.last) continue;
    kept_[0] = static_cast<char>(byte);
    kept_size_ = 1;
    missing_ = lead.missing;
    lowest_ = lead.lowest;
    highest_ = lead.highest;
    return;
  }
  out += replacement;
}

void Utf8Mender::add(std::string_view bytes, std::string& out) {
  for (const char next : bytes) {
    const auto byte = static_cast<unsigned char>(next);
    if (missing_ == 0) {
      begin(byte, out);
      continue;
    }
    if (byte < lowest_ || byte > highest_) {
      finish(out);
      begin(byte, out);
      continue;
    }
    kept_[kept_size_++] = next;
    lowest_ = 0x80;
    highest_ = 0xBF;
    if (--missing_ == 0) out.append(kept_.data(), kept_size_);
  }
}

void Utf8Mender::finish(std::string& out) {
  if (missing_ > 0) out += replacement;
  missing_ = 0;
}

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

std::string_view first_characters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && !begins_character(text[end])) --end;
  return text.substr(0, end);
}

std::string mended_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  Utf8Mender mender;
  mender.add(bytes, out);
  mender.finish(out);
  return out;
}

}  // namespace craton
