// Small files, whole.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace craton {

/// What the file holds. Fails with `validation`, naming the file, when it cannot be read or is
/// larger than `bytes_max`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

/// Puts `text` in place of the file at once: who reads it meanwhile has the old one, whole. `mode`:
/// who may read it. Fails with `validation`, naming the file.
Result<void> replace_file(const std::filesystem::path& path, const std::string& text, mode_t mode);

}  // namespace craton
