// Files in native bodies: every schema that carries them against every rule on them.
#include "families/attachments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/base64.h"
#include "base/json.h"
#include "families/family.h"
#include "families/openai.h"

namespace craton::families {
namespace {

using testing::HasSubstr;

std::string base64(std::string_view bytes) {
  std::string text;
  append_base64(bytes, text);
  return text;
}

/// A GIF as far as its header.
std::string gif(int width, int height) {
  std::string bytes = "GIF89a";
  for (const int side : {width, height}) {
    bytes += static_cast<char>(side);
    bytes += static_cast<char>(side >> 8);
  }
  return bytes;
}

std::string large_gif() {
  std::string bytes = gif(1, 1);
  bytes.resize(3'932'161);
  return bytes;
}

/// `count` blocks of that text, with commas.
std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += (i > 0 ? "," : "") + text;
  return all;
}

/// Images that a body carries, all alike.
struct Given {
  std::string bytes;
  std::string format = "gif";  ///< What the body says of them, where it says something.
  std::size_t count = 1;
};

std::string in_claude(const Given& given) {
  const std::string image = R"({"type":"image","source":{"type":"base64","media_type":"image/)" +
                            given.format + R"(","data":")" + base64(given.bytes) + R"("}})";
  return R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":)"
         R"([{"role":"user","content":[)" +
         repeated(image, given.count) + "]}]}";
}

/// The images are what a tool gave.
std::string in_claudes_result(const Given& given) {
  const std::string image = R"({"type":"image","source":{"type":"base64","media_type":"image/)" +
                            given.format + R"(","data":")" + base64(given.bytes) + R"("}})";
  return R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":)"
         R"([{"role":"user","content":"Look."},{"role":"assistant","content":[{"type":"tool_use",)"
         R"("id":"t","name":"look","input":{}}]},{"role":"user","content":[{"type":"tool_result",)"
         R"("tool_use_id":"t","content":[)" +
         repeated(image, given.count) + "]}]}]}";
}

std::string in_nova(const Given& given) {
  const std::string image = R"({"image":{"format":")" + given.format + R"(","source":{"bytes":")" +
                            base64(given.bytes) + R"("}}})";
  return R"({"messages":[{"role":"user","content":[)" + repeated(image, given.count) + "]}]}";
}

std::string data_uri(const Given& given) {
  return "data:image/" + given.format + ";base64," + base64(given.bytes);
}

std::string in_openai(const Given& given) {
  const std::string image =
      R"({"type":"image_url","image_url":{"url":")" + data_uri(given) + R"("}})";
  return R"({"messages":[{"role":"user","content":[)" + repeated(image, given.count) + "]}]}";
}

std::string in_responses(const Given& given) {
  const std::string image = R"({"type":"input_image","image_url":")" + data_uri(given) + R"("})";
  return R"({"model":"m","input":[{"role":"user","content":[)" + repeated(image, given.count) +
         "]}]}";
}

std::string in_llama(const Given& given) {
  std::string prompt;
  for (std::size_t i = 0; i < given.count; ++i) prompt += "<|image|>";
  return R"({"prompt":"<|start_header_id|>user<|end_header_id|>)" + prompt +
         R"(<|eot_id|>","images":[)" + repeated('"' + base64(given.bytes) + '"', given.count) +
         "]}";
}

std::string as_violation(const std::string& text) {
  return "Malformed input request: " + text + ", please reformat your input and try again.";
}

std::string as_it_is(const std::string& text) { return text; }

/// A schema that carries images, and where its refusals point.
struct Carrier {
  std::string_view name;
  std::string_view model_id;  ///< Empty: OpenAI's responses.
  std::string (*body)(const Given& given);
  std::string (*worded)(const std::string& text);
  std::string all;
  std::string file;    ///< The first image's bytes.
  std::string inside;  ///< What they show.
  bool labels_bind;

