// AnswerFilter: what faults change in an answer's own events, whatever form it is then written in.
//
// One answer, on one thread.
#pragma once

#include <string>
#include <vector>

#include "conversation/event.h"
#include "engines/faults/fault_set.h"

namespace craton::engines::faults {

class AnswerFilter {
 public:
  explicit AnswerFilter(const Struck& struck);

  /// False: events may as well pass by.
  bool changes() const { return empty_ || truncates_; }

  /// Appends what is left of `event`, nothing or more.
  void pass(Event event, std::vector<Event>& out);

 private:
  void pass_emptied(Event event, std::vector<Event>& out);
  void pass_truncated(Event event, std::vector<Event>& out);

  bool empty_ = false;
  bool truncates_ = false;
  bool truncated_ = false;  ///< Some call was.
  std::string input_;       ///< Of the call that is being made.
};

}  // namespace craton::engines::faults
