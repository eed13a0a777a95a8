// ServedModels: the models that the configuration names, and which model ids each answers.
//
// Ids of embedding and reranking models are answered by encoders alone, those of image models by
// engines that draw, all others by models that write text: a binding to a model of another kind is
// passed over. What other servers answer is text and embeddings alike; rules, recordings and AWS
// look at each request themselves. Where the configuration names no encoder for them, the one that
// `craton pull` fetched answers, when it is there; where it names nothing that draws, `canvas`
// does, which needs no model. Bindings may be added and taken away while requests come.
//
// Threads: any function may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engines/faults/fault_set.h"
#include "engines/replay/library.h"
#include "engines/request.h"
#include "server/binding_table.h"
#include "server/config.h"
#include "server/pooled_models.h"
#include "service/service.h"

namespace craton::server {

/// What is bound while the server runs.
struct NewBinding {
  std::string pattern;
  std::string model;  ///< As `bind:` may name one; empty: `settings` or `rules` say what answers.
  /// Of a model as craton.yaml may name one, in place of a name.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string rules;  ///< Text of a rules file, in place of both.
};

class ServedModels final : public service::Forwarding {
 public:
  /// Begins to load those that are kept, the default one among them. Fails with `validation` when
  /// a file is no model, or when they cannot fit into the memory that they may have; the message
  /// says what to do.
  static Result<std::shared_ptr<ServedModels>> make(const Config& config);

  /// What answers a request: the first binding of its model id that does, or the default model;
  /// none, with `resource_not_found`, when rules alone are bound and none fits. A model stays
  /// loaded while its engine is held.
  service::FoundEngine engine_for(const engines::Request& request) const;

  /// Nothing is handed on when what passes is to be changed or replayed. Operations that name no
  /// model are where everything is ("*=aws").
  bool any() const override;
  std::shared_ptr<client::Forwarder> find(std::string_view model_id,
                                          std::string_view asked_id) const override;

  /// Reads the files of rules again, and begins to count their calls anew. One that is wrong keeps
  /// the rules that it had; the first such error is returned.
  Result<void> reload_rules();

  /// Takes over the bindings, and the models that they name, of a configuration that was read
  /// again; what is the same stays as it is, and answers go on. Fails as make() does, changing
  /// nothing.
  Result<void> rebind(const Config& config);

  /// In the order in which they are looked at.
  std::shared_ptr<const BindingTable::Rows> bindings() const { return bound_.rows(); }

  /// Puts a binding in front of all. Fails as make() does; nothing is bound then.
  Result<void> bind(const NewBinding& binding);

  /// False when there is none of that id. Answers that were begun go on.
  bool unbind(std::string_view id) { return bound_.remove(id); }

  /// As at the start.
  void reset_bindings() { bound_.reset(); }

  /// The same, and begins to count calls and faults anew, and takes away those that were added.
  void reset();

  /// Of all requests; more may be added.
  engines::faults::FaultSet& faults() const { return *faults_; }

  /// "rules.yaml: 5 rules, 1 fault" of each file.
  std::vector<std::string> rules_told() const;

  /// "cassettes: 12 recorded answers"; empty when nothing is replayed.
  std::string recordings_told() const;

  /// Models of this machine's, and what other servers answer for; each once.
  std::vector<PooledModels::Row> rows() const;

 private:
  struct Known {
    NamedModel named;
    std::weak_ptr<Answerer> answerer;
  };
  using Answerers = std::vector<std::shared_ptr<Answerer>>;

  ServedModels(const Config& config);

  Result<std::shared_ptr<Answerer>> answerer_of(const NamedModel& named);
  Result<Answerers> answerers_of(const std::vector<NamedModel>& models);
  BindingTable::Rows rows_of(const Config& config, const std::vector<NamedModel>& models,
                             const Answerers& answerers) const;
  Result<void> add_encoder();
  Result<std::shared_ptr<Answerer>> answerer_of(const NewBinding& binding, const std::string& id);
  Answerers all_answerers() const;
  const Answerer* default_for(Does wanted) const;

  const Config config_;
  const std::shared_ptr<PooledModels> pooled_;
  std::shared_ptr<Answerer> default_;  ///< Of ids that are bound to none; may be null,
  std::shared_ptr<Answerer> encoder_;  ///< of those that embed; may be null,
  std::shared_ptr<Answerer> canvas_;   ///< and of those that draw.
  std::shared_ptr<engines::replay::Library> library_;  ///< Null: nothing is replayed.
  const std::unique_ptr<engines::faults::FaultSet> faults_;
  BindingTable bound_;
  mutable std::mutex mutex_;  // guards what follows, and lets one at a time make bindings
  Answerers configured_;      ///< Of all models that the configuration names.
  std::vector<Known> known_;  ///< So that one that is named twice is there once.
};

}  // namespace craton::server
