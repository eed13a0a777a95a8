// What all native replies are written with.
//
// No I/O.
#pragma once

#include <string>
#include <string_view>

#include "families/family.h"

namespace craton::families {

/// Appends `text` as a JSON string, quotes included. A byte that is no UTF-8 becomes U+FFFD:
/// engines promise whole characters, and a reply must be JSON even if one breaks its promise.
void append_reply_text(std::string_view text, std::string& out);

/// Appends a call's input as a JSON object: `{}` where a cut or broken one is none.
void append_tool_input(std::string_view input, std::string& out);

/// An answer's text behind the request's lead; as it is when it begins with a blank anyway, or is
/// empty.
std::string led_text(const NativeRequest& request, const Answer& answer);

/// The same for the text of a streamed answer, as it comes.
class Lead {
 public:
  explicit Lead(std::string_view lead) : lead_(lead) {}

  /// What belongs before `text`, the answer's next.
  std::string_view before(std::string_view text);

 private:
  std::string_view lead_;  ///< Empty once it was given.
};

}  // namespace craton::families
