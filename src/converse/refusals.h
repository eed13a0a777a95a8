// The sentences that Converse's rules share.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/result.h"
#include "families/attachments.h"

namespace craton::converse {

inline Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

inline Error refused_by_model(std::string_view message) {
  return refused("The model returned the following errors: " + std::string(message));
}

/// `field`: "toolConfig.toolChoice.any".
inline Error unsupported(std::string_view field) {
  const std::string name(field);
  return refused("This model doesn't support the " + name + " field. Remove " + name +
                 " and try again.");
}

using families::unsupported_block;

/// `place`: of a document (any JSON) that has to be an object.
inline Error no_object(std::string_view place) {
  return refused("The format of the value at " + std::string(place) +
                 " is invalid. Provide a json object for the field and try again.");
}

inline Error blank_text(std::string_view block, std::string_view place) {
  return refused("The text field in the " + std::string(block) + " object at " +
                 std::string(place) + " is blank. Add text to the text field, and try again.");
}

/// True for a text of nothing but blanks, or of nothing.
inline bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == text.npos;
}

}  // namespace craton::converse
