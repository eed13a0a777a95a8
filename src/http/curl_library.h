// libcurl's own beginning, which must come once and before all else.
#pragma once

#include <curl/curl.h>

#include <mutex>

namespace craton::http {

inline void begin_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace craton::http
