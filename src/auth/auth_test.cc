#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "auth/gate.h"
#include "auth/key_file.h"
#include "auth/new_key.h"
#include "base/base64.h"
#include "base/log.h"

namespace craton::auth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

const WallTime noon = *date_of("2026-11-26T12:00:00Z");

class FileTest : public testing::Test {
 protected:
  FileTest() {
    log::set_level(log::Level::off);
    std::string pattern = (std::filesystem::temp_directory_path() / "craton-auth-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::filesystem::path file() const { return folder / "keys" / "keys.json"; }
};

Identity whole_identity() {
  Identity identity = new_temporary_key("ci").identity;
  identity.allow = {{"bedrock:InvokeModel", "anthropic.claude-v2:*"}, {"bedrock:List*"}};
  identity.quota = {.requests_per_minute = 60, .tokens_per_minute = 1000, .streams = 2};
  identity.created = noon;
  identity.expires = noon + 1h;
  return identity;
}

TEST(Allow, IsAnActionAndModels) {
  EXPECT_EQ(*read_allow("bedrock:InvokeModel"), (Allow{"bedrock:InvokeModel", "*"}));
  EXPECT_EQ(*read_allow("bedrock:*:anthropic.claude-v2:1"),
            (Allow{"bedrock:*", "anthropic.claude-v2:1"}));
  for (const char* wrong :
       {"", "bedrock:", "s3:Get", "InvokeModel", "bedrock::x", "bedrock:a:", "bedrock:a b"}) {
    EXPECT_FALSE(read_allow(wrong)) << wrong;
  }
}

TEST(Allows, WhatOneOfTheRulesFits) {
  Identity identity;
  EXPECT_TRUE(allows(identity, "bedrock:Converse", {"any"})) << "no rules: everything";
  identity.allow = {{"bedrock:Invoke*", "us.anthropic.*"}, {"bedrock:ListFoundationModels"}};
  EXPECT_TRUE(allows(identity, "bedrock:InvokeModel", {"anthropic.claude-v2", "us.anthropic.a"}));
  EXPECT_FALSE(allows(identity, "bedrock:InvokeModel", {"anthropic.claude-v2"}));
  EXPECT_TRUE(allows(identity, "bedrock:InvokeModel")) << "of some model";
  EXPECT_TRUE(allows(identity, "bedrock:ListFoundationModels"));
  EXPECT_FALSE(allows(identity, "bedrock:CountTokens"));
}

TEST_F(FileTest, KeysAreWhatWasWritten) {
  std::vector<Identity> keys{whole_identity(), new_access_key("a").identity,
                             new_bearer_key("b", "000000000000").identity};
  ASSERT_TRUE(write_key_file(file(), keys));
  const auto read = read_key_file(file());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, keys);
  struct stat found{};
  ASSERT_EQ(::stat(file().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  EXPECT_THAT(read_key_file(file()).error().message, HasSubstr("Run chmod 600 on it."));
}

TEST_F(FileTest, NoFileHasNoKeys) { EXPECT_TRUE(read_key_file(file())->empty()); }

TEST(KeysOf, SaysWhatIsWrong) {
  const auto refusal = [](std::string_view text) {
    const auto keys = keys_of(text);
    return keys ? std::string() : keys.error().message;
  };
  EXPECT_THAT(refusal("[]"), HasSubstr("an object with 'keys'"));
  EXPECT_THAT(refusal(R"({"keys":[{"nam":"x"}]})"), HasSubstr("key 1: unknown member 'nam'"));
  EXPECT_THAT(refusal(R"({"keys":[{"name":"x","accessKeyId":"A"}]})"), HasSubstr("either"));
  EXPECT_THAT(refusal(R"({"keys":[{"name":"x","requestsPerMinute":0}]})"), HasSubstr("from 1"));
  EXPECT_THAT(refusal(R"({"keys":[{"name":"x","expires":"soon"}]})"), HasSubstr("is no time"));
  EXPECT_THAT(refusal(R"({"keys":[{"name":"x","expires":"4010-12-01T00:00:00Z"}]})"),
              HasSubstr("is no time"));
  EXPECT_THAT(refusal("{"), HasSubstr("byte"));
}

TEST(NewKey, LooksLikeThoseOfAws) {
  const NewKey access = new_access_key("a");
  EXPECT_THAT(access.access_key_id, testing::MatchesRegex("AKIA[A-Z2-7]{16}"));
  EXPECT_EQ(access.secret.size(), 40u);
  EXPECT_NE(access.secret, new_access_key("a").secret);
  const NewKey bearer = new_bearer_key("b", "000000000000");
  EXPECT_THAT(bearer.bearer, StartsWith("ABSKQmVkcm9ja0FQSUtleS"));
  EXPECT_THAT(bearer.bearer, testing::MatchesRegex("ABSK[A-Za-z0-9+/]{109,269}={0,2}"));
  EXPECT_EQ(bearer.identity.secret, "");
}

WallTime time_now = noon;

class GateTest : public FileTest {
 protected:
  GateTest() { time_now = noon; }

  void keep(const std::vector<Identity>& keys) {
    ASSERT_TRUE(write_key_file(file(), keys));
    gate = std::move(
        *Gate::open({.keys = file(), .region = "us-east-1", .now = [] { return time_now; }}));
  }

  /// Signed by that key at noon, for a service and a Region.
  static http::Request signed_by(const NewKey& key, std::string_view region = "us-east-1",
                                 std::string_view service = "bedrock",
                                 std::string target = "/foundation-models") {
    http::Request request{
        .method = "GET", .target = std::move(target), .headers = {}, .body = {}, .peer = {}};
    const std::string hash = hex_of(bytes_of(sha256("")));
    std::string names = "host;x-amz-date";
    request.headers.add("Host", "localhost");
    request.headers.add("X-Amz-Date", "20261126T120000Z");
    if (!key.session_token.empty()) {
      request.headers.add("X-Amz-Security-Token", key.session_token);
      names += ";x-amz-security-token";
    }
    const sigv4::Scope scope{"20261126", region, service};
    const auto canonical =
        sigv4::canonical_request({"GET", request.target, "", names, hash},
                                 [&](std::string_view name) -> std::optional<std::string> {
                                   const auto found = request.headers.find(name);
                                   return found ? std::optional<std::string>(*found) : std::nullopt;
                                 });
    const std::string code =
        sigv4::signature(sigv4::signing_key(key.secret, scope),
                         sigv4::string_to_sign("20261126T120000Z", scope, *canonical));
    request.headers.add("Authorization",
                        "AWS4-HMAC-SHA256 Credential=" + key.access_key_id + "/20261126/" +
                            std::string(region) + "/" + std::string(service) +
                            "/aws4_request, SignedHeaders=" + names + ", Signature=" + code);
    return request;
  }

  static http::Request with_key(std::string header, std::string value) {
    http::Request request{
        .method = "GET", .target = "/foundation-models", .headers = {}, .body = {}, .peer = {}};
    request.headers.add(std::move(header), std::move(value));
    return request;
  }

  /// The name of who is let in, or the refusal.
  std::string told(const http::Request& request) {
    const auto caller = gate->admit(request);
    if (caller) return caller->identity->name;
    return std::string(shape_of(caller.error().code).name) + ": " + caller.error().message;
  }

  std::unique_ptr<Gate> gate;
};

TEST_F(GateTest, LetsInWhoSignsByAKeyThatIsThere) {
  const NewKey key = new_access_key("ci");
  keep({key.identity});
  EXPECT_EQ(told(signed_by(key)), "ci");
  EXPECT_EQ(told(signed_by(key)), "ci") << "by the key that was kept";
  EXPECT_EQ(told(signed_by(new_access_key("other"))),
            "UnrecognizedClientException: The security token included in the request is invalid.");
  NewKey wrong = key;
  wrong.secret += "x";
  EXPECT_THAT(told(signed_by(wrong)),
              StartsWith("InvalidSignatureException: The request signature we calculated"));
  EXPECT_THAT(told(signed_by(key, "eu-west-1")), HasSubstr("valid Region, not 'eu-west-1'"));
  EXPECT_THAT(told(signed_by(key, "us-east-1", "s3")), HasSubstr("correct service: 'bedrock'"));
  EXPECT_EQ(told(signed_by(key, "us-east-1", "bedrock-mantle", "/v1/models")), "ci");
  EXPECT_THAT(told(signed_by(key, "us-east-1", "bedrock-mantle")), HasSubstr("correct service"));
  time_now = noon + 6min;
  EXPECT_THAT(told(signed_by(key)), HasSubstr("Signature expired: 20261126T120000Z"));
  EXPECT_EQ(told({.method = "GET", .target = "/", .headers = {}, .body = {}, .peer = {}}),
            "MissingAuthenticationTokenException: Missing Authentication Token");
}

TEST_F(GateTest, WantsTheTokenOfATemporaryKeyUntilItEnds) {
  NewKey key = new_temporary_key("ci");
  key.identity.expires = noon + 1min;
  keep({key.identity});
  EXPECT_EQ(told(signed_by(key)), "ci");
  NewKey without = key;
  without.session_token.clear();
  EXPECT_THAT(told(signed_by(without)), StartsWith("UnrecognizedClientException"));
  NewKey other = key;
  other.session_token = "another";
  EXPECT_THAT(told(signed_by(other)), StartsWith("UnrecognizedClientException"));
  time_now = noon + 1min;
  EXPECT_EQ(told(signed_by(key)),
            "ExpiredTokenException: The security token included in the request is expired");
}

TEST_F(GateTest, TakesApiKeys) {
  NewKey key = new_bearer_key("app", "000000000000");
  key.identity.expires = noon + 1h;
  keep({key.identity});
  EXPECT_EQ(told(with_key("Authorization", "Bearer " + key.bearer)), "app");
  EXPECT_EQ(told(with_key("authorization", "bearer " + key.bearer)), "app");
  EXPECT_EQ(told(with_key("x-api-key", key.bearer)), "app");
  EXPECT_EQ(
      told(with_key("Authorization", "Bearer " + key.bearer + "x")),
      "AccessDeniedException: Authentication failed: Please make sure your API Key is valid.");
  EXPECT_EQ(told(with_key("Authorization", "Bearer sk-123")),
            "AccessDeniedException: Invalid API Key format: Must start with pre-defined prefix");
  EXPECT_THAT(told(with_key("Authorization", "Basic abc")), HasSubstr("Missing Authentication"));
  time_now = noon + 1h;
  EXPECT_EQ(told(with_key("Authorization", "Bearer " + key.bearer)),
            "AccessDeniedException: Bearer Token has expired");
}

TEST_F(GateTest, TakesShortTermKeysUntilTheyEnd) {
  const NewKey key = new_access_key("ci");
  keep({key.identity});
  const auto bearer_of = [&](const NewKey& by, std::string_view region) {
    const std::string query =
        "Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
        "X-Amz-Credential=" +
        by.access_key_id + "%2F20261126%2F" + std::string(region) +
        "%2Fbedrock%2Faws4_request&X-Amz-Date=20261126T120000Z&"
        "X-Amz-Expires=3600&X-Amz-SignedHeaders=host";
    const sigv4::Scope scope{"20261126", region, "bedrock"};
    const auto canonical = sigv4::canonical_request(
        {"POST", "/", query, "host", hex_of(bytes_of(sha256("")))},
        [](std::string_view) { return std::optional<std::string>("bedrock.amazonaws.com"); });
    const std::string url =
        "bedrock.amazonaws.com/?" + query + "&X-Amz-Signature=" +
        sigv4::signature(sigv4::signing_key(by.secret, scope),
                         sigv4::string_to_sign("20261126T120000Z", scope, *canonical)) +
        "&Version=1";
    std::string text = "Bearer bedrock-api-key-";
    append_base64(url, text);
    return with_key("Authorization", text);
  };
  EXPECT_EQ(told(bearer_of(key, "us-east-1")), "ci");
  EXPECT_THAT(told(bearer_of(key, "eu-west-1")), HasSubstr("make sure your API Key is valid"));
  EXPECT_THAT(told(bearer_of(new_access_key("other"), "us-east-1")), HasSubstr("is valid"));
  EXPECT_THAT(told(with_key("Authorization", "Bearer bedrock-api-key-%%%")), HasSubstr("is valid"));
  time_now = noon + 1h + 1s;
  EXPECT_EQ(told(bearer_of(key, "us-east-1")), "AccessDeniedException: Bearer Token has expired");
}

TEST_F(GateTest, ReadsTheFileAgainWhenItChanged) {
  const NewKey key = new_access_key("ci");
  keep({key.identity});
  EXPECT_EQ(told(signed_by(key)), "ci");
  ASSERT_TRUE(write_key_file(file(), {}));
  std::filesystem::last_write_time(file(), std::filesystem::file_time_type::clock::now() + 5s);
  std::string after;
  for (int i = 0; i < 300 && !after.starts_with("Unrecognized"); ++i) {
    after = told(signed_by(key));
    ::usleep(10'000);
  }
  EXPECT_THAT(after, StartsWith("UnrecognizedClientException"));
  EXPECT_EQ(gate->keys(), 0u);
}

}  // namespace
}  // namespace craton::auth
