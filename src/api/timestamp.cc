#include "api/timestamp.h"

#include <algorithm>
#include <chrono>

namespace craton::api {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a text apart from the left; what does not fit leaves nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  /// A number of exactly `digits` digits; -1 when there is none.
  int number(std::size_t digits) {
    if (rest_.size() < digits || !std::all_of(rest_.begin(), rest_.begin() + digits, is_digit)) {
      rest_ = {};
      return -1;
    }
    int value = 0;
    for (const char digit : rest_.substr(0, digits)) value = value * 10 + (digit - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  /// True, and past it, when one of `characters` comes next.
  bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_digits() {
    while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
  }

  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool in(int value, int least, int most) { return value >= least && value <= most; }

bool read_date(Reader& reader) {
  const int year = reader.number(4);
  if (!reader.one_of("-")) return false;
  const int month = reader.number(2);
  if (!reader.one_of("-")) return false;
  const int day = reader.number(2);
  return year >= 0 && in(month, 1, 12) && day >= 1 &&
         std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
             .ok();
}

bool read_time(Reader& reader) {
  if (!in(reader.number(2), 0, 23) || !reader.one_of(":")) return false;
  if (!in(reader.number(2), 0, 59) || !reader.one_of(":")) return false;
  if (!in(reader.number(2), 0, 60)) return false;  // 60: a leap second
  if (reader.one_of(".")) {
    if (reader.number(1) < 0) return false;
    reader.skip_digits();
  }
  return true;
}

bool read_offset(Reader& reader) {
  if (reader.one_of("Zz")) return true;
  if (!reader.one_of("+-")) return false;
  if (!in(reader.number(2), 0, 23) || !reader.one_of(":")) return false;
  return in(reader.number(2), 0, 59);
}

}  // namespace

bool is_date_time(std::string_view text) {
  Reader reader(text);
  return read_date(reader) && reader.one_of("Tt") && read_time(reader) && read_offset(reader) &&
         reader.at_end();
}

}  // namespace craton::api
