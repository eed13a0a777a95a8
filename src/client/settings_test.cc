#include "client/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "client/credentials.h"

namespace craton::client {
namespace {

using testing::HasSubstr;

/// Variables and files as a test has them, and no others.
class SettingsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("craton_settings_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    for (const char* name : {"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL",
                             "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEARER_TOKEN_BEDROCK",
                             "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
                             "AWS_CA_BUNDLE", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"}) {
      unsetenv(name);
    }
    set("AWS_CONFIG_FILE", (folder_ / "config").string());
    set("AWS_SHARED_CREDENTIALS_FILE", (folder_ / "credentials").string());
    set("AWS_EC2_METADATA_DISABLED", "true");
  }
  void TearDown() override {
    for (const std::string& name : set_) unsetenv(name.c_str());
    std::filesystem::remove_all(folder_);
  }

  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  void write(const char* file, const std::string& text) { std::ofstream(folder_ / file) << text; }

  static Settings resolved(const ClientOptions& options = {}) {
    auto settings = resolve(options);
    EXPECT_TRUE(settings) << settings.error().message;
    return settings ? *settings : Settings{.options = options, .profile = *Profile::read("")};
  }

  static Result<sigv4::Credentials> credentials(const Settings& settings) {
    std::promise<Result<sigv4::Credentials>> found;
    const auto source = credentials_of(settings);
    source->get([&](Result<sigv4::Credentials> one) { found.set_value(std::move(one)); });
    return found.get_future().get();
  }

  std::filesystem::path folder_;
  std::vector<std::string> set_;
};

TEST_F(SettingsTest, AskAwsWhereNothingIsToldButTheRegion) {
  set("AWS_REGION", "eu-central-1");
  const Settings settings = resolved();
  EXPECT_EQ(settings.control_url, "https://bedrock.eu-central-1.amazonaws.com");
  EXPECT_EQ(settings.runtime_url, "https://bedrock-runtime.eu-central-1.amazonaws.com");
  EXPECT_FALSE(settings.endpoint_told);
  EXPECT_FALSE(names_credentials(settings));
}

TEST_F(SettingsTest, HostsOfOtherPartitionsAndKinds) {
  const auto host = [](const std::string& region, bool fips, bool dual) {
    return resolved({.region = region, .fips = fips, .dual_stack = dual}).runtime_url;
  };
  EXPECT_EQ(host("us-east-1", true, false), "https://bedrock-runtime-fips.us-east-1.amazonaws.com");
  EXPECT_EQ(host("us-east-1", false, true), "https://bedrock-runtime.us-east-1.api.aws");
  EXPECT_EQ(host("cn-north-1", false, false),
            "https://bedrock-runtime.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(host("us-gov-west-1", false, false),
            "https://bedrock-runtime.us-gov-west-1.amazonaws.com");
}

TEST_F(SettingsTest, EndpointsInTheOrderOfTheSdks) {
  write("config",
        "[default]\nregion = us-west-2\nendpoint_url = http://profile:1\nservices = local\n"
        "[services local]\nbedrock_runtime =\n  endpoint_url = http://section:2\n");
  EXPECT_EQ(resolved().runtime_url, "http://section:2");
  EXPECT_EQ(resolved().control_url, "http://profile:1");
  set("AWS_ENDPOINT_URL", "http://variable:3/");
  EXPECT_EQ(resolved().runtime_url, "http://variable:3");
  set("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://service:4");
  EXPECT_EQ(resolved().runtime_url, "http://service:4");
  EXPECT_EQ(resolved().control_url, "http://variable:3");
  EXPECT_EQ(resolved({.endpoint_url = "http://told:5"}).control_url, "http://told:5");
  set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  EXPECT_EQ(resolved().runtime_url, "https://bedrock-runtime.us-west-2.amazonaws.com");
}

TEST_F(SettingsTest, ProfilesAreThoseOfBothFiles) {
  write("config",
        "[profile work]\nregion = ap-northeast-2\nmax_attempts = 7\nretry_mode = adaptive\n");
  write("credentials", "[work]\naws_access_key_id = AKWORK\naws_secret_access_key = secret\n");
  const Settings settings = resolved({.profile = "work"});
  EXPECT_EQ(settings.region, "ap-northeast-2");
  EXPECT_EQ(settings.max_attempts, 7);
  EXPECT_EQ(settings.retry_mode, RetryMode::adaptive);
  EXPECT_TRUE(names_credentials(settings));
  const auto found = credentials(settings);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "AKWORK");
  EXPECT_EQ(found->secret_access_key, "secret");
  set("AWS_PROFILE", "work");
  EXPECT_EQ(resolved().region, "ap-northeast-2");
}

TEST_F(SettingsTest, VariablesGiveCredentials) {
  set("AWS_REGION", "us-east-1");
  set("AWS_ACCESS_KEY_ID", "AKENV");
  set("AWS_SECRET_ACCESS_KEY", "secret");
  set("AWS_SESSION_TOKEN", "token");
  const auto found = credentials(resolved());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "AKENV");
  EXPECT_EQ(found->session_token, "token");
}

TEST_F(SettingsTest, AProcessGivesCredentials) {
  write("config",
        "[profile made]\nregion = us-east-1\ncredential_process = printf "
        R"('{"Version":1,"AccessKeyId":"AKPROC","SecretAccessKey":"s","SessionToken":"t"}')"
        "\n");
  const auto found = credentials(resolved({.profile = "made"}));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->access_key_id, "AKPROC");
}

TEST_F(SettingsTest, ABearerTokenStandsForCredentials) {
  set("AWS_REGION", "us-east-1");
  set("AWS_BEARER_TOKEN_BEDROCK", "ABSKtoken");
  EXPECT_EQ(resolved().bearer_token, "ABSKtoken");
  EXPECT_TRUE(names_credentials(resolved()));
  EXPECT_EQ(resolved({.credentials = ClientCredentials{"a", "b"}}).bearer_token, "");
}

TEST_F(SettingsTest, TellsWhatIsMissing) {
  set("AWS_ACCESS_KEY_ID", "AKENV");
  EXPECT_THAT(resolve({}).error().message, HasSubstr("no Region"));
  EXPECT_THAT(resolve({.profile = "nobody"}).error().message, HasSubstr("no profile 'nobody'"));
  EXPECT_THAT(resolve({.region = "us east"}).error().message, HasSubstr("no Region"));
  EXPECT_THAT(resolve({.endpoint_url = "localhost:8420"}).error().message,
              HasSubstr("no endpoint"));
  set("AWS_MAX_ATTEMPTS", "none");
  EXPECT_THAT(resolve({.region = "us-east-1"}).error().message, HasSubstr("attempts"));
}

TEST_F(SettingsTest, NoCredentialsAreAnErrorThatTellsWhereWasLooked) {
  set("AWS_REGION", "us-east-1");
  const auto found = credentials(resolved());
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("AWS_ACCESS_KEY_ID"));
}

}  // namespace
}  // namespace craton::client
