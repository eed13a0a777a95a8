// An answer on the terminal as it comes: its text on standard output, its thoughts and calls of
// tools beside it, what it took at its end. Ctrl-C ends the answer.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "craton/client.h"

namespace craton::cli {

/// What came.
struct ViewedAnswer {
  Answer answer;                      ///< As far as it came.
  std::optional<CallError> error;     ///< What ended it before its time.
  std::chrono::milliseconds first{};  ///< To the first piece of it,
  std::chrono::milliseconds whole{};  ///< and to its end.

  /// "12 tokens in, 45 out · 38.2 tokens/s · first after 0.21 s"
  std::string told() const;
};

/// Sends the conversation and shows the answer. `show`: print it as it comes; false: collect it.
ViewedAnswer view_answer(const Client& client, const std::string& model,
                         const Conversation& conversation, bool show);

}  // namespace craton::cli
