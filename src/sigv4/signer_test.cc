#include "sigv4/signer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>

#include "sigv4/claim.h"
#include "sigv4/sign.h"

namespace craton::sigv4 {
namespace {

const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session"};

/// A request, signed, as a server sees it.
struct Sent {
  std::string method = "POST";
  std::string path = "/model/anthropic.claude-v2%3A1/invoke";
  std::string query = {};
  Fields headers = {{"Content-Type", "application/json"}, {"X-Amzn-Bedrock-Trace", "ENABLED"}};
  std::string body = R"({"prompt":"대한민국의 수도는?"})";
  std::string region = "eu-west-1";
  WallTime now = WallTime(std::chrono::seconds(1'764'000'000));

  void sign_it() {
    const Fields added = sign({method, "127.0.0.1:8420", path, query, headers, body}, credentials,
                              {region, "bedrock"}, now);
    headers.insert(headers.end(), added.begin(), added.end());
    headers.emplace_back("Host", "127.0.0.1:8420");
  }

  bool verifies() const {
    const std::string target = query.empty() ? path : path + "?" + query;
    const SignedRequest request{method, target, body,
                                [this](std::string_view name) { return header(name); }};
    const Result<Claim> claim = read_claim(request);
    if (!claim || !check_claim(*claim, {region, "bedrock", now})) return false;
    const Sha256Digest key = signing_key(credentials.secret_access_key, claim->scope());
    return verify(request, *claim, key).has_value();
  }

 private:
  std::optional<std::string> header(std::string_view wanted) const {
    for (const auto& [name, value] : headers) {
      const bool same = std::ranges::equal(name, wanted, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
      });
      if (same) return value;
    }
    return std::nullopt;
  }
};

TEST(Signer, WhatItSignsVerifies) {
  Sent sent;
  sent.sign_it();
  EXPECT_TRUE(sent.verifies());
  Sent changed = sent;
  changed.body += ' ';
  EXPECT_FALSE(changed.verifies());
  changed = sent;
  changed.path += 'x';
  EXPECT_FALSE(changed.verifies());
}

TEST(Signer, SignsTheSessionsToken) {
  Sent sent;
  sent.sign_it();
  for (auto& [name, value] : sent.headers) {
    if (name == "X-Amz-Security-Token") value = "another";
  }
  EXPECT_FALSE(sent.verifies());
}

TEST(Signer, AnyRequestThatIsSignedVerifies) {
  std::mt19937 random(7);
  const auto text = [&](std::string_view letters) {
    std::string made;
    for (unsigned i = random() % 12; i > 0; --i) made += letters[random() % letters.size()];
    return made;
  };
  for (int i = 0; i < 2000; ++i) {
    Sent sent;
    sent.path = "/" + text("ab%2F.~-_:") + "/" + text("aé한 ");
    std::ranges::replace(sent.path, ' ', '+');
    for (unsigned parameters = random() % 4; parameters > 0; --parameters) {
      sent.query += (sent.query.empty() ? "" : "&") + text("abAB-_.") + "=" + text("ab%20~*");
    }
    sent.headers.emplace_back("X-Amz-Meta", " " + text("ab  c\t") + " ");
    sent.body = text("{}abc");
    sent.sign_it();
    ASSERT_TRUE(sent.verifies()) << sent.path << '?' << sent.query;
  }
}

}  // namespace
}  // namespace craton::sigv4
