#include "engines/upstream/chat_chunks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace craton::engines::upstream {
namespace {

/// One event in a few letters.
struct Shown {
  std::string operator()(const MessageStart&) const { return "start"; }
  std::string operator()(const TextDelta& text) const { return "text:" + text.text; }
  std::string operator()(const ReasoningDelta& text) const { return "thought:" + text.text; }
  std::string operator()(const ToolUseStart& call) const { return "call:" + call.name; }
  std::string operator()(const ToolInputDelta& input) const { return "input:" + input.json; }
  std::string operator()(const ToolUseStop&) const { return "called"; }
  std::string operator()(const MessageStop& stop) const {
    return "stop:" + std::to_string(static_cast<int>(stop.reason)) +
           stop.stop_sequence.value_or("");
  }
  std::string operator()(const Usage& usage) const {
    return "usage:" + std::to_string(usage.input_tokens) + "," +
           std::to_string(usage.cache_read_tokens) + "," + std::to_string(usage.output_tokens);
  }
  std::string operator()(const Failure&) const { return "failure"; }
};

std::string shown(const std::vector<Event>& events) {
  std::string all;
  for (const Event& event : events) all += std::visit(Shown(), event) + " ";
  return all;
}

std::string read(const std::vector<std::string>& pieces, ChunkForm form = {}) {
  ChunkReader reader(form);
  std::vector<Event> events;
  for (const std::string& piece : pieces) {
    const Result<void> done = reader.read({"", piece}, events);
    if (!done) return shown(events) + "! " + done.error().message;
  }
  const Result<void> end = reader.finish(events);
  return shown(events) + (end ? "" : "! " + end.error().message);
}

std::string delta(const std::string& members) {
  return R"({"choices":[{"index":0,"delta":{)" + members + R"(},"finish_reason":null}]})";
}
std::string reason(const std::string& word, const std::string& more = "") {
  return R"({"choices":[{"index":0,"delta":{},"finish_reason":")" + word + "\"" + more + "}]}";
}
const std::string usage = R"({"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,)"
                          R"("prompt_tokens_details":{"cached_tokens":8}}})";

std::string call(const std::string& members) { return delta("\"tool_calls\":[{" + members + "}]"); }

TEST(ChatChunks, AreTextAsItComes) {
  EXPECT_EQ(read({delta(R"("role":"assistant","content":"")"), delta(R"("content":"Se")"),
                  delta(R"("content":"oul")"), reason("stop"), usage, "[DONE]"}),
            "start text:Se text:oul stop:0 usage:2,8,2 ");
}

TEST(ChatChunks, TellWhyTheyEnd) {
  EXPECT_EQ(read({reason("length"), usage}), "start stop:2 usage:2,8,2 ");
  EXPECT_EQ(read({reason("length"), usage}, {.tokens_lowered = true}), "start stop:3 usage:2,8,2 ");
  EXPECT_EQ(read({reason("stop", R"(,"stop_reason":"END")"), usage}),
            "start stop:1END usage:2,8,2 ");
  EXPECT_EQ(read({reason("stop", R"(,"matched_stop":"\n")"), usage}),
            "start stop:1\n usage:2,8,2 ");
  EXPECT_EQ(read({reason("stop", R"(,"stop_reason":128001)"), usage}), "start stop:0 usage:2,8,2 ");
  EXPECT_EQ(read({reason("content_filter"), usage}), "start stop:0 usage:2,8,2 ");
}

TEST(ChatChunks, ShowThoughtsToWhoeverWantsThem) {
  const std::vector<std::string> pieces{delta(R"("reasoning_content":"a")"),
                                        delta(R"("reasoning":"b")"), delta(R"("content":"c")"),
                                        reason("stop"), usage};
  EXPECT_EQ(read(pieces, {.thoughts_shown = true}),
            "start thought:a thought:b text:c stop:0 usage:2,8,2 ");
  EXPECT_EQ(read(pieces), "start text:c stop:0 usage:2,8,2 ");
  EXPECT_EQ(read({delta(R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},)"
                        R"({"type":"text","text":"b"}])"),
                  reason("stop"), usage},
                 {.thoughts_shown = true}),
            "start thought:a text:b stop:0 usage:2,8,2 ");
}

TEST(ChatChunks, AreCallsOneAfterTheOther) {
  EXPECT_EQ(read({delta(R"("content":"Hm")"),
                  call(R"("index":0,"id":"a","function":{"name":"f","arguments":""})"),
                  call(R"("index":0,"function":{"arguments":"{\"x\":"})"),
                  call(R"("index":0,"function":{"arguments":"1}"})"),
                  call(R"("index":1,"id":"b","function":{"name":"g","arguments":"{}"})"),
                  reason("tool_calls"), usage}),
            "start text:Hm call:f input:{\"x\": input:1} called call:g input:{} called stop:4 "
            "usage:2,8,2 ");
}

