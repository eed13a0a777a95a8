// RuleSet: a rules file in use: which rule answers which request, how often each has, and the
// engine that gives the answer.
//
// Threads: any function may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/faults/fault_set.h"
#include "engines/script/pacer.h"
#include "engines/script/rules_file.h"

namespace craton::engines::script {

class RuleSet : public std::enable_shared_from_this<RuleSet> {
 public:
  explicit RuleSet(RulesFile file);

  /// An engine that gives the answer of the first rule that fits, to this request alone; null when
  /// none does. Adds the faults that strike. A count of tokens counts as no call.
  std::shared_ptr<Engine> claim(rules::RequestView& request, faults::Struck& struck);

  /// An engine that only counts tokens, as its answers do.
  std::shared_ptr<Engine> counter();

  /// Why no rule fits: "rules.yaml has no rule for this request; nearest is 'weather' (line 7), but
  /// for prompt contains 'weather'." Names no folder.
  std::string why_none(rules::RequestView& request) const;

  /// Begins to count calls anew.
  void reset();

  const RulesFile& file() const { return file_; }
  Pacer& pacer() { return pacer_; }

 private:
  struct Counts {
    std::atomic<std::int64_t> matched = 0;
    std::atomic<std::int64_t> answered = 0;
  };
  const DeclaredAnswer* choose(const Rule& rule, Counts& counts, std::int64_t call, bool counting);

  const RulesFile file_;
  std::vector<Counts> counts_;  ///< Of each rule
  faults::FaultSet faults_;
  Pacer pacer_;
};

}  // namespace craton::engines::script
