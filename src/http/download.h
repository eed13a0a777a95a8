// Downloads of large files, resumable. Over libcurl, whose variables (https_proxy, …) are honoured.
//
// Blocking: for commands, not for a server's threads. What comes is not trusted: callers check it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <tl/expected.hpp>

namespace craton::http {

enum class DownloadFault {
  unreachable,  ///< No connection, or none that could be trusted. Nothing came.
  refused,      ///< The server answered with an error status.
  interrupted,  ///< It broke off. What came is kept, and the next call goes on from there.
  disk,         ///< The file could not be written.
};

struct DownloadError {
  DownloadFault fault;
  std::string message;  ///< One line: what, and what to do.
};

/// Bytes of the file that are there, and of all of it; 0 while that is not known.
using DownloadProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Fetches `url`, http or https, into `file`; goes on where `file` ends when it exists. Follows
/// redirects. Gives up after 10 s without a connection and 60 s without a byte.
tl::expected<void, DownloadError> download(const std::string& url,
                                           const std::filesystem::path& file,
                                           const DownloadProgress& progress);

}  // namespace craton::http