  Result<NativeRequest> parse(const Given& given) const {
    const std::string text = body(given);
    const Family* family = model_id.empty() ? &openai_responses : family_of(model_id, text);
    const ModelContext model{model_id, 100'000, 4096};
    return family->parse(model, text);
  }

  std::string refusal(const Given& given) const {
    const Result<NativeRequest> request = parse(given);
    return request ? "" : request.error().message;
  }
};

class Images : public testing::TestWithParam<Carrier> {};

const Carrier carriers[] = {
    {"claude", "anthropic.claude-3-haiku-20240307-v1:0", in_claude, as_it_is, "messages",
     "messages.0.content.0.image.source.base64", "messages.0.content.0.image.source.base64.data",
     true},
    {"claudes_result", "anthropic.claude-3-haiku-20240307-v1:0", in_claudes_result, as_it_is,
     "messages", "messages.2.content.0.tool_result.content.0.image.source.base64",
     "messages.2.content.0.tool_result.content.0.image.source.base64.data", true},
    {"nova", "amazon.nova-lite-v1:0", in_nova, as_violation, "#/messages",
     "#/messages/0/content/0/image/source/bytes", "#/messages/0/content/0/image/source/bytes",
     true},
    {"openai", "google.gemma-3-4b-it", in_openai, as_violation, "#/messages",
     "#/messages/0/content/0/image_url/url", "#/messages/0/content/0/image_url/url", false},
    {"responses", "", in_responses, as_violation, "#/input", "#/input/0/content/0/image_url",
     "#/input/0/content/0/image_url", false},
    {"llama", "meta.llama3-2-11b-instruct-v1:0", in_llama, as_violation, "#/images", "#/images/0",
     "#/images/0", false},
};

TEST_P(Images, AreTakenUpTo20OfThem) {
  const Result<NativeRequest> request = GetParam().parse({gif(8000, 8000), "gif", 20});
  ASSERT_TRUE(request) << request.error().message;
  const auto images = images_of(request->conversation);
  ASSERT_EQ(images.size(), 20u);
  EXPECT_EQ(images.front()->format, "gif");
  EXPECT_EQ(GetParam().refusal({gif(1, 1), "gif", 21}),
            GetParam().worded(GetParam().all + ": too many images and documents: 21 + 0 > 20"));
}

TEST_P(Images, AreRefusedWhenTheyAreTooLarge) {
  EXPECT_EQ(GetParam().refusal({large_gif()}),
            GetParam().worded(GetParam().file +
                              ": image exceeds 5 MB maximum: 5242884 bytes > 5242880 bytes"));
}

TEST_P(Images, AreRefusedWhenTheyHaveTooManyPixels) {
  EXPECT_EQ(GetParam().refusal({gif(8001, 1)}),
            GetParam().worded(
                GetParam().inside +
                ": At least one of the image dimensions exceed max allowed size: 8000 pixels"));
}

TEST_P(Images, AreRefusedWhenTheyAreNone) {
  EXPECT_EQ(GetParam().refusal({"no image"}),
            GetParam().worded(GetParam().inside + ": Could not process image"));
}

TEST_P(Images, AreWhatTheyAreSaidToBeOrWhatTheyAre) {
  const Given given{gif(1, 1), "png"};
  if (GetParam().labels_bind) {
    EXPECT_EQ(GetParam().refusal(given),
              GetParam().worded(GetParam().file +
                                ": The image was specified using the image/png media type, but the "
                                "image appears to be a image/gif image"));
  } else {
    const Result<NativeRequest> request = GetParam().parse(given);
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(images_of(request->conversation).front()->format, "gif");
  }
}

INSTANTIATE_TEST_SUITE_P(Schemas, Images, testing::ValuesIn(carriers),
                         [](const auto& row) { return std::string(row.param.name); });

// Documents.

std::string refusal_of(std::string_view model_id, const std::string& body) {
  const ModelContext model{model_id, 100'000, 4096};
  const Result<NativeRequest> request = family_of(model_id, body)->parse(model, body);
  return request ? "" : request.error().message;
}

constexpr std::string_view nova = "amazon.nova-lite-v1:0";

std::string document(const std::string& name, const std::string& format = "txt",
                     const std::string& bytes = "words") {
  return R"({"document":{"format":")" + format + R"(","name":")" + name +
         R"(","source":{"bytes":")" + base64(bytes) + R"("}}})";
}

/// Nova's refusal of a user's turn with these blocks.
std::string refusal_of_nova(const std::string& blocks) {
  return refusal_of(nova, R"({"messages":[{"role":"user","content":[)" + blocks + "]}]}");
}

constexpr std::string_view question = R"({"text":"Why?"})";

