// An answer that somebody declared: words, vectors, scores, pictures, what goes wrong with it, when
// it comes. docs/script.md describes it.
//
// Immutable once read: any function may be called from any thread.
#pragma once

#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "conversation/event.h"
#include "engines/faults/fault.h"
#include "engines/request.h"
#include "engines/rules/template.h"
#include "engines/rules/value.h"
#include "engines/script/declared_media.h"

namespace craton::engines::script {

/// When an answer's tokens come. All zero: at once.
struct Pacing {
  Milliseconds first_token{0};
  double tokens_per_second = 0;  ///< 0: no limit.
  int tokens_per_event = 1;      ///< Of a stream.
  double jitter = 0;             ///< Each step is longer or shorter by up to this part of it.
};

struct SaidText {
  rules::Template text;
};
struct SaidJson {
  rules::JsonTemplate json;
};
struct ThoughtText {
  rules::Template text;
};
struct ToolCall {
  std::string name;
  std::string id;             ///< Empty: one is made.
  rules::JsonTemplate input;  ///< An object
};
using SaidBlock = std::variant<SaidText, SaidJson, ThoughtText, ToolCall>;

/// Numbers that were declared; the others are counted.
struct DeclaredUsage {
  std::optional<int> input_tokens;
  std::optional<int> output_tokens;
  std::optional<int> cache_read_tokens;
  std::optional<int> cache_write_tokens;
};

/// The kinds of requests that an answer, or each answer of a rule, is one to.
class Gives {
 public:
  static Gives all() {
    Gives gives;
    gives.kinds_.set();
    return gives;
  }
  void set(Wanted wanted, bool given) { kinds_.set(static_cast<std::size_t>(wanted), given); }
  bool has(Wanted wanted) const { return kinds_.test(static_cast<std::size_t>(wanted)); }
  bool none() const { return kinds_.none(); }
  Gives& operator&=(const Gives& other) {
    kinds_ &= other.kinds_;
    return *this;
  }

 private:
  std::bitset<4> kinds_;
};

struct DeclaredAnswer {
  std::vector<SaidBlock> content;
  std::optional<DeclaredVectors> vectors;
  std::optional<std::vector<float>> scores;  ///< Of documents, in their order.
  std::optional<DeclaredPictures> pictures;
  Gives gives;
  StopReason stop_reason = StopReason::end_turn;
  std::optional<std::string> stop_sequence;
  DeclaredUsage usage;
  Pacing pacing;
  std::vector<std::shared_ptr<const faults::Fault>> faults;  ///< That strike this answer.
};

/// Fail with `validation`: file, line, what is wrong, what was meant.
Result<Pacing> read_pacing(const rules::Source& source, const rules::Value& value);

/// `pacing`: where the answer has none of its own.
Result<DeclaredAnswer> read_answer(const rules::Source& source, const rules::Value& value,
                                   const Pacing& pacing);

}  // namespace craton::engines::script
