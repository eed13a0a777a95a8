// Files that rules name: text, numbers, pictures.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engines/rules/value.h"

namespace craton::engines::script {

inline constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;  ///< Of rules, or of one answer.

/// What the file holds. Fails with `validation`; the message is what is said of a name: "cannot be
/// read; check its permissions".
Result<std::string> file_text(const std::filesystem::path& path);

/// The same of the file that `value` names, as seen from the folder of `source`. Fails with file
/// and line of `value`. `what`: the key.
Result<std::string> named_file(const rules::Source& source, const rules::Value& value,
                               std::string_view what);

}  // namespace craton::engines::script
