// Store: the folder of model files on this machine.
//
//   <folder>/models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf
//
// Files may be used by name: those of the index, and any other `NAME.gguf` that a user put there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/index.h"

namespace craton::models {

/// A variable's value; nullopt when unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// Where craton keeps what it fetched: CRATON_CACHE_DIR, else XDG_CACHE_HOME/craton, else
/// ~/.cache/craton. Empty when not even HOME is set.
std::filesystem::path cache_folder(const Environment& environment);

/// A model file, ready to be loaded.
struct ModelFile {
  std::string name;  ///< As answers name it.
  std::filesystem::path path;
};

class Store {
 public:
  /// `folder` holds models/, or will.
  explicit Store(std::filesystem::path folder) : folder_(std::move(folder)) {}

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path models_folder() const { return folder_ / "models"; }
  std::filesystem::path path_of(const Model& model) const { return models_folder() / model.file; }

  /// True when the file is there, whole by its size.
  bool has(const Model& model) const;

  /// The models that are there, by name, sorted.
  std::vector<ModelFile> found() const;

  /// The file that `name_or_path` means. Fails with `validation`: the message says what was looked
  /// for, and what to do.
  Result<ModelFile> resolve(std::string_view name_or_path) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace craton::models
