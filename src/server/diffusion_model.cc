#include "server/diffusion_model.h"

#include <filesystem>
#include <utility>

namespace craton::server {

bool draws(const models::Store& store, const ModelConfig& config) {
  if (config.kind == ModelKind::diffusion || !config.diffusion_model.empty()) return true;
  const Result<models::ModelFile> file = store.resolve(config.file);
  return file && engines::diffusion::is_diffusion(file->path.string());
}

Result<engines::diffusion::DiffusionOptions> diffusion_options(const models::Store& store,
                                                               const NamedModel& named) {
  const ModelConfig& config = named.config;
  engines::diffusion::DiffusionOptions options;
  // A model of several files has a name alone: craton.yaml's.
  if (config.diffusion_model.empty() || config.file != named.name) {
    CRATON_TRY_ASSIGN(const models::ModelFile file, store.resolve(config.file));
    options.path = file.path.string();
    options.name = file.name;
  } else {
    options.name = named.name;
  }
  options.diffusion_model = config.diffusion_model;
  options.vae = config.vae;
  options.taesd = config.taesd;
  options.clip_l = config.clip_l;
  options.clip_g = config.clip_g;
  options.t5xxl = config.t5xxl;
  options.threads = config.threads;
  options.steps = config.steps;
  options.sampler = config.sampler;
  options.waiting_max = config.queue;
  CRATON_TRY(engines::diffusion::diffusion_memory_needed(options));
  return options;
}

}  // namespace craton::server