TEST(NovasDocuments, AreTakenUpToFiveOfThem) {
  std::string blocks(question);
  for (const char* name : {"a", "b", "c", "d", "e"}) blocks += "," + document(name);
  EXPECT_EQ(refusal_of_nova(blocks), "");
  EXPECT_EQ(refusal_of_nova(blocks + "," + document("f")),
            "You can't include more than 5 documents in a request.");
}

TEST(NovasDocuments, HaveNamesThatDiffer) {
  EXPECT_THAT(refusal_of_nova(std::string(question) + "," + document("a.txt")),
              HasSubstr("The document file name can only contain alphanumeric characters"));
  EXPECT_THAT(refusal_of_nova(std::string(question) + "," + document("")),
              HasSubstr("The document file name must have 1 to 200 characters."));
  EXPECT_THAT(
      refusal_of_nova(std::string(question) + "," + document("a") + "," + document("a", "csv")),
      HasSubstr("Messages can't contain duplicate document names."));
}

TEST(NovasDocuments, StandBesideText) {
  EXPECT_EQ(refusal_of_nova(document("a")),
            "A text block must be included when using documents. Add a text block and retry your "
            "request.");
}

TEST(NovasDocuments, AreLimitedInSizeWhereTheyAreTexts) {
  const std::string large(4'718'593, ' ');
  EXPECT_EQ(refusal_of_nova(std::string(question) + "," + document("a", "txt", large)),
            as_violation("#/messages/0/content/1/document/source/bytes: document exceeds 4.5 MB "
                         "maximum: 4718593 bytes > 4718592 bytes"));
  for (const char* format : {"pdf", "docx"}) {
    EXPECT_EQ(refusal_of_nova(std::string(question) + "," + document("a", format, large)), "");
  }
}

TEST(NovasFiles, AreTheUsers) {
  const std::string image =
      R"({"image":{"format":"gif","source":{"bytes":")" + base64(gif(1, 1)) + R"("}}})";
  const std::pair<std::string, std::string> blocks[] = {{"image", image},
                                                        {"document", document("a")}};
  for (const auto& [field, block] : blocks) {
    EXPECT_EQ(refusal_of(nova, R"({"messages":[{"role":"user","content":[{"text":"Hi"}]},)"
                               R"({"role":"assistant","content":[{"text":"Hi"},)" +
                                   block + "]}]}"),
              "This model doesn't support the " + field + " field for assistant messages. Remove " +
                  field + " and try again.");
  }
}

TEST(ClaudesDocuments, HaveNoneOfConversesRules) {
  const std::string text =
      R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"},)"
      R"("title":"report.txt"})";
  EXPECT_EQ(refusal_of("anthropic.claude-3-haiku-20240307-v1:0",
                       R"({"anthropic_version":"v","max_tokens":5,"messages":)"
                       R"([{"role":"user","content":[)" +
                           repeated(text, 6) + "]}]}"),
            "");
}

TEST(ClaudesDocuments, HoldImagesThatAreLookedAt) {
  EXPECT_EQ(refusal_of("anthropic.claude-3-haiku-20240307-v1:0",
                       R"({"anthropic_version":"v","max_tokens":5,"messages":[{"role":"user",)"
                       R"("content":[{"type":"document","source":{"type":"content","content":[)"
                       R"({"type":"text","text":"See:"},{"type":"image","source":{"type":"base64",)"
                       R"("media_type":"image/gif","data":")" +
                           base64("none") + R"("}}]}}]}]})"),
            "messages.0.content.0.document.source.content.1.image.source.base64.data: Could not "
            "process image");
}

TEST(LargeDocuments, AreThoseThatBedrockNames) {
  EXPECT_TRUE(takes_document_of_any_size("anthropic.claude-sonnet-4-20250514-v1:0", "pdf"));
  EXPECT_FALSE(takes_document_of_any_size("anthropic.claude-sonnet-4-20250514-v1:0", "docx"));
  EXPECT_FALSE(takes_document_of_any_size("anthropic.claude-3-haiku-20240307-v1:0", "pdf"));
  EXPECT_TRUE(takes_document_of_any_size("amazon.nova-pro-v1:0", "docx"));
  EXPECT_FALSE(takes_document_of_any_size("mistral.mistral-large-2402-v1:0", "pdf"));
}

}  // namespace
}  // namespace craton::families
