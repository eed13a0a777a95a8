// ServedModels: the models that the configuration names, and which model ids each answers.
//
// Ids of embedding and reranking models are answered by encoders alone, all others by models that
// write text: a binding to a model of the other kind is passed over. Where the configuration names
// no encoder for them, the one that `craton pull` fetched answers, when it is there.
//
// Threads: any function may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engines/pool.h"
#include "server/config.h"

namespace craton::server {

/// What a configured model would take, or why it cannot be loaded.
struct ModelCheck {
  std::string name;                    ///< As the configuration says it.
  std::uint64_t bytes = 0;             ///< Of memory, about.
  std::optional<std::string> problem;  ///< With the cure.
};

/// Looks at the files of all models that `config` names, the default one first; loads none.
std::vector<ModelCheck> check_models(const Config& config);

class ServedModels {
 public:
  /// Begins to load those that are kept, the default one among them. Fails with `validation` when
  /// a file is no model, or when they cannot fit into the memory that they may have; the message
  /// says what to do.
  static Result<std::shared_ptr<const ServedModels>> make(const Config& config);

  /// The engine that answers `model_id`; null when none does. Its model stays loaded while it is
  /// held.
  std::shared_ptr<engines::Engine> engine_for(std::string_view model_id) const;

  struct Row {
    const engines::Engine& engine;
    bool kept;
  };
  /// Each once, the default one first.
  std::vector<Row> rows() const;

 private:
  struct Bound {
    std::string pattern;
    std::size_t model;
    bool encoder;
  };

  std::vector<Bound> bound_;
  std::optional<std::size_t> default_;   ///< Of ids that are bound to none,
  std::optional<std::size_t> encoder_;   ///< and of those that embed.
  std::shared_ptr<engines::Pool> pool_;  ///< Null when there is no model.
};

}  // namespace craton::server
