// AddedRules: rules that whoever tests declares while the server runs, in front of all bindings.
//
// What was added last is looked at first: a test's own rules hold before those of its set-up.
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

#include "engines/script/rule_set.h"

namespace craton::engines::script {

class AddedRules {
 public:
  static constexpr std::size_t sets_max = 1000;  ///< Of rules that were added together.

  /// Adds those of a text as a rules file has it, YAML or JSON, or a single rule. It may name no
  /// files. Fails with `validation`, naming the line, and past sets_max.
  Result<void> add(std::string_view text);

  void clear();
  bool empty() const { return !any_.load(std::memory_order_relaxed); }

  /// As RuleSet::claim(). Where none fits, `passed` is the latest that has rules.
  std::shared_ptr<Engine> claim(rules::RequestView& request, faults::Struck& struck,
                                std::shared_ptr<RuleSet>& passed);

  struct Row {
    std::string name;
    std::int64_t answered;
  };
  /// In the order in which they are looked at.
  std::vector<Row> rows() const;

 private:
  std::vector<std::shared_ptr<RuleSet>> sets() const;

  std::atomic<bool> any_ = false;
  mutable std::mutex mutex_;                    // guards what follows
  std::vector<std::shared_ptr<RuleSet>> sets_;  ///< The latest first.
};

}  // namespace craton::engines::script
