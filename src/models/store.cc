#include "models/store.h"

#include <algorithm>

#include "base/nearest.h"

namespace craton::models {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view extension = ".gguf";

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

bool looks_like_path(std::string_view text) {
  return text.find('/') != text.npos || text.ends_with(extension);
}

const Model* model_of_file(const std::string& file) {
  const auto models = all_models();
  const auto found = std::ranges::find(models, file, &Model::file);
  return found == models.end() ? nullptr : &*found;
}

Result<ModelFile> by_path(std::string_view text) {
  const fs::path path(text);
  std::error_code error;
  if (!fs::exists(path, error)) {
    return refused("there is no file " + path.string() +
                   ". Give the path of a GGUF file, or a name that 'craton pull --list' shows.");
  }
  if (fs::is_directory(path, error)) {
    return refused(path.string() + " is a folder. Give the path of a GGUF file in it.");
  }
  return ModelFile{path.stem().string(), path};
}

}  // namespace

fs::path cache_folder(const Environment& environment) {
  if (const auto own = environment("CRATON_CACHE_DIR"); own && !own->empty()) return *own;
  if (const auto xdg = environment("XDG_CACHE_HOME"); xdg && !xdg->empty()) {
    return fs::path(*xdg) / "craton";
  }
  if (const auto home = environment("HOME"); home && !home->empty()) {
    return fs::path(*home) / ".cache" / "craton";
  }
  return {};
}

bool Store::has(const Model& model) const {
  std::error_code error;
  const auto size = fs::file_size(path_of(model), error);
  return !error && size == model.bytes;
}

std::vector<ModelFile> Store::found() const {
  std::vector<ModelFile> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(models_folder(), error)) {
    const fs::path& path = entry.path();
    if (path.extension() != extension || path.filename().string().starts_with('.')) continue;
    const Model* model = model_of_file(path.filename().string());
    if (model && !has(*model)) continue;
    files.push_back({model ? model->name : path.stem().string(), path});
  }
  std::ranges::sort(files, {}, &ModelFile::name);
  return files;
}

Result<ModelFile> Store::resolve(std::string_view name_or_path) const {
  if (looks_like_path(name_or_path)) return by_path(name_or_path);
  const std::vector<ModelFile> files = found();
  const auto file = std::ranges::find(files, name_or_path, &ModelFile::name);
  if (file != files.end()) return *file;
  const std::string name(name_or_path);
  if (find_model(name_or_path)) {
    return refused("the model " + name + " is not in " + models_folder().string() +
                   ". Run: craton pull " + name);
  }
  std::vector<std::string_view> known;
  for (const Model& model : all_models()) known.push_back(model.name);
  for (const ModelFile& each : files) known.push_back(each.name);
  const std::string_view near = nearest(name_or_path, known);
  return refused("there is no model '" + name + "'." +
                 (near.empty() ? "" : " Did you mean '" + std::string(near) + "'?") +
                 " 'craton pull --list' shows the names.");
}

}  // namespace craton::models
