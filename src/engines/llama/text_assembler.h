// From a model's bytes to the text that a caller may see.
//
//   bytes of one token ──► whole characters ──► nothing that may begin a stop sequence ──► text
//
// Text is given out as soon as it is safe: never half a character, never a part of a stop sequence.
// The first stop sequence to be complete ends the text before it; when two are complete at the same
// byte, the longer one. The same bytes give the same text and the same stop sequence however they
// are cut.
//
// No I/O, no globals.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "engines/llama/stop_matcher.h"

namespace craton::engines::llama {

class TextAssembler {
 public:
  /// `stop_sequences`: StopMatcher::bytes_max together at most. Empty ones stop nothing.
  explicit TextAssembler(std::vector<std::string> stop_sequences = {});

  /// Takes the next bytes. Returns the text that became safe; nothing after a stop.
  std::string add(std::string_view bytes);

  /// The answer has ended: returns the text that was held back. A character that is not complete
  /// was cut by the limit of tokens, and is left out.
  std::string finish();

  /// The stop sequence that ended the text, as the caller wrote it.
  const std::string* stopped_by() const;

 private:
  std::string release(std::string_view text);

  std::vector<std::string> stop_sequences_;
  StopMatcher matcher_;
  Utf8Mender mender_;
  std::string held_;  ///< May be the beginning of a stop sequence.
  std::optional<std::size_t> stopped_by_;
};

}  // namespace craton::engines::llama
