// Dates in Excel workbooks: days since 1900 (or 1904) that a number format shows as a date.
//
// Source: ECMA-376, part 1, 18.8.30 (numFmt) and 18.17.4 (dates and times). No I/O, no globals.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace craton::documents {

/// What a number format shows of a number.
enum class DateParts { none, date, time, both };

/// Of a built-in format; their codes are not in the file.
DateParts date_parts_of_builtin(int format_id);

/// Of a format code: "yyyy\-mm\-dd hh:mm". Elapsed time, "[h]:mm", is no date.
DateParts date_parts_of(std::string_view format_code);

/// "2024-03-01", "13:45:00", "2024-03-01 13:45:00". nullopt for numbers that Excel shows no date
/// for: they stay numbers.
std::optional<std::string> date_text(double serial, DateParts parts, bool from_1904);

}  // namespace craton::documents
