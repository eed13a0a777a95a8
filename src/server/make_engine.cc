#include <string>

#include "engines/llama/llama_engine.h"
#include "engines/llama/model_file.h"
#include "models/store.h"
#include "server/bedrock_server.h"
#include "server/environment.h"

namespace craton::server {

Result<std::shared_ptr<engines::Engine>> make_engine(const Config& config) {
  if (config.model == "none") return std::shared_ptr<engines::Engine>();
  const models::Store store = store_of(config.data);
  CRATON_TRY_ASSIGN(const models::ModelFile file, store.resolve(config.model));
  if (const auto reason = engines::llama::why_no_model(file.path)) {
    return Error{ErrorCode::validation, *reason};
  }
  if (!config.projector.empty()) {
    if (const auto reason = engines::llama::why_no_model(config.projector)) {
      return Error{ErrorCode::validation, *reason};
    }
  }
  engines::llama::LlamaOptions options;
  options.path = file.path.string();
  options.name = file.name;
  options.projector = config.projector;
  options.threads = config.threads;
  options.context_tokens = config.context_tokens;
  options.kv_cells = config.kv_cells;
  options.prefix_cache = config.prefix_cache;
  options.speculation = config.speculation;
  options.parallel = config.parallel;
  options.waiting_max = config.queue;
  return std::shared_ptr<engines::Engine>(engines::llama::make_llama_engine(std::move(options)));
}

}  // namespace craton::server
