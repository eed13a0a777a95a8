#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace craton::server {
namespace {

using testing::HasSubstr;

std::optional<std::string> nothing(const std::string&) { return std::nullopt; }

class ConfigFile : public testing::Test {
 protected:
  ~ConfigFile() override { std::filesystem::remove(path_); }

  std::string write(std::string_view text) {
    std::ofstream(path_) << text;
    return path_;
  }

  const std::string path_ =
      testing::TempDir() + "craton-config-" + std::to_string(getpid()) + ".yaml";
};

TEST(Config, HasDefaultsThatServeOnLoopback) {
  const auto config = read_config({{}, nothing, {}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->host, "127.0.0.1");
  EXPECT_EQ(config->port, 8420);
  EXPECT_EQ(config->catalog, catalog::View::all);
}

TEST_F(ConfigFile, FlagsWinOverVariablesAndVariablesOverTheFile) {
  const std::string file = write("port: 1\nregion: eu-west-1\ncatalog: seed\n");
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "CRATON_PORT") return "2";
    if (name == "CRATON_REGION") return "ap-northeast-2";
    return std::nullopt;
  };
  const auto config = read_config({{{"port", "3"}}, environment, file});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->port, 3);
  EXPECT_EQ(config->region, "ap-northeast-2");
  EXPECT_EQ(config->catalog, catalog::View::seed);
}

TEST_F(ConfigFile, AnUnknownKeyNamesItsLineAndTheNearestRightOne) {
  const auto config = read_config({{}, nothing, write("host: ::1\nmodle: x\n")});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr(":2: unknown key 'modle'; did you mean 'model'?"));
}

TEST_F(ConfigFile, BrokenYamlNamesItsLine) {
  const auto config = read_config({{}, nothing, write("host: a\n  - b: [\n")});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr(".yaml:"));
}

TEST_F(ConfigFile, NestedValuesAreRefused) {
  EXPECT_FALSE(read_config({{}, nothing, write("host: [a, b]\n")}));
  EXPECT_FALSE(read_config({{}, nothing, write("- a\n")}));
}

TEST(Config, AMissingFileIsNamed) {
  const auto config = read_config({{}, nothing, "no-such.yaml"});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("no-such.yaml"));
}

struct Wrong {
  std::string_view name;
  std::string_view value;
};

class WrongValue : public testing::TestWithParam<Wrong> {};

TEST_P(WrongValue, IsRefusedWithTheFlagsName) {
  const std::string name(GetParam().name);
  const auto config = read_config({{{name, std::string(GetParam().value)}}, nothing, {}});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("--" + name));
  EXPECT_THAT(config.error().message, HasSubstr("expected"));
}

INSTANTIATE_TEST_SUITE_P(Table, WrongValue,
                         testing::Values(Wrong{"port", "65536"}, Wrong{"port", "-1"},
                                         Wrong{"port", "http"}, Wrong{"tls", "on"},
                                         Wrong{"port", ""}, Wrong{"threads", "2.5"},
                                         Wrong{"catalog", "yesterday"}, Wrong{"region", "US EAST"},
                                         Wrong{"log", "loud"},
                                         Wrong{"max-body", "99999999999999999999"}));

TEST(Config, CertificateAndKeyComeTogether) {
  for (const auto& flags : {std::map<std::string, std::string>{{"tls-cert", "a"}},
                            {{"tls-key", "a"}},
                            {{"tls-cert", "a"}, {"tls-key", "b"}, {"tls", "self-signed"}}}) {
    const auto config = read_config({flags, nothing, {}});
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message, HasSubstr("tls-"));
  }
  EXPECT_EQ(read_config({{{"tls-cert", "a"}, {"tls-key", "b"}}, nothing, {}})->tls, Tls::files);
  EXPECT_EQ(read_config({{{"tls", "self-signed"}}, nothing, {}})->tls, Tls::self_signed);
  EXPECT_EQ(read_config({{}, nothing, {}})->tls, Tls::off);
}

TEST(Settings, EachHasAHelpLineAndAnUpperCaseVariable) {
  for (const Setting& setting : settings()) {
    EXPECT_FALSE(setting.help.empty()) << setting.name;
    EXPECT_EQ(find_setting(setting.name), &setting);
  }
  EXPECT_EQ(variable_of(*find_setting("drain-limit")), "CRATON_DRAIN_LIMIT");
}

}  // namespace
}  // namespace craton::server
