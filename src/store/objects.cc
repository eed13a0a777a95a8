#include "store/objects.h"

#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include "base/files.h"

namespace craton::store {
namespace {

constexpr std::size_t segment_max = 200;  // of 255 that file systems take

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const {
    libdeflate_free_compressor(compressor);
  }
};

std::string gzip(std::string_view bytes) {
  constexpr int level = 6;  // gzip's own default
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(level));
  std::string packed(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()), '\0');
  packed.resize(libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(),
                                         packed.data(), packed.size()));
  return packed;
}

}  // namespace

Result<void> check_bucket(std::string_view bucket) {
  const bool fits =
      bucket.size() >= 3 && bucket.size() <= 63 &&
      std::ranges::all_of(bucket,
                          [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; }) &&
      is_alphanumeric(bucket.front()) && is_alphanumeric(bucket.back()) &&
      bucket.find("..") == bucket.npos;
  if (fits) return {};
  return refused("The specified bucket is not valid: " + std::string(bucket));
}

Result<void> check_prefix(std::string_view prefix) {
  while (!prefix.empty()) {
    const std::size_t end = prefix.find('/');
    const std::string_view segment = prefix.substr(0, end);
    const bool fits = !segment.empty() && segment != "." && segment != ".." &&
                      segment.size() <= segment_max && std::ranges::none_of(segment, [](char c) {
                        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                      });
    if (!fits) {
      return refused(
          "The key prefix has a segment that could not be a folder's name: this server writes "
          "objects to files.");
    }
    prefix.remove_prefix(end == prefix.npos ? prefix.size() : end + 1);
  }
  return {};
}

Result<void> Objects::put_gzip(std::string_view bucket, std::string_view key,
                               std::string_view bytes) const {
  const std::filesystem::path path = folder_ / bucket / key;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    return Error{ErrorCode::internal_server, path.parent_path().string() + ": " + error.message()};
  }
  const Result<void> written = replace_file(path, gzip(bytes), 0600);
  if (written) return {};
  return Error{ErrorCode::internal_server, written.error().message};
}

}  // namespace craton::store
