// Fetches a model file: once a machine, resumable, checked by size and SHA-256.
//
// From Hugging Face first; where that cannot be reached, from the packages that hold the same
// bytes. What has come stays when a run is interrupted, and the next goes on from there. A file
// appears under its own name only when it is whole and right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "models/index.h"
#include "models/store.h"

namespace craton::models {

struct PullOptions {
  std::string huggingface = "https://huggingface.co";  ///< HF_ENDPOINT, where it is set.
  /// `what`: "from Hugging Face", "checking"; bytes done, of all.
  std::function<void(std::string_view what, std::uint64_t done, std::uint64_t total)> progress;
  /// One line on how it goes on: another source, another run that is waited for.
  std::function<void(const std::string& note)> note;
};

enum class Pulled { fetched, was_there };

/// Fetches `model` into `store`. Fails with one line that names the file and the cure.
Result<Pulled> pull(const Model& model, const Store& store, const PullOptions& options);

/// The SHA-256 of a file, in hexadecimal digits.
Result<std::string> file_sha256(const std::filesystem::path& file,
                                const std::function<void(std::uint64_t done)>& progress = {});

}  // namespace craton::models
