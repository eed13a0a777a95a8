// Objects: a folder that stands for S3.
//
//   <folder>/<bucket>/<key>          logs/my-bucket/team/AWSLogs/000000000000/…/x.json.gz
//
// Threads: any function may be called from any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace craton::store {

/// Fails with `validation` for what S3 takes for no bucket's name: 3 to 63 of a-z, 0-9, '-' and
/// '.', with a letter or digit at both ends and no two dots in a row.
Result<void> check_bucket(std::string_view bucket);

/// Fails with `validation` for a prefix that could not be a path below its bucket: with a segment
/// that is ".", ".." or longer than 200 bytes, with an empty one before the last, or with a control
/// character.
Result<void> check_prefix(std::string_view prefix);

class Objects {
 public:
  explicit Objects(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Writes `bytes`, gzip, in place of what was there; who reads meanwhile never sees a part.
  /// `bucket` and the client's part of `key` have been checked. Fails with `internal_server`; the
  /// message names the path, for the log alone.
  Result<void> put_gzip(std::string_view bucket, std::string_view key,
                        std::string_view bytes) const;

 private:
  const std::filesystem::path folder_;
};

}  // namespace craton::store
