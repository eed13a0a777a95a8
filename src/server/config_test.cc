#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "server/settings.h"

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

TEST_F(ConfigFile, QuotasOfFlagsStandBeforeThoseOfVariablesAndOfTheFile) {
  const std::string file =
      write("quotas:\n  \"us.a*\": 1rpm\n  \"a*\": {requests-per-minute: 2, tokens-per-day: 3}\n");
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "CRATON_QUOTA") return "b*=4rpm,c*=5streams";
    return std::nullopt;
  };
  const auto config = read_config({{{"quota", "d*=6tpm,7rpm"}}, environment, file});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(auth::text_of(config->quotas),
            "d*=7rpm,6tpm,b*=4rpm,c*=5streams,us.a*=1rpm,a*=2rpm,3tpd");
  EXPECT_EQ(config->retry_after, service::RetryAfter::automatic);
}

TEST_F(ConfigFile, AnUnknownKeyNamesItsLineAndTheNearestRightOne) {
  const auto config = read_config({{}, nothing, write("host: ::1\nmodle: x\n")});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr(":2: unknown key 'modle'; did you mean 'model'?"));
}

TEST_F(ConfigFile, AModelMayBeOtherServers) {
  const auto config = read_config(
      {{{"bind", "meta.*=upstream:https://host/v1"}},
       nothing,
       write("models:\n  many:\n    upstream: [http://10.0.0.2:8000, http://10.0.0.3:8000/v1/]\n"
             "    upstream-model: qwen\n    upstream-kind: vllm\n    idle-limit: 5\n"
             "bind: {'*': many}\n")});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->model.file.empty()) << "none of this machine's is wanted";
  const ModelConfig& many = config->models.front().config;
  EXPECT_EQ(many.upstream,
            (std::vector<std::string>{"http://10.0.0.2:8000", "http://10.0.0.3:8000"}));
  EXPECT_EQ(many.upstream_model, "qwen");
  EXPECT_EQ(many.idle_limit_s, 5);
  EXPECT_EQ(config->models.back().config.upstream, std::vector<std::string>{"https://host"});
}

TEST_F(ConfigFile, OtherServersAreNamedByAddressesEachOnce) {
  for (const char* wrong : {"upstream: 10.0.0.2:8000", "upstream: []",
                            "upstream: [http://a, http://a/v1]", "upstream-kind: tgi"}) {
    const auto config =
        read_config({{}, nothing, write("models:\n  many:\n    " + std::string(wrong) + "\n")});
    ASSERT_FALSE(config) << wrong;
    EXPECT_THAT(config.error().message, HasSubstr(":3: many.upstream"));
  }
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

const ModelConfig& model_of(const Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.models, name, &NamedModel::name);
  if (found == config.models.end()) throw std::out_of_range("no such model");
  return found->config;
}

TEST_F(ConfigFile, ModelsHaveTheSettingsOfAllAndTheirOwn) {
  const auto config = read_config({{{"threads", "3"}},
                                   nothing,
                                   write("context: 4096\nprojector: eyes.gguf\nmodels:\n"
                                         "  small: {file: a.gguf, context: 512, keep: on}\n"
                                         "  large:\n    kv-type: q8_0\n    threads: 1\n"
                                         "  plain:\n")});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->model.file, default_model);
  ASSERT_EQ(config->models.size(), 3u);
  const ModelConfig& small = model_of(*config, "small");
  EXPECT_EQ(small.file, "a.gguf");
  EXPECT_EQ(small.context_tokens, 512);
  EXPECT_EQ(small.threads, 3) << "a flag is said of all models";
  EXPECT_TRUE(small.keep);
  const ModelConfig& large = model_of(*config, "large");
  EXPECT_EQ(large.file, "large");
  EXPECT_EQ(large.context_tokens, 4096);
  EXPECT_EQ(large.threads, 1);
  EXPECT_EQ(large.kv_type, engines::llama::KvType::q8_0);
  EXPECT_FALSE(large.keep);
  EXPECT_EQ(large.projector, "") << "it was made for the default model";
  EXPECT_EQ(config->model.projector, "eyes.gguf");
  EXPECT_EQ(model_of(*config, "plain").file, "plain");
}

TEST_F(ConfigFile, AModelThatDrawsHasFilesOfWeights) {
  const auto config = read_config(
      {{},
       nothing,
       write("models:\n"
             "  sd: {file: /m/sd15.ckpt, kind: diffusion, vae: /m/vae.gguf, steps: 30,\n"
             "       sampler: K_DPMPP_2M}\n"
             "  flux: {diffusion-model: /m/flux.gguf, clip-l: /m/l.gguf, t5xxl: /m/t5.gguf,\n"
             "         clip-g: /m/g.gguf, taesd: /m/tae.gguf, sampler: euler_a}\n")});
  ASSERT_TRUE(config) << config.error().message;
  const ModelConfig& sd = model_of(*config, "sd");
  EXPECT_EQ(sd.kind, ModelKind::diffusion);
  EXPECT_EQ(sd.vae, "/m/vae.gguf");
  EXPECT_EQ(sd.steps, 30);
  EXPECT_EQ(sd.sampler, "K_DPMPP_2M");
  const ModelConfig& flux = model_of(*config, "flux");
  EXPECT_EQ(flux.kind, ModelKind::automatic);
  EXPECT_EQ(flux.diffusion_model, "/m/flux.gguf");
  EXPECT_EQ(flux.clip_l, "/m/l.gguf");
  EXPECT_EQ(flux.clip_g, "/m/g.gguf");
  EXPECT_EQ(flux.t5xxl, "/m/t5.gguf");
  EXPECT_EQ(flux.taesd, "/m/tae.gguf");
}

