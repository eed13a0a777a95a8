// A small page, fetched into memory. Over libcurl.
//
// Blocking: for commands, not for a server's threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

namespace craton::http {

struct FetchOptions {
  std::string authority_file = {};  ///< PEM file of who is trusted; empty: whom the system trusts.
  std::chrono::milliseconds connect_limit{3'000};
  std::chrono::milliseconds limit{10'000};  ///< For everything.
  std::size_t bytes_max = 16 * 1024 * 1024;
  /// Asked now and then, once a second at least; true ends the fetch.
  std::function<bool()> given_up = nullptr;
};

struct FetchError {
  int status = 0;       ///< Of the server's answer, where that was the fault; 0: there was none.
  std::string message;  ///< "Connection refused"
};

/// Fetches pages, over one connection as long as it lasts. Loopback is never asked for by a proxy.
class Fetcher {
 public:
  explicit Fetcher(FetchOptions options);
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// The body of a 200 answer to GET `url`, http or https. Redirects are not followed.
  tl::expected<std::string, FetchError> get(const std::string& url);

 private:
  struct Handle;
  const FetchOptions options_;
  const std::unique_ptr<Handle> handle_;
};

}  // namespace craton::http
