#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/descriptor.h"

namespace craton {
namespace {

Error refused(const std::filesystem::path& path, const std::string& why) {
  return {ErrorCode::validation, path.string() + ": " + why + "."};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return refused(path, "it is a folder");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) return refused(path, error.message());
  if (size > bytes_max) {
    return refused(path, "it is larger than " + std::to_string(bytes_max) + " bytes");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) return refused(path, "it cannot be read");
  return text;
}

Result<void> replace_file(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  const std::filesystem::path draft = path.string() + ".new";
  ::unlink(draft.c_str());
  const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0 ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.get()) != 0 || ::rename(draft.c_str(), path.c_str()) != 0) {
    return refused(path, std::string("it cannot be written: ") + std::strerror(errno));
  }
  return {};
}

}  // namespace craton
