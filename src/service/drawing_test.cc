// InvokeModel of image models over a scripted engine.
#include "service/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "http/run_to_end.h"
#include "media/picture_decode.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view titan = "amazon.titan-image-generator-v1";
constexpr std::string_view sdxl = "stability.stable-diffusion-xl-v1";
constexpr std::string_view body =
    R"({"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a boat"},"imageGenerationConfig":{"seed":7,"numberOfImages":2}})";
constexpr std::string_view sdxl_body = R"({"text_prompts":[{"text":"a boat"}],"seed":5})";

/// Answers each request with the same outcome, from a thread of its own.
class ScriptedPainter : public ScriptedEngine {
 public:
  explicit ScriptedPainter(engines::Drawing::Outcome outcome)
      : ScriptedEngine({}), outcome_(std::move(outcome)) {
    able = {.text = false, .drawings = true};
  }
  ~ScriptedPainter() override {
    if (thread_.joinable()) thread_.join();
  }
  Result<std::shared_ptr<engines::Drawing>> draw(DrawingRequest request,
                                                 const engines::Limits& limits) override {
    if (refusal) return *refusal;
    asked_for = std::move(request);
    given = limits;
    auto drawing = std::make_shared<engines::Drawing>();
    thread_ = std::thread([drawing, outcome = outcome_] { drawing->finish(outcome); });
    return drawing;
  }

  DrawingRequest asked_for;
  engines::Limits given;

 private:
  engines::Drawing::Outcome outcome_;
  std::thread thread_;
};

class DrawingService : public ServiceTest {
 protected:
  std::shared_ptr<ScriptedPainter> paint(engines::Drawing::Outcome outcome) {
    auto painter = std::make_shared<ScriptedPainter>(std::move(outcome));
    engine = painter;
    return painter;
  }
  static Drawings pictures(std::string stand_in = "") {
    return {.pictures = {Picture{1, 1, {1, 2, 3, 255}}},
            .mask = std::nullopt,
            .stand_in = std::move(stand_in)};
  }
};

TEST_F(DrawingService, AnswersWithThePictures) {
  const auto painter = paint(pictures());
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, StartsWith(R"({"images":["iVBORw0KGgo)"));
  EXPECT_THAT(response.body, testing::EndsWith(R"("],"error":null})"));
  EXPECT_EQ(response.headers.find("content-type"), "application/json");
  EXPECT_TRUE(response.headers.find("x-amzn-bedrock-invocation-latency"));
  EXPECT_FALSE(response.headers.find("x-amzn-bedrock-input-token-count"));
  EXPECT_EQ(response.headers.find("x-craton-engine"), "scripted");
  EXPECT_FALSE(response.headers.find("x-craton-stand-in")) << "a model's own";
  EXPECT_EQ(painter->asked_for.count, 2);
  EXPECT_EQ(painter->asked_for.seed, 7u);
  EXPECT_TRUE(painter->given.deadline);
}

TEST_F(DrawingService, WhatNoModelDrewSaysSo) {
  (void)paint(pictures("drawn without a model"));
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.headers.find("x-craton-stand-in"), "drawn without a model");
}

TEST_F(DrawingService, ABodyThatIsWrongIsRefusedBeforeAnythingIsDrawn) {
  const auto painter = paint(pictures());
  const http::Response response = invoke(titan, R"({"taskType":"TEXT_IMAGE"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("#: required key [textToImageParams] not found"));
  EXPECT_EQ(painter->asked_for, DrawingRequest());
}

TEST_F(DrawingService, WhatEndsADrawingIsTold) {
  const Error late{ErrorCode::model_timeout, "late"};
  (void)paint(tl::unexpected(Failure{late, {}}));
  EXPECT_EQ(invoke(titan, std::string(body)).status, 408);
  const auto full = paint(pictures());
  full->refusal = Error{ErrorCode::throttling, "full"};
  EXPECT_EQ(invoke(titan, std::string(body)).status, 429);
}

TEST_F(DrawingService, IsNeitherStreamedNorConversed) {
  (void)paint(pictures());
  const http::Response streamed = send(
      "POST", "/model/" + std::string(titan) + "/invoke-with-response-stream", std::string(body));
  EXPECT_EQ(streamed.status, 400);
  EXPECT_THAT(streamed.body, HasSubstr("The model is unsupported for streaming."));
  const http::Response conversed =
      send("POST", "/model/" + std::string(titan) + "/converse",
           R"({"messages":[{"role":"user","content":[{"text":"a boat"}]}]})");
  EXPECT_EQ(conversed.status, 400);
  EXPECT_THAT(conversed.body, HasSubstr("This action doesn't support the model"));
}

TEST_F(DrawingService, SdxlGivesTheFileItselfToWhomeverAsks) {
  (void)paint(pictures());
  const http::Response json = invoke(sdxl, std::string(sdxl_body));
  EXPECT_THAT(json.body,
              StartsWith(R"({"result":"success","artifacts":[{"seed":5,"base64":"iVBOR)"));
  (void)paint(pictures("drawn without a model"));
  http::Headers headers;
  headers.add("Accept", "image/png");
  const http::Response file = send("POST", "/model/" + std::string(sdxl) + "/invoke",
                                   std::string(sdxl_body), std::move(headers));
  EXPECT_EQ(file.headers.find("content-type"), "image/png");
  EXPECT_EQ(file.headers.find("seed"), "5");
  EXPECT_EQ(file.headers.find("finish-reason"), "SUCCESS");
  EXPECT_EQ(media::decode_picture(file.body, 1).value(), pictures().pictures[0]);
  EXPECT_THAT(file.body, HasSubstr("Craton, engine scripted, model script"));
  EXPECT_THAT(file.body, HasSubstr("drawn without a model"));
}

TEST_F(DrawingService, IsNoBusinessOfAModelThatWrites) {
  bind(saying("Hello."));
  const http::Response response = invoke(titan, std::string(body));
  EXPECT_EQ(response.status, 424);
  EXPECT_THAT(response.body, HasSubstr("makes no images"));
}

}  // namespace
}  // namespace craton::service
