#include "documents/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "base/utf8.h"

namespace craton::documents {
namespace {

using namespace std::string_view_literals;

struct Mark {
  std::string_view bytes;
  const char* iconv_name;  ///< Null: UTF-8
};

constexpr Mark marks[] = {
    {"\xEF\xBB\xBF"sv, nullptr},
    {"\xFF\xFE"sv, "UTF-16LE"},
    {"\xFE\xFF"sv, "UTF-16BE"},
};

struct Label {
  std::string_view label;  ///< Lower case
  const char* iconv_name;
};

// The encodings that browsers know, by their usual labels, as supersets that real pages need. An
// allow-list: some of iconv's converters are older than they should be and keep state.
// Source: https://encoding.spec.whatwg.org/#names-and-labels
constexpr Label labels[] = {
    {"ascii", "CP1252"},
    {"big5", "BIG5-HKSCS"},
    {"cp1252", "CP1252"},
    {"cp949", "CP949"},
    {"euc-jp", "EUC-JP"},
    {"euc-kr", "CP949"},
    {"gb18030", "GB18030"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"iso-8859-1", "CP1252"},
    {"iso-8859-15", "ISO-8859-15"},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-9", "CP1254"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"ks_c_5601-1987", "CP949"},
    {"latin1", "CP1252"},
    {"shift-jis", "CP932"},
    {"shift_jis", "CP932"},
    {"sjis", "CP932"},
    {"us-ascii", "CP1252"},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"windows-1252", "CP1252"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"windows-31j", "CP932"},
    {"windows-874", "CP874"},
    {"windows-949", "CP949"},
    {"x-sjis", "CP932"},
};

const Mark* mark_of(std::string_view bytes) {
  for (const Mark& mark : marks) {
    if (bytes.starts_with(mark.bytes)) return &mark;
  }
  return nullptr;
}

const char* iconv_name_of(std::string_view charset) {
  std::string label(charset.substr(0, 32));
  std::ranges::transform(label, label.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  const auto found = std::ranges::find(labels, label, &Label::label);
  return found == std::end(labels) ? nullptr : found->iconv_name;
}

/// Closes what iconv_open() opened.
struct Converter {
  explicit Converter(const char* from) : handle(iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (valid()) iconv_close(handle);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  bool valid() const { return handle != reinterpret_cast<iconv_t>(-1); }

  iconv_t handle;
};

std::string converted(std::string_view bytes, const char* iconv_name) {
  const Converter converter(iconv_name);
  if (!converter.valid()) return mended_utf8(bytes);
  const std::size_t unit = std::string_view(iconv_name).starts_with("UTF-16") ? 2 : 1;
  std::string text;
  std::array<char, 16384> piece;
  char* in = const_cast<char*>(bytes.data());  // iconv's signature is older than const
  std::size_t left = bytes.size();
  while (left > 0) {
    char* out = piece.data();
    std::size_t room = piece.size();
    const std::size_t result = iconv(converter.handle, &in, &left, &out, &room);
    const int problem = result == static_cast<std::size_t>(-1) ? errno : 0;
    text.append(piece.data(), piece.size() - room);
    if (problem == 0 || problem == E2BIG) continue;
    text += "\uFFFD";  // EILSEQ: no character; EINVAL: one that the end cuts
    if (problem == EINVAL) break;
    const std::size_t skipped = std::min(unit, left);
    in += skipped;
    left -= skipped;
  }
  return mended_utf8(text);
}

}  // namespace

bool has_byte_order_mark(std::string_view bytes) { return mark_of(bytes) != nullptr; }

std::string decoded(std::string_view bytes, std::string_view charset) {
  const char* iconv_name = iconv_name_of(charset);
  if (const Mark* mark = mark_of(bytes)) {
    bytes.remove_prefix(mark->bytes.size());
    iconv_name = mark->iconv_name;
  }
  return iconv_name ? converted(bytes, iconv_name) : mended_utf8(bytes);
}

}  // namespace craton::documents
