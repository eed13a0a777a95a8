#include "engines/llama/model_file.h"

#include <fstream>
#include <string_view>
#include <system_error>

namespace craton::engines::llama {
namespace {

constexpr std::string_view magic = "GGUF";   // source: ggml's docs/gguf.md
constexpr std::uintmax_t header_bytes = 24;  // magic, version, two counts

}  // namespace

std::optional<std::string> why_no_model(const std::filesystem::path& path) {
  const std::string name = "model file " + path.string();
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return name + " does not exist. Check the path, or fetch a model: craton pull NAME.";
  }
  if (std::filesystem::is_directory(status)) {
    return name + " is a folder. Name the .gguf file in it.";
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return name + " cannot be read. Check its permissions.";
  std::string head(magic.size(), '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (!file || head != magic) {
    return name +
           " is not a GGUF file: it does not begin with \"GGUF\". Models in another format "
           "must be converted to GGUF first.";
  }
  if (std::filesystem::file_size(path, error) < header_bytes) {
    return name + " is cut short. Fetch it again.";
  }
  return std::nullopt;
}

}  // namespace craton::engines::llama
