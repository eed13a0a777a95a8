#include "cli/table.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/utf8.h"
#include "cli/terminal.h"

namespace craton::cli {
namespace {

template <class Cells>
std::string line_of(const Cells& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 < cells.size()) line.append(widths[i] - code_points(cells[i]) + 2, ' ');
  }
  return line;
}

}  // namespace

void print_table(const std::vector<std::string_view>& headers,
                 const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string_view header : headers) widths.push_back(code_points(header));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], code_points(row[i]));
  }
  const bool bold = isatty(STDOUT_FILENO) && wants_colour();
  std::printf("%s%s%s\n", bold ? "\033[1m" : "", line_of(headers, widths).c_str(),
              bold ? "\033[0m" : "");
  for (const auto& row : rows) std::puts(line_of(row, widths).c_str());
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += separator;
    all += text;
  }
  return all;
}

}  // namespace craton::cli
