// A folder that a test may fill. For tests only.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace craton::engines::llama {

/// A folder for one test.
class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "craton-images-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace craton::engines::llama
