// What this program is built of.
#pragma once

#include <string>

namespace craton::cli {

/// The program's version on the first line, then a line for each thing it is built of.
std::string version_text();

}  // namespace craton::cli
