#include "server/model_kinds.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "engines/diffusion/diffusion_engine.h"
#include "engines/llama/encoder_engine.h"
#include "engines/llama/llama_engine.h"
#include "engines/llama/model_file.h"
#include "server/diffusion_model.h"

namespace craton::server {
namespace {

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

Result<engines::llama::LlamaOptions> llama_options(const models::Store& store,
                                                   const ModelConfig& config) {
  CRATON_TRY_ASSIGN(const models::ModelFile file, store.resolve(config.file));
  models::ModelFile draft;
  if (!config.draft.empty()) {
    CRATON_TRY_ASSIGN(draft, store.resolve(config.draft));
  }
  for (const std::filesystem::path& path :
       {file.path, draft.path, std::filesystem::path(config.projector)}) {
    if (path.empty()) continue;
    if (const auto reason = engines::llama::why_no_model(path)) return refused(*reason);
  }
  engines::llama::LlamaOptions options;
  options.path = file.path.string();
  options.name = file.name;
  options.projector = config.projector;
  options.draft = draft.path.string();
  options.threads = config.threads;
  options.context_tokens = config.context_tokens;
  options.kv_cells = config.kv_cells;
  options.kv_type = config.kv_type;
  options.flash_attention = config.flash_attention;
  options.gpu_layers = config.gpu_layers;
  options.machines = config.rpc;
  options.prefix_cache = config.prefix_cache;
  options.speculation = config.speculation;
  options.parallel = config.parallel;
  options.waiting_max = config.queue;
  return options;
}

engines::llama::EncoderEngineOptions encoder_options(const engines::llama::LlamaOptions& options) {
  constexpr int computed = 8;  // beside those that wait, as many as a model answers at once
  return {
      .path = options.path,
      .name = options.name,
      .threads = options.threads,
      .context_tokens = options.context_tokens,
      .gpu_layers = options.gpu_layers,
      .requests_max = options.waiting_max + (options.parallel > 0 ? options.parallel : computed)};
}

Result<std::uint64_t> bytes_needed(const engines::llama::LlamaOptions& options) {
  return engines::llama::is_encoder(options.path)
             ? engines::llama::encoder_memory_needed(encoder_options(options))
             : engines::llama::memory_needed(options);
}

PooledModel text_model(engines::llama::LlamaOptions options) {
  const bool encoder = engines::llama::is_encoder(options.path);
  PooledModel made{.model = {.kind = "llama", .name = options.name, .make = nullptr},
                   .does = encoder ? Does::embeds : Does::writes};
  if (encoder) {
    made.model.make = [told = encoder_options(options)] {
      return engines::llama::make_encoder_engine(told);
    };
  } else {
    made.model.make = [options = std::move(options)] {
      return engines::llama::make_llama_engine(options);
    };
  }
  return made;
}

PooledModel image_model(engines::diffusion::DiffusionOptions options) {
  return {
      .model = {.kind = "diffusion",
                .name = options.name,
                .make = [options] { return engines::diffusion::make_diffusion_engine(options); }},
      .does = Does::draws};
}

}  // namespace

Result<std::uint64_t> model_bytes(const models::Store& store, const NamedModel& named) {
  if (draws(store, named.config)) {
    CRATON_TRY_ASSIGN(const auto options, diffusion_options(store, named));
    return engines::diffusion::diffusion_memory_needed(options);
  }
  CRATON_TRY_ASSIGN(const auto options, llama_options(store, named.config));
  return bytes_needed(options);
}

Result<PooledModel> pooled_model(const models::Store& store, const NamedModel& named, bool measured,
                                 const std::vector<std::string>& names) {
  const auto own_name = [&](std::string& name) {
    const auto taken = [&] { return std::ranges::find(names, name) != names.end(); };
    if (taken()) name = named.name;
    for (int number = 2; taken(); ++number) name = named.name + '#' + std::to_string(number);
  };
  PooledModel made;
  if (draws(store, named.config)) {
    CRATON_TRY_ASSIGN(auto options, diffusion_options(store, named));
    own_name(options.name);
    made = image_model(std::move(options));
  } else {
    CRATON_TRY_ASSIGN(auto options, llama_options(store, named.config));
    own_name(options.name);
    made = text_model(std::move(options));
  }
  made.model.kept = named.config.keep;
  if (measured) {
    CRATON_TRY_ASSIGN(made.model.bytes, model_bytes(store, named));
  }
  return made;
}

}  // namespace craton::server
