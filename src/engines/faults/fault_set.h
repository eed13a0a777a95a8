// FaultSet: faults in their order, and how often each has struck.
//
// Threads: any function may be called from any thread.
#pragma once

#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "engines/faults/fault.h"

namespace craton::engines::faults {

/// Those that strike one request; of each kind one at most.
using Struck = std::vector<std::shared_ptr<const Fault>>;

class FaultSet {
 public:
  /// More are refused: they come from whoever may administer, and are looked at with each request.
  static constexpr std::size_t faults_max = 1000;

  FaultSet() = default;
  explicit FaultSet(std::vector<Fault> faults);

  /// Fails with `validation` when there are `faults_max`.
  Result<void> add(Fault fault);
  void clear();

  /// Begins to count anew.
  void reset();

  /// Draws for `request` and adds those that strike it.
  void draw(rules::RequestView& request, Struck& struck);

  bool empty() const;

  struct Row {
    std::string name;
    int matched;
    int struck;
  };
  std::vector<Row> rows() const;

 private:
  struct Counted {
    std::shared_ptr<const Fault> fault;
    std::mt19937_64 random;
    int matched = 0;
    int struck = 0;
  };
  static Counted counted(std::shared_ptr<const Fault> fault);
  static bool strikes(Counted& one);

  mutable std::mutex mutex_;
  std::vector<Counted> faults_;
};

}  // namespace craton::engines::faults
