#include "http/fetch.h"

#include <curl/curl.h>

#include <array>
#include <utility>

#include "http/curl_library.h"

namespace craton::http {
namespace {

struct Arriving {
  std::string body;
  std::size_t bytes_max;
  bool too_large = false;
};

std::size_t on_bytes(char* bytes, std::size_t, std::size_t size, void* context) {
  auto& arriving = *static_cast<Arriving*>(context);
  arriving.too_large = arriving.body.size() + size > arriving.bytes_max;
  if (arriving.too_large) return 0;
  arriving.body.append(bytes, size);
  return size;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(context))() ? 1 : 0;
}

FetchError failure(CURLcode code, const Arriving& arriving, const char* reason) {
  if (arriving.too_large) return {0, "its answer is too large"};
  if (code == CURLE_ABORTED_BY_CALLBACK) return {0, "given up"};
  return {0, reason[0] != '\0' ? reason : curl_easy_strerror(code)};
}

}  // namespace

struct Fetcher::Handle {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), curl_easy_cleanup};
  std::array<char, CURL_ERROR_SIZE> reason{};
};

Fetcher::Fetcher(FetchOptions options)
    : options_(std::move(options)), handle_([] {
        begin_curl();
        return std::make_unique<Handle>();
      }()) {
  CURL* curl = handle_->curl.get();
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "craton");
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, long{options_.connect_limit.count()});
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long{options_.limit.count()});
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->reason.data());
  if (!options_.authority_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, options_.authority_file.c_str());
  }
  if (!options_.given_up) return;
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &options_.given_up);
}

Fetcher::~Fetcher() = default;

tl::expected<std::string, FetchError> Fetcher::get(const std::string& url) {
  CURL* curl = handle_->curl.get();
  Arriving arriving{{}, options_.bytes_max};
  handle_->reason[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &arriving);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return tl::unexpected(failure(code, arriving, handle_->reason.data()));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return std::move(arriving.body);
  return tl::unexpected(
      FetchError{static_cast<int>(status), "it answers with status " + std::to_string(status)});
}

}  // namespace craton::http
