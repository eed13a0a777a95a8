// The families against the models that Bedrock lists today.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "families/family.h"

namespace craton::families {
namespace {

namespace bj = boost::json;

/// Ids of the models whose answers are text.
std::vector<std::string> text_models() {
  std::ifstream file(CRATON_SOURCE_DIR "/data/foundation-models/today.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::vector<std::string> ids;
  const bj::value models = bj::parse(text);
  for (const bj::value& row : models.as_array()) {
    const bj::object& model = row.at("summary").as_object();
    const bj::array& outputs = model.at("outputModalities").as_array();
    if (std::ranges::find(outputs, bj::value("TEXT")) == outputs.end()) continue;
    ids.emplace_back(model.at("modelId").as_string());
  }
  return ids;
}

// Those that InvokeModel gives no text from, or that text alone is no answer to.
constexpr std::string_view others[] = {
    "amazon.nova-sonic-",  // speech both ways
    "amazon.nova-2-sonic-", "amazon.nova-2-5-sonic",
    "amazon.rerank-",  // ranks, not text
    "cohere.rerank-",
    "twelvelabs.pegasus-",  // watches videos
};

bool is_other(const std::string& id) {
  return std::ranges::any_of(others,
                             [&](std::string_view prefix) { return id.starts_with(prefix); });
}

TEST(Catalogue, HasAFamilyForEveryModelThatIsInvokedForText) {
  const std::vector<std::string> ids = text_models();
  ASSERT_GT(ids.size(), 100u);
  for (const std::string& id : ids) {
    EXPECT_EQ(family_of(id, R"({"messages":[]})") == nullptr, is_other(id)) << id;
    EXPECT_EQ(chat_family_of(id) == nullptr, is_other(id)) << id;
  }
}

}  // namespace
}  // namespace craton::families
