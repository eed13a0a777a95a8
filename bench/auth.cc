// What looking at who asks costs: requests that boto3 could have sent, verified one after another
// by one thread.
//
// usage: craton_bench_auth [BODY_BYTES]
// Prints one JSON object: CPU microseconds of a verification, the median of rounds, and
// verifications a second of a core.
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "auth/gate.h"
#include "auth/key_file.h"
#include "auth/new_key.h"

namespace craton {
namespace {

constexpr int rounds = 15;
constexpr int requests = 20'000;

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

http::Request signed_by(const auth::NewKey& key, std::string body) {
  http::Request request{.method = "POST",
                        .target = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
                        .headers = {},
                        .body = std::move(body),
                        .peer = {}};
  request.headers.add("Accept-Encoding", "identity");
  request.headers.add("Content-Type", "application/json");
  request.headers.add("User-Agent",
                      "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux md/arch#x86_64");
  request.headers.add("Host", "127.0.0.1:8420");
  request.headers.add("X-Amz-Date", "20261126T120000Z");
  const sigv4::Scope scope{"20261126", "us-east-1", "bedrock"};
  const std::string hash = hex_of(bytes_of(sha256(request.body)));
  const auto canonical =
      sigv4::canonical_request({"POST", request.target, "", "content-type;host;x-amz-date", hash},
                               [&](std::string_view name) {
                                 return std::optional<std::string>(*request.headers.find(name));
                               });
  request.headers.add(
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=" + key.access_key_id +
          "/20261126/us-east-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
          "Signature=" +
          sigv4::signature(sigv4::signing_key(key.secret, scope),
                           sigv4::string_to_sign("20261126T120000Z", scope, *canonical)));
  return request;
}

int run(std::size_t body_bytes) {
  std::string folder = (std::filesystem::temp_directory_path() / "craton-bench-XXXXXX").string();
  if (!::mkdtemp(folder.data())) return 1;
  const std::filesystem::path file = std::filesystem::path(folder) / "keys.json";
  const auth::NewKey key = auth::new_access_key("bench");
  if (!auth::write_key_file(file, {key.identity})) return 1;
  const auto gate = auth::Gate::open({.keys = file, .region = "us-east-1", .now = [] {
                                        return *auth::date_of("2026-11-26T12:00:00Z");
                                      }});
  const http::Request request = signed_by(key, std::string(body_bytes, 'x'));
  std::vector<double> seconds;
  for (int round = 0; gate && round < rounds; ++round) {
    const double began = cpu_seconds();
    for (int i = 0; i < requests; ++i) {
      if (!(*gate)->admit(request)) return 1;
    }
    seconds.push_back((cpu_seconds() - began) / requests);
  }
  std::filesystem::remove_all(folder);
  if (seconds.empty()) return 1;
  std::nth_element(seconds.begin(), seconds.begin() + rounds / 2, seconds.end());
  const double median = seconds[rounds / 2];
  std::printf("{\"body_bytes\": %zu, \"cpu_us\": %.2f, \"per_second\": %.0f}\n", body_bytes,
              median * 1e6, 1 / median);
  return 0;
}

}  // namespace
}  // namespace craton

int main(int argc, char** argv) {
  return craton::run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1024);
}
