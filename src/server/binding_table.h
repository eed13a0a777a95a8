// BindingTable: which model ids are bound to what, as at the start and as it was changed since.
//
// Threads: any function may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engines/request.h"
#include "server/answerer.h"

namespace craton::server {

struct Bound {
  std::string id;       ///< "b3"
  std::string pattern;  ///< Of the catalogue's ids, or of ids as callers name them.
  std::string model;    ///< As it was told: "script:rules.yaml".
  bool added = false;   ///< Since the start.
  std::shared_ptr<Answerer> answerer;
  std::atomic<std::uint64_t> answered = 0;  ///< Requests.

  /// `asked_id`: as the caller names the model; may be empty, or the same.
  bool fits(std::string_view model_id, std::string_view asked_id) const;
};

class BindingTable {
 public:
  using Rows = std::vector<std::shared_ptr<Bound>>;

  /// At one moment, in the order in which they are looked at.
  std::shared_ptr<const Rows> rows() const;

  /// Puts these in the place of those of the start, and names them; what was added stays, in front.
  void start_with(Rows rows);

  /// Puts one, which has an id, in front of all.
  void add(std::shared_ptr<Bound> bound);

  /// Takes one away; false when there is none of that id.
  bool remove(std::string_view id);

  /// As at the start, none of which has answered anything.
  void reset();

  /// An id that none has had.
  std::string new_id();

  /// Whether any hands requests on.
  bool forwards() const { return forwards_; }

 private:
  std::shared_ptr<const Rows> publish(Rows rows);

  std::atomic<std::uint64_t> named_ = 0;
  std::atomic<bool> forwards_ = false;
  mutable std::mutex mutex_;  // guards what follows
  Rows start_;
  std::shared_ptr<const Rows> rows_ = std::make_shared<const Rows>();
};

}  // namespace craton::server
