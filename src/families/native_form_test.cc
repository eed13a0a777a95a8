#include "families/native_form.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "families/embedding_family.h"
#include "families/family.h"
#include "families/image_family.h"

namespace craton::families {
namespace {

namespace bj = boost::json;

constexpr std::string_view odd_text = "A \"quoted\"\n\\ text, 한글, {{seed}} {{";

/// Ids that answer with that modality, of both catalogues.
std::vector<std::string> ids_of(std::string_view modality) {
  std::vector<std::string> ids;
  const auto add = [&](const bj::object& model) {
    for (const bj::value& output : model.at("outputModalities").as_array()) {
      if (output == bj::value(modality)) ids.emplace_back(model.at("modelId").as_string());
    }
  };
  std::ifstream today(CRATON_SOURCE_DIR "/data/foundation-models/today.json");
  const std::string text(std::istreambuf_iterator<char>(today), {});
  const bj::value rows = bj::parse(text);
  for (const bj::value& row : rows.as_array()) add(row.at("summary").as_object());
  std::ifstream seed(CRATON_SOURCE_DIR "/tests/sdk/data/seed_models.jsonl");
  for (std::string line; std::getline(seed, line);) add(bj::parse(line).as_object());
  return ids;
}

ModelContext context_of(const std::string& id) { return {id, std::nullopt, 100'000, false}; }

TEST(NativeForm, EveryTextModelReadsItsBodyAndTheAnswerIsWhereItSays) {
  int checked = 0;
  for (const std::string& id : ids_of("TEXT")) {
    const NativeForm& form = text_form_of(id);
    const std::string body = native_body(form, {.text = odd_text, .max_tokens = 100});
    const Family* family = family_of(id, body);
    if (!family) continue;  // speech, videos, rankings
    ++checked;
    const ModelContext context = context_of(id);
    const Result<NativeRequest> request = family->parse(context, body);
    ASSERT_TRUE(request) << id << ": " << request.error().message;
    std::string prompt;
    for (const Turn& turn : request->conversation.turns) prompt += text_of(turn);
    EXPECT_NE(prompt.find(odd_text), std::string::npos) << id << ": " << prompt;
    EXPECT_EQ(request->conversation.sampling.tokens_max, 100) << id;

    Answer answer = text_answer("Granite.");
    const std::vector<Answer> answers{answer};
    const std::string reply = family->render({context, *request, answers, "request-id"});
    boost::system::error_code missing;
    const bj::value value = bj::parse(reply);
    const bj::value* found = value.find_pointer(form.answer, missing);
    ASSERT_TRUE(found && found->is_string()) << id << ' ' << form.answer << ' ' << reply;
    EXPECT_NE(std::string(found->get_string()).find("Granite."), std::string::npos) << id;
    if (form.piece.empty() || !family->stream) continue;

    std::vector<std::string> pieces;
    const auto writer = family->stream({context, *request, "request-id"});
    for (const Event& event :
         std::vector<Event>{MessageStart{}, TextDelta{"Granite.", 1, {}}, MessageStop{}, Usage{}}) {
      writer->write(event, 0, pieces);
    }
    std::string streamed;
    for (const std::string& piece : pieces) {
      const bj::value one = bj::parse(piece);
      const bj::value* part = one.find_pointer(form.piece, missing);
      if (part && part->is_string()) streamed += part->get_string();
    }
    EXPECT_NE(streamed.find("Granite."), std::string::npos) << id << ' ' << pieces.front();
  }
  EXPECT_GT(checked, 100);
}

TEST(NativeForm, EveryEmbeddingModelReadsItsBody) {
  int checked = 0;
  for (const std::string& id : ids_of("EMBEDDING")) {
    const NativeForm* form = vector_form_of(id);
    const EmbeddingFamily* family = embedding_family_of(id);
    if (!form || !family) continue;
    ++checked;
    const auto request = family->parse(context_of(id), native_body(*form, {.text = odd_text}));
    ASSERT_TRUE(request) << id << ": " << request.error().message;
    EXPECT_EQ(request->request.items.at(0).text, odd_text) << id;
  }
  EXPECT_GT(checked, 10);
}

TEST(NativeForm, EveryImageModelReadsItsBody) {
  int checked = 0;
  for (const std::string& id : ids_of("IMAGE")) {
    const ImageFamily* family = image_family_of(id);
    const NativeForm* form = image_form_of(id);
    if (!family) continue;
    ++checked;
    ASSERT_TRUE(form) << id;
    const auto request =
        family->parse(context_of(id), native_body(*form, {.text = odd_text, .seed = 7}));
    ASSERT_TRUE(request) << id << ": " << request.error().message;
    EXPECT_EQ(request->request.prompts.at(0).text, odd_text) << id;
    EXPECT_EQ(request->request.seed, 7U) << id;
  }
  EXPECT_GT(checked, 5);
}

TEST(NativeForm, FitsIdsBehindAGeographyAndInArns) {
  EXPECT_EQ(&text_form_of("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
            &text_form_of("anthropic.claude-3-haiku-20240307-v1:0"));
  EXPECT_EQ(&text_form_of("arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"),
            &text_form_of("amazon.nova-pro-v1:0"));
  EXPECT_FALSE(vector_form_of("anthropic.claude-3-haiku-20240307-v1:0"));
  EXPECT_FALSE(image_form_of("amazon.titan-embed-image-v1"));
}

}  // namespace
}  // namespace craton::families
