// PooledModels: the models of this machine, which share its memory, as what ids are bound to.
//
// Threads: any function may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engines/pool.h"
#include "models/store.h"
#include "server/answerer.h"
#include "server/model_kinds.h"

namespace craton::server {

class PooledModels : public std::enable_shared_from_this<PooledModels> {
 public:
  /// `bytes_max`: of all that are loaded at once; absent: no bound.
  PooledModels(models::Store store, std::optional<std::uint64_t> bytes_max);

  /// Adds a model, of which nothing is loaded before begin(). It goes with what is returned, when
  /// the last answer is given. Fails with `validation` when its file is no model, or once begun
  /// when it does not fit into memory; the message says what to do.
  Result<std::shared_ptr<Answerer>> add(const NamedModel& named);

  /// Begins to load those that are kept. Fails with `validation` when one does not fit into memory
  /// beside them, and does nothing then.
  Result<void> begin();

  /// Whether it would fit into memory.
  bool fits(const NamedModel& named) const;

  struct Row {
    std::shared_ptr<const engines::Engine> engine;
    bool kept;
  };
  /// Of those that are there, in the order in which they were added.
  std::vector<Row> rows() const;

 private:
  class Place;
  struct Told {
    std::string config_name;  ///< As the configuration calls it,
    std::string name;         ///< and as metrics do.
    std::uint64_t bytes;
    bool kept;
    bool there;
  };

  Result<void> check_memory(const Told& told) const;
  std::shared_ptr<engines::Engine> take(std::size_t model);
  void retire(std::size_t model);

  const models::Store store_;
  const std::optional<std::uint64_t> bytes_max_;
  mutable std::mutex mutex_;                 // guards what follows
  std::vector<Told> told_;                   ///< By their numbers in the pool.
  std::vector<engines::PoolModel> planned_;  ///< Before begin().
  bool begun_ = false;
  std::shared_ptr<engines::Pool> pool_;  ///< Null while there is no model.
};

}  // namespace craton::server
