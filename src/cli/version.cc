#include "cli/version.h"

#include <curl/curlver.h>
#include <fmt/core.h>
#include <openssl/opensslv.h>
#include <spdlog/version.h>

#include <boost/version.hpp>

// From the project's and the lock file's versions, by CMakeLists.txt beside this file.
#include "version_config.h"

namespace craton::cli {

std::string version_text() {
  return fmt::format(
      "craton {}\n"
      "  Bedrock API model   botocore {}\n"
      "  inference           llama.cpp (llama-cpp-python {})\n"
      "  sockets, JSON       Boost {}.{}\n"
      "  TLS, hashes         {}\n"
      "  downloads           curl {}\n"
      "  logging             spdlog {}.{}.{}\n"
      "  compiler            {}, {}\n",
      CRATON_VERSION, CRATON_BOTOCORE_VERSION, CRATON_LLAMA_VERSION, BOOST_VERSION / 100000,
      BOOST_VERSION / 100 % 1000, OPENSSL_VERSION_TEXT, LIBCURL_VERSION, SPDLOG_VER_MAJOR,
      SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, CRATON_COMPILER, CRATON_BUILD_TYPE);
}

}  // namespace craton::cli
