// Anthropic Messages: content blocks and the turns that they make.
//
// A call of a tool is answered at the beginning of the user's next turn, all calls of a turn
// together; the order is checked here, in Anthropic's words.
//
// No I/O.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "families/schema.h"

namespace craton::families {

inline constexpr std::string_view anthropic_cache_types[] = {"ephemeral"};
inline constexpr Schema anthropic_cache_type_schema{.type = JsonType::string,
                                                    .values = anthropic_cache_types};
inline constexpr std::string_view anthropic_cache_ttls[] = {"5m", "1h"};
inline constexpr Schema anthropic_cache_ttl_schema{.type = JsonType::string,
                                                   .values = anthropic_cache_ttls};
inline constexpr Property anthropic_cache_control_properties[] = {
    {"type", &anthropic_cache_type_schema, Presence::required},
    {"ttl", &anthropic_cache_ttl_schema}};
inline constexpr Schema anthropic_cache_control_schema{
    .type = JsonType::object, .properties = anthropic_cache_control_properties};

extern const Schema anthropic_system_schema;    ///< Of `system`: a string or text blocks.
extern const Schema anthropic_messages_schema;  ///< Of `messages`.

/// Holds calls of tools against their results, in the order of the blocks.
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

/// Reads `system` and `messages` into a Conversation.
class AnthropicContentReader {
 public:
  explicit AnthropicContentReader(Conversation& conversation) : conversation_(conversation) {}

  /// Both fit the schemas above.
  Result<void> read_system(const json::value& system);
  Result<void> read_messages(const json::array& messages);

 private:
  Result<void> read_message(const json::object& message, std::size_t index, bool is_last);
  Result<void> read_blocks(const json::array& blocks, Turn& turn, std::size_t message);
  Result<void> read_block(const json::object& block, Turn& turn, const std::string& at);
  Result<ToolResultBlock> read_result(const json::object& block, const std::string& at);

  Conversation& conversation_;
  AnthropicCalls calls_;
};

}  // namespace craton::families
