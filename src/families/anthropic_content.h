// Anthropic Messages: content blocks and the turns that they make.
//
// No I/O.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "families/anthropic_calls.h"
#include "families/attachments.h"
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

/// Reads `system` and `messages` into a Conversation.
class AnthropicContentReader {
 public:
  /// `model_id` outlives the reader.
  AnthropicContentReader(std::string_view model_id, Conversation& conversation)
      : conversation_(conversation), attachments_(anthropic_attachments, model_id) {}

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
  Attachments attachments_;
};

}  // namespace craton::families