TEST(ChatChunks, TellCallsApartThatAreNotNumbered) {
  const std::string both =
      "start call:f input:{} called call:g input:{} called stop:4 usage:2,8,2 ";
  EXPECT_EQ(
      read({call(R"("id":"a","function":{"name":"f","arguments":"{}"})"),
            call(R"("id":"b","function":{"name":"g","arguments":{}})"), reason("stop"), usage}),
      both);
  EXPECT_EQ(read({call(R"("index":0,"id":"a","function":{"name":"f","arguments":"{}"})"),
                  call(R"("index":0,"id":"b","function":{"name":"g","arguments":"{}"})"),
                  reason("stop"), usage}),
            both);
  EXPECT_EQ(read({call(R"("index":0,"id":"a","function":{"arguments":"{}"})")}).find("! "), 0u);
}

TEST(ChatChunks, AreTheTextOfCompletionsToo) {
  EXPECT_EQ(read({R"({"choices":[{"index":0,"text":" upon"}]})",
                  R"({"choices":[{"index":0,"text":"","finish_reason":"length"}]})", usage}),
            "start text: upon stop:2 usage:2,8,2 ");
}

TEST(ChatChunks, LeaveOutWhatAServerRepeats) {
  const auto text_of = [](std::vector<std::string> texts) {
    std::vector<std::string> pieces;
    for (const std::string& text : texts) pieces.push_back(delta("\"content\":\"" + text + "\""));
    pieces.push_back(reason("stop"));
    pieces.push_back(usage);
    return read(pieces, {.begun = "One, two"});
  };
  const std::string rest = " stop:0 usage:2,8,2 ";
  EXPECT_EQ(text_of({"One, two, three"}), "start text:, three" + rest);
  EXPECT_EQ(text_of({"One", ", two", ", three"}), "start text:, three" + rest);
  EXPECT_EQ(text_of({"One, t", "wo"}), "start" + rest);
  EXPECT_EQ(text_of({", three"}), "start text:, three" + rest) << "that does not";
  EXPECT_EQ(text_of({"One", ", four"}), "start text:One, four" + rest);
  EXPECT_EQ(text_of({"One"}), "start text:One" + rest);
}

TEST(ChatChunks, TellLikelihoods) {
  ChunkReader reader;
  std::vector<Event> events;
  ASSERT_TRUE(reader.read({"", R"({"choices":[{"index":0,"delta":{"content":"a"},"logprobs":)"
                               R"({"content":[{"token":"a","logprob":-0.5}]}}]})"},
                          events));
  ASSERT_EQ(events.size(), 2u);
  const auto& likelihoods = std::get<TextDelta>(events[1]).likelihoods;
  ASSERT_EQ(likelihoods.size(), 1u);
  EXPECT_EQ(likelihoods[0].token, "a");
  EXPECT_EQ(likelihoods[0].likelihood, -0.5);
}

TEST(ChatChunks, AreNoAnswerWithoutAnEnd) {
  EXPECT_NE(read({delta(R"("content":"a")")}).find("broke off"), std::string::npos);
  EXPECT_NE(read({delta(R"("content":"a")"), "[DONE]"}).find("broke off"), std::string::npos);
  EXPECT_NE(read({}).find("broke off"), std::string::npos);
}

TEST(ChatChunks, WithoutUsageAreEstimated) {
  EXPECT_EQ(
      read({delta(R"("content":"12345678")"), reason("stop"), "[DONE]"}, {.prompt_tokens = 5}),
      "start text:12345678 stop:0 usage:5,0,2 ");
}

TEST(ChatChunks, ThatAreNoneAreToldAsAnError) {
  for (const char* piece : {"<html>", "[]", "{}", R"({"choices":[3]})", R"({"foo":1})", "{\"a"}) {
    EXPECT_NE(read({piece}).find("did not answer as an OpenAI-compatible one"), std::string::npos)
        << piece;
  }
}

TEST(ChatChunks, MayBeAnError) {
  const auto code_of = [](std::string data, std::string name = "") {
    ChunkReader reader;
    std::vector<Event> events;
    const Result<void> done = reader.read({std::move(name), std::move(data)}, events);
    return done ? ErrorCode::not_authorized : done.error().code;
  };
  EXPECT_EQ(code_of(R"({"error":{"message":"busy","code":429}})"), ErrorCode::throttling);
  EXPECT_EQ(code_of(R"({"error":{"message":"bad","code":400}})"), ErrorCode::validation);
  EXPECT_EQ(code_of(R"({"error":{"message":"oops"}})"), ErrorCode::model_error);
  EXPECT_EQ(code_of(R"({"code":503,"message":"x"})", "error"), ErrorCode::service_unavailable);
}

TEST(ChatChunks, MayComeWhole) {
  ChunkReader reader;
  std::vector<Event> events;
  ASSERT_TRUE(reader.read_whole(
      R"({"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},)"
      R"("finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}})",
      events));
  ASSERT_TRUE(reader.finish(events));
  EXPECT_EQ(shown(events), "start text:hi stop:0 usage:3,0,1 ");
}

}  // namespace
}  // namespace craton::engines::upstream