TEST_F(ConfigFile, TheFirstBindingThatFitsIsTheOneSaidLast) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "CRATON_BIND") return "b*=two";
    return std::nullopt;
  };
  const auto config =
      read_config({{{"bind", "c=three,d=four.gguf"}},
                   environment,
                   write("models: {one: }\nbind:\n  \"a:0\": one\n  \"*\": one\n")});
  ASSERT_TRUE(config) << config.error().message;
  std::vector<std::string> bound;
  for (const Binding& row : config->bindings) bound.push_back(row.pattern + " " + row.model);
  EXPECT_THAT(bound, testing::ElementsAre("c three", "d four.gguf", "b* two", "a:0 one", "* one"));
  EXPECT_EQ(config->models.size(), 4u) << "what bindings name is a model";
  EXPECT_EQ(model_of(*config, "four.gguf").file, "four.gguf");
}

TEST_F(ConfigFile, WhatIsWrongWithAModelNamesItsLine) {
  const std::pair<std::string_view, std::string_view> wrong[]{
      {"models:\n  a:\n    contxt: 5\n",
       ":3: unknown key 'contxt' of a model; did you mean 'context'?"},
      {"models:\n  a:\n    context: x\n", ":3: a.context: expected a whole number"},
      {"models:\n  a:\n    kind: draws\n", ":3: a.kind: expected auto or diffusion"},
      {"models:\n  a:\n    sampler: K_FOO\n", ":3: a.sampler: expected one of DDIM, DDPM, "},
      {"models:\n  a:\n    steps: 5000\n", ":3: a.steps: expected a whole number from 0 to 1000"},
      {"models:\n  a:\n    port: 5\n", ":3: unknown key 'port' of a model"},
      {"models:\n  a:\n    context: [1]\n", ":3: expected 'key: value' with a plain value"},
      {"models: [a]\n", ":1: models: expected lines of the form 'key: value'"},
      {"models:\n  a: b\n", ":2: a: expected lines of the form 'key: value'"},
      {"models:\n  a:\n  a:\n", ":3: 'a' is there twice"},
      {"bind:\n  \"a*\": [b]\n", ":2: expected 'key: value' with a plain value"},
      {"bind: a\n", ":1: bind: expected PATTERN=MODEL"},
      {"memory: 6T\n", ":1: memory: expected bytes, or a number with M or G behind it"},
      {"modelss: {}\n", ":1: unknown key 'modelss'; did you mean 'models'?"},
      {"kv-type: q8_0\nflash-attention: off\n", "a kv-type beside f16 needs flash-attention"},
      {"models:\n  a:\n    kv-type: q4_0\n    flash-attention: off\n", "a: a kv-type beside f16"},
  };
  for (const auto& [text, said] : wrong) {
    const auto config = read_config({{}, nothing, write(text)});
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message, HasSubstr(said));
  }
}

TEST(Config, MemoryHasUnits) {
  const std::pair<std::string, std::uint64_t> sizes[]{
      {"1000", 1000}, {"512M", 512u << 20}, {"6G", std::uint64_t{6} << 30}};
  for (const auto& [text, bytes] : sizes) {
    EXPECT_EQ(read_config({{{"memory", text}}, nothing, {}})->memory, bytes);
  }
  EXPECT_FALSE(read_config({{}, nothing, {}})->memory);
}

TEST(Config, NoModelIsCalledNone) {
  EXPECT_EQ(read_config({{{"model", "none"}}, nothing, {}})->model.file, "");
}

TEST_F(ConfigFile, RulesAloneNeedNoModel) {
  const std::string file = write("models: {canned: {script: a.yaml}}\nbind: {\"x*\": canned}\n");
  const auto config = read_config({{{"bind", "y*=script:b.yaml"}}, nothing, file});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->model.file, "");
  ASSERT_EQ(config->models.size(), 2U);
  EXPECT_EQ(config->models[0].config.script, "a.yaml");
  EXPECT_EQ(config->models[1].config.script, "b.yaml");
}

TEST_F(ConfigFile, RulesBesideAModelLeaveTheDefaultOne) {
  const auto told = [&](std::map<std::string, std::string> flags) {
    const auto config = read_config({std::move(flags), nothing, write("{}")});
    return config ? config->model.file : config.error().message;
  };
  EXPECT_EQ(told({{"bind", "x*=script:a.yaml,y*=other"}}), default_model);
  EXPECT_EQ(told({{"bind", "x*=script:a.yaml"}, {"model", "small"}}), "small");
  const auto rules = read_config({{{"model", "script:a.yaml"}}, nothing, write("{}")});
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->model.script, "a.yaml");
}

TEST(Config, FaultsAreWordsBehindCommas) {
  const auto config = read_config({{{"fault", "drop;at=3, ThrottlingException"}}, nothing, {}});
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->faults.size(), 2U);
  EXPECT_EQ(config->faults[0].at, 3);
  const auto wrong = read_config({{{"fault", "drp"}}, nothing, {}});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("--fault: 'drp': there is no fault 'drp'"));
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

INSTANTIATE_TEST_SUITE_P(
    Table, WrongValue,
    testing::Values(Wrong{"port", "65536"}, Wrong{"port", "-1"}, Wrong{"port", "http"},
                    Wrong{"tls", "on"}, Wrong{"port", ""}, Wrong{"threads", "2.5"},
                    Wrong{"catalog", "yesterday"}, Wrong{"region", "US EAST"}, Wrong{"log", "loud"},
                    Wrong{"bind", "amazon"}, Wrong{"bind", "=x"}, Wrong{"memory", "0"},
                    Wrong{"memory", "G"}, Wrong{"kv-type", "f8"}, Wrong{"flash-attention", "yes"},
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
