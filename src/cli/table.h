// Tables for people: columns as wide as their widest cell, the header in bold on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace craton::cli {

/// Prints to standard output. Every row has as many cells as there are headers.
void print_table(const std::vector<std::string_view>& headers,
                 const std::vector<std::vector<std::string>>& rows);

/// "TEXT, IMAGE"
std::string joined(const std::vector<std::string>& texts, std::string_view separator = ", ");

}  // namespace craton::cli
