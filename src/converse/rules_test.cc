#include "converse/rules.h"

#include <gtest/gtest.h>

#include <string>

#include "converse/request.h"
#include "converse/test_input.h"

namespace craton::converse {
namespace {

constexpr std::string_view haiku = "anthropic.claude-3-haiku-20240307-v1:0";
constexpr std::string_view sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
constexpr std::string_view newest = "global.anthropic.claude-sonnet-4-6";
constexpr std::string_view llama = "meta.llama3-70b-instruct-v1:0";
constexpr std::string_view tool_llama = "us.meta.llama3-1-70b-instruct-v1:0";
constexpr std::string_view mistral = "mistral.mistral-7b-instruct-v0:2";
constexpr std::string_view mistral_large = "mistral.mistral-large-2402-v1:0";
constexpr std::string_view titan = "amazon.titan-text-express-v1";

/// A body whose only message is the user's, with that content.
std::string asking(std::string_view content, std::string_view rest = "") {
  return R"({"messages":[{"role":"user","content":)" + std::string(content) + "}]" +
         std::string(rest) + "}";
}

/// A body with a tool, and these messages.
std::string with_tool(std::string_view messages, std::string_view rest = "") {
  return R"({"messages":)" + std::string(messages) +
         R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"clock","inputSchema":{"json":{"type":"object"}}}}])" +
         std::string(rest) + "}}";
}

constexpr std::string_view hi = R"([{"text":"hi"}])";
constexpr std::string_view called =
    R"({"role":"user","content":[{"text":"hi"}]},)"
    R"({"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"clock","input":{}}}]})";

std::string answered(std::string_view blocks) {
  return "[" + std::string(called) + R"(,{"role":"user","content":)" + std::string(blocks) + "}]";
}

struct Row {
  std::string_view name;
  std::string_view model_id;
  std::string body;
  std::string_view refusal;  ///< Empty: the body is taken.
  Delivery delivery = Delivery::whole;
};

