#include "engines/script/named_file.h"

#include <fstream>
#include <sstream>
#include <utility>

namespace craton::engines::script {

Result<std::string> file_text(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error{ErrorCode::validation, "cannot be read; check that it exists and is a file"};
  }
  if (std::filesystem::file_size(path, error) > file_bytes_max) {
    return Error{ErrorCode::validation,
                 "is larger than " + std::to_string(file_bytes_max >> 20) + " MiB"};
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::validation, "cannot be read; check its permissions"};
  return std::move(text).str();
}

Result<std::string> named_file(const rules::Source& source, const rules::Value& value,
                               std::string_view what) {
  CRATON_TRY_ASSIGN(const std::string name, text_of(source, value, what));
  if (source.folder.empty()) {
    return source.wrong(value.line, std::string(what) + ": no files can be named here");
  }
  Result<std::string> text = file_text(source.folder / name);
  if (text) return text;
  return source.wrong(value.line, std::string(what) + ": '" + name + "' " + text.error().message);
}

}  // namespace craton::engines::script
