#include "service/merged_stream.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/json.h"

namespace craton::service {
namespace {

TEST(MergedStream, IsTheAnswerThatConverseWouldHaveGiven) {
  const std::vector<StreamEvent> events{
      {.type = "messageStart", .text = R"({"p":"ab","role":"assistant"})"},
      {.type = "contentBlockDelta",
       .text =
           R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Let me "}},"p":"a"})"},
      {.type = "contentBlockDelta",
       .text = R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"think"}}})"},
      {.type = "contentBlockDelta",
       .text = R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s"}}})"},
      {.type = "contentBlockDelta", .text = R"({"contentBlockIndex":1,"delta":{"text":"Se"}})"},
      {.type = "contentBlockDelta", .text = R"({"contentBlockIndex":1,"delta":{"text":"oul"}})"},
      {.type = "contentBlockStart",
       .text = R"({"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"n"}}})"},
      {.type = "contentBlockDelta",
       .text = R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\":"}}})"},
      {.type = "contentBlockDelta",
       .text = R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"1}"}}})"},
      {.type = "messageStop", .text = R"({"p":"a","stopReason":"tool_use"})"},
      {.type = "metadata", .text = R"({"p":"a","usage":{"inputTokens":1}})"},
  };
  EXPECT_EQ(json::to_text(merged_converse(events)),
            R"({"output":{"message":{"role":"assistant","content":[)"
            R"({"reasoningContent":{"reasoningText":{"text":"Let me think","signature":"s"}}},)"
            R"({"text":"Seoul"},{"toolUse":{"toolUseId":"t","name":"n","input":{"a":1}}}]}},)"
            R"("stopReason":"tool_use","usage":{"inputTokens":1}})");
}

TEST(MergedStream, OfWhatIsNoAnswerNothingIsTaken) {
  const std::vector<StreamEvent> events{
      {.type = "contentBlockDelta", .text = R"({"contentBlockIndex":99999999,"delta":{}})"},
      {.type = "contentBlockDelta", .text = R"({"contentBlockIndex":-1,"delta":{"text":"x"}})"},
      {.type = "contentBlockDelta", .text = R"({"delta":{"text":"x"}})"},
      {.type = "contentBlockStart", .text = R"({"contentBlockIndex":0,"start":7})"},
      {.type = "messageStop", .text = "cut off {"},
      {.type = "throttlingException", .text = R"({"message":"x"})", .exception = true},
  };
  EXPECT_EQ(json::to_text(merged_converse(events)),
            R"({"output":{"message":{"role":"assistant","content":[{}]}}})");
}

}  // namespace
}  // namespace craton::service