const Row rows[] = {
    {"plain", haiku, asking(hi), ""},
    {"empty_containers", haiku,
     asking(hi, R"(,"system":[],"inferenceConfig":{},"additionalModelRequestFields":{})"), ""},

    // Turns
    {"no_messages", haiku, "{}",
     "A conversation must start with a user message. Try again with a conversation that starts "
     "with a user message."},
    {"assistant_first", haiku, R"({"messages":[{"role":"assistant","content":[{"text":"hi"}]}]})",
     "A conversation must start with a user message. Try again with a conversation that starts "
     "with a user message."},
    {"two_users", haiku,
     R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"user","content":[{"text":"b"}]}]})",
     "A conversation must alternate between user and assistant roles. Make sure the conversation "
     "alternates between user and assistant roles and try again."},
    {"role_of_the_system", haiku,
     R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"system","content":[{"text":"b"}]}]})",
     "This model doesn't support the system role in messages. Use the system field and try again."},
    {"prefill", haiku,
     R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}]})",
     ""},
    {"prefill_not_supported", newest,
     R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"b"}]}]})",
     "The model returned the following errors: This model does not support assistant message "
     "prefill. The conversation must end with a user message."},

    // Content
    {"no_content", haiku, asking("[]"),
     "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to "
     "the content field and try again."},
    {"blank_text", haiku, asking(R"([{"text":"hi"},{"text":" \n"}])"),
     "The text field in the ContentBlock object at messages.0.content.1 is blank. Add text to the "
     "text field, and try again."},
    {"image_not_seen", titan,
     asking(R"([{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}])"),
     "This model doesn't support the image field for user messages. Remove image and try again."},
    {"image_of_the_assistant", haiku,
     R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[)"
     R"({"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}]}]})",
     "This model doesn't support the image field for assistant messages. Remove image and try "
     "again."},
    {"image_in_s3", haiku,
     asking(R"([{"image":{"format":"png","source":{"s3Location":{"uri":"s3://bucket/x"}}}}])"),
     "The model returned the following errors: messages.0.content.0.image.source.type: Field "
     "required"},
    {"image_that_is_none", haiku,
     asking(R"([{"image":{"format":"png","source":{"bytes":"aGk="}}}])"),
     "The model returned the following errors: messages.0.content.0.image.source.bytes: Could not "
     "process image"},
    {"image_of_another_format", haiku,
     asking(
         R"([{"text":"a"},{"image":{"format":"jpeg","source":{"bytes":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="}}}])"),
     "The model returned the following errors: messages.0.content.1.image.source.bytes: The image "
     "was specified using the image/jpeg media type, but the image appears to be a image/png "
     "image"},
    {"document_with_a_name_of_a_file", haiku,
     asking(
         R"([{"text":"a"},{"document":{"format":"txt","name":"a.txt","source":{"bytes":"aGk="}}}])"),
     "The document file name can only contain alphanumeric characters, whitespace characters, "
     "hyphens, parentheses, and square brackets. The name can't contain more than one consecutive "
     "whitespace character. Check that the file name conforms to these restrictions and retry "
     "your request."},
    {"documents_of_one_name", haiku,
     asking(R"([{"text":"a"},{"document":{"format":"txt","name":"a","source":{"bytes":"aGk="}}},)"
            R"({"document":{"format":"txt","name":"a","source":{"bytes":"aGk="}}}])"),
     "Messages can't contain duplicate document names. Rename the document and retry your "
     "request."},
    {"video", haiku, asking(R"([{"video":{"format":"mp4","source":{"bytes":"aGk="}}}])"),
     "This model doesn't support the video field for user messages. Remove video and try again."},
    {"audio", haiku, asking(R"([{"audio":{"format":"mp3","source":{"bytes":"aGk="}}}])"),
     "This model doesn't support the audio field for user messages. Remove audio and try again."},
    {"search_result", haiku,
     asking(R"([{"searchResult":{"source":"a","title":"b","content":[{"text":"c"}]}}])"),
     "This model doesn't support the searchResult field for user messages. Remove searchResult and "
     "try again."},
    {"document", sonnet,
     asking(
         R"([{"text":"sum up"},{"document":{"format":"txt","name":"a","source":{"bytes":"aGk="}}}])"),
     ""},
    {"document_not_supported", "mistral.mistral-small-2402-v1:0",
     asking(
         R"([{"text":"sum up"},{"document":{"format":"txt","name":"a","source":{"bytes":"aGk="}}}])"),
     "This model doesn't support the document field for user messages. Remove document and try "
     "again."},
    {"document_alone", haiku,
     asking(R"([{"document":{"format":"txt","name":"a","source":{"bytes":"aGk="}}}])"),
     "A text block must be included when using documents. Add a text block and retry your "
     "request."},
    {"document_of_text", haiku,
     asking(R"([{"text":"a"},{"document":{"format":"txt","name":"a","source":{"text":"hi"}}}])"),
     "DocumentSource object at messages.0.content.1.document.source must set one of the following "
     "keys: bytes, s3Location."},
    {"document_without_format", haiku,
     asking(R"([{"text":"a"},{"document":{"name":"a","source":{"bytes":"aGk="}}}])"),
     "The format field in the DocumentBlock object at messages.0.content.1.document is missing. "
     "Add the document's format and try again."},
    {"document_with_citations", haiku,
     asking(R"([{"text":"a"},{"document":{"format":"txt","name":"a","source":{"bytes":"aGk="},)"
            R"("citations":{"enabled":true}}}])"),
     "This model doesn't support the document.citations field for user messages. Remove "
     "document.citations and try again."},
    {"document_in_s3", haiku,
     asking(
         R"([{"text":"a"},{"document":{"format":"txt","name":"a","source":{"s3Location":{"uri":"s3://bucket/x"}}}}])"),
     "The model returned the following errors: messages.0.content.1.document.source.type: Field "
     "required"},
    {"guarded_text", haiku, asking(R"([{"guardContent":{"text":{"text":"hi"}}}])"), ""},
    {"thoughts_of_a_model_without", haiku,
     R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[)"
     R"({"reasoningContent":{"reasoningText":{"text":"b"}}}]},{"role":"user","content":[{"text":"c"}]}]})",
     "User messages cannot contain reasoning content. Please remove the reasoning content and try "
     "again."},
    {"thoughts_of_the_user", sonnet,
     asking(R"([{"reasoningContent":{"reasoningText":{"text":"b"}}}])"),
     "User messages cannot contain reasoning content. Please remove the reasoning content and try "
     "again."},

    // System
    {"system", haiku, asking(hi, R"(,"system":[{"text":"Be brief."}])"), ""},
    {"system_not_supported", mistral, asking(hi, R"(,"system":[{"text":"Be brief."}])"),
     "This model doesn't support system messages. Try again without a system message or use a "
     "model that supports system messages."},
    {"system_blank", haiku, asking(hi, R"(,"system":[{"text":"  "}])"),
     "The text field in the SystemContentBlock object at system.0 is blank. Add text to the text "
     "field, and try again."},

    // Tools
    {"tools_not_supported", llama, with_tool(R"([{"role":"user","content":[{"text":"hi"}]}])"),
     "This model doesn't support tool use."},
    {"tools_not_streamed", tool_llama, with_tool(R"([{"role":"user","content":[{"text":"hi"}]}])"),
     "This model doesn't support tool use in streaming mode.", Delivery::streamed},
    {"tools_whole", tool_llama, with_tool(R"([{"role":"user","content":[{"text":"hi"}]}])"), ""},
    {"choice_any_not_supported", tool_llama,
     with_tool(R"([{"role":"user","content":[{"text":"hi"}]}])", R"(,"toolChoice":{"any":{}})"),
     "This model doesn't support the toolConfig.toolChoice.any field. Remove "
     "toolConfig.toolChoice.any and try again."},
    {"choice_tool_not_supported", mistral_large,
     with_tool(R"([{"role":"user","content":[{"text":"hi"}]}])",
               R"(,"toolChoice":{"tool":{"name":"clock"}})"),
     "This model doesn't support the toolConfig.toolChoice.tool field. Remove "
     "toolConfig.toolChoice.tool and try again."},
    {"choice_of_no_tool", haiku,
     with_tool(R"([{"role":"user","content":[{"text":"hi"}]}])",
               R"(,"toolChoice":{"tool":{"name":"sundial"}})"),
     "The tool at toolConfig.toolChoice.tool.name isn't one of toolConfig.tools. Name one of them "
     "and try again."},
    {"schema_of_no_object", haiku,
     asking(
         hi,
         R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"a","inputSchema":{"json":{"type":"string"}}}}]})"),
     "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: "
     "object."},
    {"schema_without_type", haiku,
     asking(hi, R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"a","inputSchema":{"json":{}}}}]})"),
     "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: "
     "object."},
    {"schema_that_is_none", haiku,
     asking(hi,
            R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"a","inputSchema":{"json":[1]}}}]})"),
     "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid. Provide "
     "a json object for the field and try again."},
    {"tools_of_one_name", haiku,
     asking(
         hi,
         R"(,"toolConfig":{"tools":[{"toolSpec":{"name":"a","inputSchema":{"json":{"type":"object"}}}},)"
         R"({"toolSpec":{"name":"a","inputSchema":{"json":{"type":"object"}}}}]})"),
     "The model returned the following errors: tools: Tool names must be unique."},
    {"tool_of_the_system", haiku,
     asking(hi, R"(,"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]})"),
     "This model doesn't support the toolConfig.tools.0.systemTool field. Remove "
     "toolConfig.tools.0.systemTool and try again."},
    {"result", haiku,
     with_tool(answered(R"([{"toolResult":{"toolUseId":"t1","content":[{"text":"noon"}]}}])")), ""},
    {"result_missing", haiku, with_tool(answered(hi)),
     "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
    {"result_of_another_call", haiku,
     with_tool(answered(R"([{"toolResult":{"toolUseId":"t2","content":[{"text":"noon"}]}}])")),
     "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
    {"call_unanswered_at_the_end", haiku, with_tool("[" + std::string(called) + "]"),
     "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
    {"too_many_results", haiku,
     with_tool(answered(R"([{"toolResult":{"toolUseId":"t1","content":[]}},)"
                        R"({"toolResult":{"toolUseId":"t2","content":[]}}])")),
     "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks "
     "of previous turn."},
    {"result_without_a_call", haiku,
     with_tool(R"([{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[]}}]}])"),
     "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks "
     "of previous turn."},
    {"no_tool_config", haiku,
     R"({"messages":)" +
         answered(R"([{"toolResult":{"toolUseId":"t1","content":[{"text":"noon"}]}}])") + "}",
     "The toolConfig field must be defined when using toolUse and toolResult content blocks."},
    {"tool_blocks_not_supported", titan,
     R"({"messages":)" +
         answered(R"([{"toolResult":{"toolUseId":"t1","content":[{"text":"noon"}]}}])") + "}",
     "This model doesn't support tool use."},
    {"result_json_that_is_no_object", haiku,
     with_tool(answered(R"([{"toolResult":{"toolUseId":"t1","content":[{"json":[1]}]}}])")),
     "The format of the value at messages.2.content.0.toolResult.content.0.json is invalid. "
     "Provide a json object for the field and try again."},
    {"call_input_that_is_no_object", haiku,
     with_tool(R"([{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[)"
               R"({"toolUse":{"toolUseId":"t1","name":"clock","input":"noon"}}]}])"),
     "The format of the value at messages.1.content.0.toolUse.input is invalid. Provide a json "
     "object for the field and try again."},
    {"error_without_content", haiku,
     with_tool(answered(R"([{"toolResult":{"toolUseId":"t1","content":[],"status":"error"}}])")),
     "The content field at messages.2.content.0.toolResult cannot be empty when status value is "
     "error."},
    {"result_of_video", haiku,
     with_tool(answered(R"([{"toolResult":{"toolUseId":"t1","content":[{"video":{"format":"mp4",)"
                        R"("source":{"bytes":"aGk="}}}]}}])")),
     "This model doesn't support the toolResult.content.video field for user messages. Remove "
     "toolResult.content.video and try again."},
    {"call_by_the_user", haiku,
     with_tool(
         R"([{"role":"user","content":[{"toolUse":{"toolUseId":"t1","name":"clock","input":{}}}]}])"),
     "This model doesn't support the toolUse field for user messages. Remove toolUse and try "
     "again."},
    {"text_beside_a_result", tool_llama,
     with_tool(answered(R"([{"text":"here"},{"toolResult":{"toolUseId":"t1","content":[]}}])")),
     "messages.2.content: Conversation blocks and tool result blocks cannot be provided in the "
     "same turn."},
    {"text_beside_a_call", tool_llama,
     with_tool(R"([{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[)"
               R"({"text":"so"},{"toolUse":{"toolUseId":"t1","name":"clock","input":{}}}]}])"),
     "messages.1.content: Conversation blocks and tool use blocks cannot be provided in the same "
     "turn."},

    // Caching
    {"cache_point", sonnet, asking(R"([{"text":"hi"},{"cachePoint":{"type":"default"}}])"), ""},
    {"cache_point_not_supported", haiku,
     asking(R"([{"text":"hi"},{"cachePoint":{"type":"default"}}])"),
     "You invoked an unsupported model or your request did not allow prompt caching. See the "
     "documentation for more information."},
    {"cache_point_behind_a_text_file", sonnet,
     asking(R"([{"text":"hi"},{"document":{"format":"txt","name":"a","source":{"bytes":"aGk="}}},)"
            R"({"cachePoint":{"type":"default"}}])"),
     "The model returned the following errors: messages.0.content.2.type: Field required"},
    {"cache_point_first", sonnet, asking(R"([{"cachePoint":{"type":"default"}},{"text":"hi"}])"),
     "The model returned the following errors: messages.0.content.0.type: Field required"},
    {"five_cache_points", sonnet,
     asking(
         R"([{"text":"1"},{"cachePoint":{"type":"default"}},{"text":"2"},{"cachePoint":{"type":"default"}},)"
         R"({"text":"3"},{"cachePoint":{"type":"default"}},{"text":"4"},{"cachePoint":{"type":"default"}}])",
         R"(,"system":[{"text":"s"},{"cachePoint":{"type":"default"}}])"),
     "The model returned the following errors: A maximum of 4 blocks with cache_control may be "
     "provided. Found 5."},

    // The rest
    {"too_many_tokens", haiku, asking(hi, R"(,"inferenceConfig":{"maxTokens":4097})"),
     "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum "
     "tokens value that is lower than 4096."},
    {"temperature_and_top_p", sonnet,
     asking(hi, R"(,"inferenceConfig":{"temperature":0.5,"topP":0.5})"),
     "The model returned the following errors: `temperature` and `top_p` cannot both be specified "
     "for this model. Please use only one."},
    {"prompt_variables", haiku, asking(hi, R"(,"promptVariables":{"a":{"text":"b"}})"),
     "The promptVariables field is only for prompts of Prompt management, whose ARN is then the "
     "modelId. Remove promptVariables and try again."},
    {"no_structured_output", haiku,
     asking(
         hi,
         R"(,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{}"}}}})"),
     "This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat "
     "and try again."},
    {"structured_output_of_no_json", sonnet,
     asking(
         hi,
         R"(,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{"}}}})"),
     "The format of the value at outputConfig.textFormat.structure.jsonSchema.schema is invalid. "
     "Provide a JSON schema, as a string, for the field and try again."},
    {"effort_without_thought", haiku, asking(hi, R"(,"outputConfig":{"effort":"high"})"),
     "This model doesn't support the outputConfig.effort field. Remove outputConfig.effort and try "
     "again."},
    {"fields_that_are_none", haiku, asking(hi, R"(,"additionalModelRequestFields":"top_k")"),
     "The format of the value at additionalModelRequestFields is invalid. Provide a json object "
     "for the field and try again."},
    {"path_without_a_slash", haiku,
     asking(hi, R"(,"additionalModelResponseFieldPaths":["/stop_sequence","id"])"),
     "The value at additionalModelResponseFieldPaths.1 is not a valid JSON pointer. Provide a JSON "
     "pointer, such as /stop_sequence, and try again."},
    {"path_with_a_wrong_escape", haiku,
     asking(hi, R"(,"additionalModelResponseFieldPaths":["/a~2b"])"),
     "The value at additionalModelResponseFieldPaths.0 is not a valid JSON pointer. Provide a JSON "
     "pointer, such as /stop_sequence, and try again."},
};

class Rules : public testing::TestWithParam<Row> {};

TEST_P(Rules, RefuseInAWSsWords) {
  const Row& row = GetParam();
  const Result<json::object> input = input_of(row.body);
  ASSERT_TRUE(input) << input.error().message;
  const Result<Request> read = converse::read(*input, model_named(row.model_id), row.delivery);
  EXPECT_EQ(read ? std::string() : read.error().message, row.refusal);
}

INSTANTIATE_TEST_SUITE_P(Converse, Rules, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Rules, AModelThatCachesNothingDeniesAccess) {
  const auto input = input_of(asking(R"([{"text":"hi"},{"cachePoint":{"type":"default"}}])"));
  EXPECT_EQ(check(*input, model_named(haiku), Delivery::whole).error().code,
            ErrorCode::access_denied);
}

TEST(Rules, WhatTheModelSaysIsPassedOnAsItsOwn) {
  EXPECT_EQ(of_the_model({ErrorCode::validation, "top_k: no"}).message,
            "The model returned the following errors: top_k: no");
  EXPECT_EQ(of_the_model({ErrorCode::throttling, "Later."}).message, "Later.");
}

}  // namespace
}  // namespace craton::converse
