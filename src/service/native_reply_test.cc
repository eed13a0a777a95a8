// Calls for vectors and pictures over an engine that has the provider's own form, and what of them
// is taken down.
#include "service/native_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;

constexpr std::string_view titan = "amazon.titan-embed-text-v2%3A0";
constexpr std::string_view sdxl = "stability.stable-diffusion-xl-v1";
constexpr std::string_view body = R"({"inputText":"granite", "dimensions":256})";
constexpr std::string_view sdxl_body = R"({"text_prompts":[{"text":"a boat"}],"seed":5})";

/// Answers each native call with the same outcome.
class ScriptedRelay : public ScriptedEngine {
 public:
  explicit ScriptedRelay(engines::Replying::Outcome outcome)
      : ScriptedEngine({}), outcome_(std::move(outcome)) {
    able = {.native = true};
  }
  Result<std::shared_ptr<engines::Replying>> reply(engines::NativeCall native,
                                                   const engines::Limits& limits) override {
    if (refusal) return *refusal;
    asked_for = native.body;
    accepted = native.accept;
    given = limits;
    auto replying = std::make_shared<engines::Replying>();
    replying->finish(outcome_);
    return replying;
  }

  std::string asked_for;
  std::string accepted;
  engines::Limits given;

 private:
  engines::Replying::Outcome outcome_;
};

class NativeService : public ServiceTest {
 protected:
  std::shared_ptr<ScriptedRelay> relay(engines::Replying::Outcome outcome) {
    auto made = std::make_shared<ScriptedRelay>(std::move(outcome));
    engine = made;
    return made;
  }
  static engines::NativeReply picture() {
    return {.body = "\x89PNG",
            .content_type = "image/png",
            .headers = {{"Seed", "5"}},
            .stand_in = "drawn without a model"};
  }
};

TEST_F(NativeService, HandsTheBodyAndTheReplyOnAsTheyAre) {
  const auto relayed =
      relay(engines::NativeReply{.body = R"({ "embedding":[1] })", .input_tokens = 7});
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({ "embedding":[1] })");
  EXPECT_EQ(response.headers.find("content-type"), "application/json");
  EXPECT_EQ(response.headers.find("x-amzn-bedrock-input-token-count"), "7");
  EXPECT_EQ(response.headers.find("x-craton-engine"), "scripted");
  EXPECT_FALSE(response.headers.find("x-craton-stand-in"));
  EXPECT_EQ(relayed->asked_for, body);
  EXPECT_TRUE(relayed->given.deadline);
}

TEST_F(NativeService, TellsOfFilesWhatTheReplyTells) {
  const auto relayed = relay(picture());
  http::Headers headers;
  headers.add("Accept", "image/png");
  const http::Response response = send("POST", "/model/" + std::string(sdxl) + "/invoke",
                                       std::string(sdxl_body), std::move(headers));
  EXPECT_EQ(response.body, "\x89PNG");
  EXPECT_EQ(response.headers.find("content-type"), "image/png");
  EXPECT_EQ(response.headers.find("seed"), "5");
  EXPECT_EQ(response.headers.find("x-craton-stand-in"), "drawn without a model");
  EXPECT_FALSE(response.headers.find("x-amzn-bedrock-input-token-count"));
  EXPECT_EQ(relayed->accepted, "image/png");
}

TEST_F(NativeService, PassesOnWhatEndsIt) {
  const auto ended = relay(tl::unexpected(Failure{{ErrorCode::model_timeout, "late"}, {}}));
  EXPECT_EQ(invoke(titan, std::string(body)).status, 408);
  ended->refusal = Error{ErrorCode::throttling, "full"};
  EXPECT_EQ(invoke(titan, std::string(body)).status, 429);
}

TEST_F(NativeService, RefusesABodyThatIsWrongItself) {
  const auto relayed = relay(engines::NativeReply{.body = "{}"});
  EXPECT_EQ(invoke(titan, R"({"inputText":7})").status, 400);
  EXPECT_EQ(relayed->asked_for, "");
}

TEST_F(NativeService, IsTakenDownAnswersAndFailuresAlike) {
  std::string pattern = (std::filesystem::temp_directory_path() / "craton-native-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(pattern.data());
  options.recorder = *engines::replay::Recorder::open(folder, {});
  (void)relay(picture());
  (void)invoke(sdxl, std::string(sdxl_body));
  const auto ended = relay(tl::unexpected(Failure{{ErrorCode::model_timeout, "late"}, {}}));
  (void)invoke(titan, std::string(body));
  ended->refusal = Error{ErrorCode::throttling, "full"};
  (void)invoke(titan, std::string(body));
  std::ostringstream text;
  text << std::ifstream(folder / "recorded.jsonl").rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(R"("standIn":"drawn without a model")"));
  EXPECT_THAT(text.str(), HasSubstr(R"("failure":"ModelTimeoutException","message":"late")"));
  EXPECT_EQ(std::ranges::count(text.str(), '\n'), 2) << "what was never begun is no answer";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace craton::service
