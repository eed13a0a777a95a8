#include "documents/xlsx_dates.h"

#include <fmt/core.h>

#include <chrono>
#include <cmath>

namespace craton::documents {
namespace {

struct Builtin {
  int first;
  int last;
  DateParts parts;
};

constexpr Builtin builtins[] = {
    {14, 17, DateParts::date}, {18, 21, DateParts::time}, {22, 22, DateParts::both},
    {27, 31, DateParts::date}, {32, 35, DateParts::time}, {36, 36, DateParts::date},
    {45, 45, DateParts::time}, {47, 47, DateParts::time}, {50, 58, DateParts::date},
};

constexpr DateParts parts_of(bool date, bool time) {
  if (date) return time ? DateParts::both : DateParts::date;
  return time ? DateParts::time : DateParts::none;
}

constexpr int seconds_a_day = 24 * 60 * 60;
constexpr double serial_end = 2'958'466;  // 10000-01-01

}  // namespace

DateParts date_parts_of_builtin(int format_id) {
  for (const Builtin& row : builtins) {
    if (format_id >= row.first && format_id <= row.last) return row.parts;
  }
  return DateParts::none;
}

DateParts date_parts_of(std::string_view code) {
  code = code.substr(0, code.find(';'));  // the others are for negative numbers, zero and text
  bool date = false;
  bool time = false;
  bool months_or_minutes = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '\\' || c == '_' || c == '*') {  // the next character stands for itself
      ++i;
    } else if (c == '"' || c == '[') {
      const std::size_t end = code.find(c == '"' ? '"' : ']', i + 1);
      if (end == code.npos) break;
      const char inside = end > i + 1 ? code[i + 1] : ' ';
      if (c == '[' && std::string_view("hHmMsS").find(inside) != std::string_view::npos)
        return DateParts::none;
      i = end;
    } else if (c == '0' || c == '#') {
      if (!time) return DateParts::none;  // after seconds they are fractions
    } else {
      date = date || std::string_view("yYdD").find(c) != std::string_view::npos;
      time = time || std::string_view("hHsS").find(c) != std::string_view::npos;
      months_or_minutes = months_or_minutes || c == 'm' || c == 'M';
    }
  }
  return parts_of(date || (months_or_minutes && !time), time);
}

std::optional<std::string> date_text(double serial, DateParts parts, bool from_1904) {
  if (parts == DateParts::none || !(serial >= 0) || serial >= serial_end) return std::nullopt;
  const auto seconds = static_cast<long long>(std::llround(serial * seconds_a_day));
  long long day = seconds / seconds_a_day;
  // Lotus 1-2-3 took 1900 for a leap year, and Excel still does: its day 60 never was.
  if (!from_1904 && day < 60) ++day;
  constexpr std::chrono::sys_days epoch_1900 = std::chrono::year{1899} / 12 / 30;
  constexpr std::chrono::sys_days epoch_1904 = std::chrono::year{1904} / 1 / 1;
  const std::chrono::year_month_day date =
      (from_1904 ? epoch_1904 : epoch_1900) + std::chrono::days(day);
  const int second = static_cast<int>(seconds % seconds_a_day);
  const std::string date_part =
      fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  const std::string time_part =
      fmt::format("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
  if (parts == DateParts::date) return date_part;
  return parts == DateParts::time ? time_part : date_part + " " + time_part;
}

}  // namespace craton::documents
