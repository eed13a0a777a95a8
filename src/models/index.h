// The models that `craton pull` knows, by name.
//
// Read-only data, from data/model-index.json, which is built in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace craton::models {

/// A model file as the data files of Python packages.
struct PackageSource {
  std::vector<std::string> packages;  ///< In the order of their bytes.
  std::string version;
  std::string member;  ///< How the name of the one data file ends, in each.
};

/// What is made of the packages' data before it is the model file.
enum class Conversion {
  none,
  sentence_transformer,  ///< The data is a zip file with a text encoder: see bert_gguf.h.
};

struct Model {
  std::string name;  ///< "qwen2.5-coder-0.5b-instruct"
  std::string file;  ///< In the folder of models.
  std::uint64_t bytes;
  std::string sha256;
  std::string license;
  std::string about;
  std::string huggingface;  ///< Repository; empty: none.
  std::optional<PackageSource> packages;
  Conversion conversion = Conversion::none;
};

/// Every model of the index, in its order.
std::span<const Model> all_models();

const Model& default_model();

/// The one that turns texts into vectors, where nothing else is said.
const Model& default_encoder();

/// nullptr when the index has no model of that name.
const Model* find_model(std::string_view name);

}  // namespace craton::models
