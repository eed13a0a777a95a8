#include "http/download.h"

#include <curl/curl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>

#include "http/curl_library.h"

namespace craton::http {
namespace {

using Curl = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

constexpr long connect_timeout_s = 10;
constexpr long stalled_s = 60;
constexpr long redirects_max = 10;

struct Transfer {
  std::FILE* file;
  std::uint64_t start;  ///< Bytes that were there before.
  const DownloadProgress& progress;
  int write_error = 0;
  std::uint64_t received = 0;
};

std::size_t on_bytes(char* bytes, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (std::fwrite(bytes, 1, size, transfer.file) != size) {
    transfer.write_error = errno;
    return 0;
  }
  transfer.received += size;
  return size;
}

int on_progress(void* context, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<const Transfer*>(context);
  if (transfer.progress && now > 0) {
    const auto rest = static_cast<std::uint64_t>(total);
    transfer.progress(transfer.start + static_cast<std::uint64_t>(now),
                      rest == 0 ? 0 : transfer.start + rest);
  }
  return 0;
}

std::string host_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(begin, url.find('/', begin) - begin);
}

DownloadError disk_error(const std::filesystem::path& file, int error) {
  return {DownloadFault::disk, "cannot write " + file.string() + ": " +
                                   std::generic_category().message(error) +
                                   ". Free some space or choose another folder."};
}

void prepare(CURL* curl, const std::string& url, Transfer& transfer, char* reason) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, redirects_max);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "craton");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_timeout_s);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stalled_s);
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.start));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
}

DownloadError refused(const std::string& url, long status) {
  return {DownloadFault::refused, host_of(url) + " answered with status " + std::to_string(status) +
                                      ". Try again later, or another source."};
}

DownloadError failure(const std::string& url, const char* reason, bool anything_came) {
  if (anything_came) {
    return {DownloadFault::interrupted, "the download from " + host_of(url) +
                                            " broke off: " + reason +
                                            ". Run the command again; it goes on from here."};
  }
  return {DownloadFault::unreachable,
          "cannot reach " + host_of(url) + ": " + reason +
              ". Check the network, and https_proxy where there is a proxy."};
}

/// One try; `restart` is set when the server cannot go on where the file ends.
tl::expected<void, DownloadError> attempt(const std::string& url, const std::filesystem::path& path,
                                          const DownloadProgress& progress, bool& restart) {
  restart = false;
  std::error_code none;
  const std::uintmax_t there = std::filesystem::file_size(path, none);
  const std::uint64_t start = none ? 0 : there;
  const File file(std::fopen(path.c_str(), "ab"), std::fclose);
  if (!file) return tl::unexpected(disk_error(path, errno));
  Transfer transfer{file.get(), start, progress};
  const Curl curl(curl_easy_init(), curl_easy_cleanup);
  std::array<char, CURL_ERROR_SIZE> reason{};
  prepare(curl.get(), url, transfer, reason.data());
  const CURLcode code = curl_easy_perform(curl.get());
  if (std::fflush(file.get()) != 0 && transfer.write_error == 0) transfer.write_error = errno;
  if (transfer.write_error != 0) return tl::unexpected(disk_error(path, transfer.write_error));
  if (code == CURLE_OK) return {};
  restart = start > 0 && code == CURLE_RANGE_ERROR;
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_HTTP_RETURNED_ERROR) return tl::unexpected(refused(url, status));
  const char* text = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
  return tl::unexpected(failure(url, text, transfer.received > 0));
}

}  // namespace

tl::expected<void, DownloadError> download(const std::string& url,
                                           const std::filesystem::path& file,
                                           const DownloadProgress& progress) {
  begin_curl();
  bool restart = false;
  auto done = attempt(url, file, progress, restart);
  if (!restart) return done;
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  return attempt(url, file, progress, restart);
}

}  // namespace craton::http
