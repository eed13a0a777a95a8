#include "http/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

namespace craton::http {
namespace {

struct StatusPhrase {
  int status;
  std::string_view phrase;
};

// Source: the HTTP status code registry; those that Bedrock or this server answers with.
constexpr std::array phrases{
    StatusPhrase{200, "OK"},
    StatusPhrase{201, "Created"},
    StatusPhrase{202, "Accepted"},
    StatusPhrase{204, "No Content"},
    StatusPhrase{304, "Not Modified"},
    StatusPhrase{400, "Bad Request"},
    StatusPhrase{401, "Unauthorized"},
    StatusPhrase{403, "Forbidden"},
    StatusPhrase{404, "Not Found"},
    StatusPhrase{405, "Method Not Allowed"},
    StatusPhrase{408, "Request Timeout"},
    StatusPhrase{409, "Conflict"},
    StatusPhrase{413, "Content Too Large"},
    StatusPhrase{414, "URI Too Long"},
    StatusPhrase{424, "Failed Dependency"},
    StatusPhrase{429, "Too Many Requests"},
    StatusPhrase{431, "Request Header Fields Too Large"},
    StatusPhrase{500, "Internal Server Error"},
    StatusPhrase{501, "Not Implemented"},
    StatusPhrase{503, "Service Unavailable"},
    StatusPhrase{505, "HTTP Version Not Supported"},
};

std::string_view phrase_of(int status) {
  const auto* row = std::find_if(phrases.begin(), phrases.end(),
                                 [status](const StatusPhrase& p) { return p.status == status; });
  return row == phrases.end() ? std::string_view("Status") : row->phrase;
}

bool ends_field(char c) { return c == '\r' || c == '\n' || c == '\0'; }

void append_field(std::string_view name, std::string_view value, std::string& out) {
  const std::size_t start = out.size();
  out.append(name).append(": ").append(value);
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), ends_field, ' ');
  out.append("\r\n");
}

// 1xx and 204 answers must not have one; RFC 9110 8.6.
bool has_content_length(int status) { return status >= 200 && status != 204; }

// How the receiver finds the end of the body.
void append_framing(const Response& response, bool http_1_0, std::string& out) {
  if (!has_content_length(response.status)) return;
  if (response.stream) {
    if (!http_1_0) append_field("Transfer-Encoding", "chunked", out);
    return;
  }
  const fmt::format_int length(response.body_view().size());
  append_field("Content-Length", {length.data(), length.size()}, out);
}

std::string http_date(std::time_t seconds) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  using namespace std::chrono;
  const sys_seconds time{std::chrono::seconds(seconds)};
  const sys_days midnight = floor<std::chrono::days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     days[weekday(midnight).c_encoding()], unsigned(date.day()),
                     months[unsigned(date.month()) - 1], int(date.year()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

}  // namespace

void append_head(const Response& response, const HeadContext& context, std::string& out) {
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\n", response.status,
                 phrase_of(response.status));
  append_field("Date", context.date, out);
  for (const Header& field : response.headers) append_field(field.name, field.value, out);
  append_framing(response, context.http_1_0, out);
  append_field("Connection", context.keep_alive ? "keep-alive" : "close", out);
  out.append("\r\n");
}

void append_chunk_head(std::size_t size, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:x}\r\n", size);
}

bool has_body(int status) { return has_content_length(status) && status != 304; }

std::string_view DateField::at(std::time_t seconds) {
  if (std::exchange(seconds_, seconds) != seconds) value_ = http_date(seconds);
  return value_;
}

}  // namespace craton::http
