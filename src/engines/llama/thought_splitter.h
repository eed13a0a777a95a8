// ThoughtSplitter: what a model thinks before it answers, apart from the answer.
//
//   <think>\nFrance ... so it is Paris.\n</think>\n\nParis.
//           └──────── thought ─────────┘            └ answer
//
// Thoughts come first or not at all; later tags are text. Blanks around a thought belong to neither
// part. The same bytes give the same parts however they are cut.
//
// No I/O, no globals.
#pragma once

#include <string>
#include <string_view>

namespace craton::engines::llama {

class ThoughtSplitter {
 public:
  /// `in_thought`: the prompt ended with the opening tag.
  explicit ThoughtSplitter(bool in_thought) : state_(in_thought ? State::thought : State::before) {}

  struct Parts {
    std::string thought;
    std::string answer;
  };

  /// Takes the next bytes; gives what is certain.
  Parts add(std::string_view bytes);

  /// The answer has ended: gives what was held back.
  Parts finish();

  bool in_thought() const { return state_ == State::thought; }

  /// True when the opening tag may go on, or be complete, with `bytes`.
  bool may_open(std::string_view bytes) const;

 private:
  enum class State {
    before,  ///< Nothing but blanks, or the beginning of the opening tag.
    thought,
    behind,  ///< Blanks behind the closing tag.
    answer,
  };

  void look(Parts& parts);

  State state_;
  bool begun_ = false;  ///< The thought has more than blanks.
  std::string held_;
};

}  // namespace craton::engines::llama
