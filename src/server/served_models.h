// ServedModels: the models that the configuration names, and which model ids each answers.
//
// Ids of embedding and reranking models are answered by encoders alone, those of image models by
// engines that draw, all others by models that write text: a binding to a model of another kind is
// passed over. What other servers answer is text and embeddings alike. Where the configuration
// names no encoder for them, the one that `craton pull` fetched answers, when it is there; where it
// names nothing that draws, `canvas` does, which needs no model.
//
// Threads: any function may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engines/faults/fault_set.h"
#include "engines/pool.h"
#include "engines/replay/library.h"
#include "engines/request.h"
#include "server/aws_account.h"
#include "server/config.h"
#include "server/model_kinds.h"
#include "service/service.h"

namespace craton::server {

/// What a configured model would take, or why it cannot be loaded.
struct ModelCheck {
  std::string name;                    ///< As the configuration says it.
  std::string where;                   ///< "vllm at http://10.0.0.2:8000"; empty: here.
  std::uint64_t bytes = 0;             ///< Of memory, about.
  std::optional<std::string> problem;  ///< With the cure.
};

/// Looks at the files of all models that `config` names, the default one first; loads none. Asks
/// every server that answers for one how it is, which takes seconds at most.
std::vector<ModelCheck> check_models(const Config& config);

class ServedModels {
 public:
  /// Begins to load those that are kept, the default one among them. Fails with `validation` when
  /// a file is no model, or when they cannot fit into the memory that they may have; the message
  /// says what to do.
  static Result<std::shared_ptr<const ServedModels>> make(const Config& config);

  /// What answers a request: the first binding of its model id that does, or the default model;
  /// none, with `resource_not_found`, when rules alone are bound and none fits. A model stays
  /// loaded while its engine is held.
  service::FoundEngine engine_for(const engines::Request& request) const;

  /// True when anything is bound to AWS.
  bool forwards() const;

  /// What hands requests for that model on to AWS, as they came; null when it is not bound there,
  /// or when what passes is to be changed or replayed. `model_id`: as patterns know it; empty: of
  /// operations that name none, which are handed on where everything is ("*=aws").
  std::shared_ptr<client::Forwarder> forwarder_for(std::string_view model_id) const;

  /// Reads the files of rules again, and begins to count their calls anew. One that is wrong keeps
  /// the rules that it had; the first such error is returned.
  Result<void> reload_rules() const;

  /// Begins to count calls and faults anew, and takes away those that were added.
  void reset() const;

  /// Of all requests; more may be added.
  engines::faults::FaultSet& faults() const { return *faults_; }

  /// "rules.yaml: 5 rules, 1 fault" of each file.
  std::vector<std::string> rules_told() const;

  /// "cassettes: 12 recorded answers"; empty when nothing is replayed.
  std::string recordings_told() const;

  struct Row {
    const engines::Engine& engine;
    bool kept;
  };
  /// Each once, the default one first.
  std::vector<Row> rows() const;

 private:
  class Rules;
  static Does does_of(std::string_view model_id);
  /// Other servers.
  struct Upstream {
    std::shared_ptr<engines::Engine> engine;
  };
  /// A model of the pool, rules, an engine that is always there and draws, other servers, or AWS.
  using Answerer = std::variant<std::size_t, std::shared_ptr<Rules>,
                                std::shared_ptr<engines::Engine>, Upstream, AwsAccount>;
  struct Bound {
    std::string pattern;
    Answerer answerer;
  };
  Does does(const Answerer& answerer) const;
  bool can(const Answerer& answerer, Does wanted) const;
  /// What answers ids that are bound to none.
  const Answerer* default_for(Does wanted) const;

  std::vector<Bound> bound_;
  std::vector<Does> does_;                             ///< Of each model of the pool.
  std::optional<Answerer> default_;                    ///< Of ids that are bound to none,
  std::optional<Answerer> encoder_;                    ///< of those that embed,
  Answerer canvas_;                                    ///< and of those that draw.
  std::vector<std::shared_ptr<Rules>> rules_;          ///< Each once.
  std::vector<Upstream> upstreams_;                    ///< Each once.
  std::shared_ptr<engines::replay::Library> library_;  ///< Null: nothing is replayed.
  bool library_alone_ = false;                         ///< What is not in it is refused.
  std::vector<engines::faults::Fault> told_faults_;
  std::unique_ptr<engines::faults::FaultSet> faults_;
  std::shared_ptr<engines::Pool> pool_;  ///< Null when there is no model.
};

}  // namespace craton::server
