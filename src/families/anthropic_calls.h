// Anthropic Messages: calls of tools against their results.
//
// All calls of an assistant's turn are answered together, at the beginning of the user's next turn.
// What breaks this is refused in Anthropic's words.
//
// No I/O.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::families {

/// Is told of all blocks in their order. Keeps views of the ids, which outlive it.
class AnthropicCalls {
 public:
  /// Of the message whose blocks come next. Fails when calls before it stay without results.
  Result<void> begin_message(Role role, std::size_t message);

  /// `at` says where the block stands: "messages.1.content.0".
  Result<void> add_use(std::string_view id, const std::string& at);
  Result<void> add_result(std::string_view id, const std::string& at);
  void add_other() { results_come_first_ = false; }

  /// After the last message.
  Result<void> finish() const;

 private:
  std::set<std::string_view> seen_;
  std::vector<std::string_view> calls_;        ///< Of the assistant's last turn,
  std::map<std::string_view, bool> answered_;  ///< and which of them have a result.
  Role role_ = Role::user;
  bool results_come_first_ = false;  ///< The user's turn has nothing but results so far.
  std::size_t message_ = 0;          ///< That is being read.
  std::size_t calls_message_ = 0;    ///< That holds the first of `calls_`.
};

}  // namespace craton::families
