#include "models/index.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cassert>

#include "base/json.h"
#include "models/index_text.h"

namespace craton::models {
namespace {

std::string text_at(const json::object& members, std::string_view name) {
  const json::value* member = members.if_contains(name);
  return member ? std::string(member->get_string()) : std::string();
}

PackageSource package_source(const json::object& row) {
  PackageSource source{{}, text_at(row, "version"), text_at(row, "member")};
  const auto parts = row.at("parts").to_number<int>();
  for (int part = 1; part <= parts; ++part) {
    source.packages.push_back(text_at(row, "name") + (parts > 1 ? std::to_string(part) : ""));
  }
  return source;
}

Model model_of(const json::object& row) {
  const json::value* packages = row.if_contains("packages");
  return {
      .name = text_at(row, "name"),
      .file = text_at(row, "file"),
      .bytes = row.at("bytes").to_number<std::uint64_t>(),
      .sha256 = text_at(row, "sha256"),
      .license = text_at(row, "license"),
      .about = text_at(row, "about"),
      .huggingface = text_at(row, "huggingface"),
      .packages = packages ? std::optional(package_source(packages->get_object())) : std::nullopt,
      .conversion =
          text_at(row, "convert").empty() ? Conversion::none : Conversion::sentence_transformer};
}

struct Index {
  std::vector<Model> models;
  std::string default_name;
  std::string encoder_name;
};

/// The text is our own; index_test.cc holds it against what is read here.
Index read_index() {
  const auto text = json::parse(index_text);
  assert(text && "data/model-index.json is valid JSON");
  const json::object& root = text->get_object();
  Index index{{}, text_at(root, "default"), text_at(root, "encoder")};
  for (const json::value& row : root.at("models").get_array()) {
    index.models.push_back(model_of(row.get_object()));
  }
  return index;
}

const Index& index() {
  static const Index read = read_index();
  return read;
}

}  // namespace

std::span<const Model> all_models() { return index().models; }

const Model& default_model() { return *find_model(index().default_name); }
const Model& default_encoder() { return *find_model(index().encoder_name); }

const Model* find_model(std::string_view name) {
  const std::vector<Model>& models = index().models;
  const auto found = std::ranges::find(models, name, &Model::name);
  return found == models.end() ? nullptr : &*found;
}

}  // namespace craton::models
