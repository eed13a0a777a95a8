// InvokeModel over a scripted engine: what the route, the catalogue and the body say of each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "base/json.h"
#include "service/scripted_service.h"

namespace craton::service {
namespace {

using testing::HasSubstr;

/// What a body with `"stream":` true or false is answered with: nothing, or a refusal.
struct StreamMember {
  const char* name;
  std::string_view model;
  std::string_view members;  ///< Of a valid body.
  /// Parts of the refusals; empty: answered.
  std::string_view true_to_invoke;
  std::string_view false_to_invoke;
  std::string_view true_to_stream;
  std::string_view false_to_stream;
};

constexpr std::string_view extraneous = "#: extraneous key [stream] is not permitted";
constexpr std::string_view wants_true = "#/stream: expected true, as the request's route says";
constexpr std::string_view wants_false = "#/stream: expected false, as the request's route says";

constexpr std::string_view prompt = R"("prompt":"Hi")";
constexpr std::string_view messages = R"("messages":[{"role":"user","content":"Hi"}])";

constexpr StreamMember always_extraneous(const char* name, std::string_view model,
                                         std::string_view members) {
  return {name, model, members, extraneous, extraneous, extraneous, extraneous};
}

constexpr StreamMember as_the_route(const char* name, std::string_view model) {
  return {name, model, messages, wants_false, "", "", wants_true};
}

constexpr StreamMember rows[] = {
    always_extraneous(
        "claude", haiku,
        R"("anthropic_version":"v","max_tokens":5,"messages":[{"role":"user","content":"Hi"}])"),
    always_extraneous("claude_text", "anthropic.claude-v2",
                      R"("prompt":"\n\nHuman: Hi\n\nAssistant:","max_tokens_to_sample":5)"),
    always_extraneous("nova", "amazon.nova-lite-v1%3A0",
                      R"("messages":[{"role":"user","content":[{"text":"Hi"}]}])"),
    always_extraneous("titan", "amazon.titan-text-express-v1", R"("inputText":"Hi")"),
    always_extraneous("llama", "meta.llama3-8b-instruct-v1%3A0", prompt),
    always_extraneous("mistral_text", "mistral.mistral-7b-instruct-v0%3A2", prompt),
    always_extraneous("mistral_chat", "mistral.mistral-large-2402-v1%3A0", messages),
    always_extraneous("deepseek_r1", "us.deepseek.r1-v1%3A0", prompt),
    {"command", "cohere.command-text-v14", prompt, "", "", "", ""},  // how a stream is cut
    as_the_route("gpt_oss", "openai.gpt-oss-20b-1%3A0"),
    as_the_route("qwen", "qwen.qwen3-32b-v1%3A0"),
    as_the_route("pixtral", "us.mistral.pixtral-large-2502-v1%3A0"),
};

class StreamMembers : public ServiceTest, public testing::WithParamInterface<StreamMember> {
 protected:
  void expect(std::string_view route, bool value, std::string_view refusal) {
    bind(saying("Hello."));
    http::Response response = send(
        "POST", "/model/" + std::string(GetParam().model) + "/" + std::string(route),
        "{" + std::string(GetParam().members) + ",\"stream\":" + (value ? "true" : "false") + "}");
    if (response.stream) body_of(response);  // to its end
    if (refusal.empty()) {
      EXPECT_EQ(response.status, 200) << response.body;
    } else {
      EXPECT_EQ(response.status, 400);
      EXPECT_THAT(response.body, HasSubstr(std::string(refusal)));
    }
  }
};

TEST_P(StreamMembers, AreHeldAgainstTheRoute) {
  expect("invoke", true, GetParam().true_to_invoke);
  expect("invoke", false, GetParam().false_to_invoke);
  expect("invoke-with-response-stream", true, GetParam().true_to_stream);
  expect("invoke-with-response-stream", false, GetParam().false_to_stream);
}

INSTANTIATE_TEST_SUITE_P(Families, StreamMembers, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

constexpr std::string_view pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg"
    "==";
constexpr std::string_view blind =
    R"({"message":"This model doesn't support the image field for user messages. Remove image and )"
    R"(try again."})";

std::string nova_with_image() {
  return R"({"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":")" +
         std::string(pixel) + R"("}}}]}]})";
}

TEST_F(ServiceTest, ImagesNeedAModelOfTheCatalogueThatSees) {
  bind(saying("Hello."));
  engine->able.images = true;
  EXPECT_EQ(invoke("amazon.nova-lite-v1%3A0", nova_with_image()).status, 200);
  const http::Response response = invoke("amazon.nova-micro-v1%3A0", nova_with_image());
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, blind);
}

TEST_F(ServiceTest, ImagesNeedABoundModelThatSees) {
  bind(saying("Hello."));
  engine->able.images = false;
  const http::Response response = invoke("amazon.nova-lite-v1%3A0", nova_with_image());
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, blind);
}

}  // namespace
}  // namespace craton::service
