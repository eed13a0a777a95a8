// Grammar: which texts an answer may be, byte by byte.
//
//   schema_grammar.h ──► GrammarBuilder ──► Grammar ──► Matcher: may these bytes come next?
//
// A context-free grammar whose terminals are sets of bytes. What a caller can ask for is bounded on
// every side: the grammar's size when it is built (a recursion that never ends or never begins is
// refused), the readings that are followed at once and their depth while it is matched. Past such a
// bound readings are dropped: what is still allowed then fits the grammar as much as before.
// llama.cpp's own grammars know no such bounds (two alternatives that look alike double the work
// with each nested level) and end the process when an answer ends too early.
//
// No I/O, no globals. A Grammar may be shared by threads, a Matcher may not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::engines::llama {

/// A set of bytes.
class ByteSet {
 public:
  constexpr ByteSet() = default;

  /// The bytes from `first` to `last`, both included.
  static constexpr ByteSet range(unsigned char first, unsigned char last) {
    ByteSet set;
    for (unsigned byte = first; byte <= last; ++byte) set.add(static_cast<unsigned char>(byte));
    return set;
  }
  static constexpr ByteSet of(std::string_view bytes) {
    ByteSet set;
    for (const char byte : bytes) set.add(static_cast<unsigned char>(byte));
    return set;
  }

  constexpr void add(unsigned char byte) { words_[byte / 64] |= std::uint64_t{1} << (byte % 64); }
  constexpr void remove(unsigned char byte) {
    words_[byte / 64] &= ~(std::uint64_t{1} << (byte % 64));
  }
  constexpr bool has(unsigned char byte) const { return words_[byte / 64] >> (byte % 64) & 1; }
  constexpr bool empty() const { return *this == ByteSet(); }

  friend constexpr ByteSet operator|(ByteSet a, const ByteSet& b) {
    for (std::size_t i = 0; i < 4; ++i) a.words_[i] |= b.words_[i];
    return a;
  }
  friend constexpr bool operator==(const ByteSet&, const ByteSet&) = default;

 private:
  std::array<std::uint64_t, 4> words_{};
};

/// A rule of a grammar that is being built, or the root of a finished one.
using RuleId = std::uint32_t;

/// One step of an alternative: `times` of a rule, or one byte of a set.
struct GrammarElement {
  enum class Kind : std::uint8_t { bytes, rule, end };

  Kind kind = Kind::end;
  std::uint32_t index = 0;  ///< Of the set or the rule.
  std::uint32_t least = 1;  ///< Times; a set is always there once.
  std::uint32_t most = 1;
};

class Grammar {
 public:
  /// No bound on how often an element may be repeated.
  static constexpr std::uint32_t unbounded = 0xFFFFFFFF;

 private:
  friend class GrammarBuilder;
  friend class Matcher;

  std::vector<ByteSet> sets_;
  std::vector<GrammarElement> elements_;  ///< Of all alternatives, each closed by an `end`.
  std::vector<std::vector<std::uint32_t>> rules_;  ///< Where each rule's alternatives begin.
};

/// A grammar, and which of its rules a text has to follow.
struct GrammarRoot {
  std::shared_ptr<const Grammar> grammar;
  RuleId rule;
};

/// A sequence of elements, of which an alternative is made.
class Sequence {
 public:
  Sequence& literal(std::string_view text);
  Sequence& bytes(const ByteSet& set);
  Sequence& rule(RuleId rule) { return repeated(rule, 1, 1); }
  Sequence& optional(RuleId rule) { return repeated(rule, 0, 1); }
  Sequence& repeated(RuleId rule, std::uint32_t least, std::uint32_t most);

 private:
  friend class GrammarBuilder;

  struct Step {
    ByteSet set;
    GrammarElement element;
  };
  std::vector<Step> steps_;
};

class GrammarBuilder {
 public:
  /// Most elements of all rules together: what one request may make the engine hold.
  static constexpr std::size_t elements_max = 200'000;

  /// A rule without alternatives; it may be used before it has any.
  RuleId rule();

  void add(RuleId rule, const Sequence& alternative);

  /// A rule of one alternative.
  RuleId rule(const Sequence& only);

  /// True once `elements_max` is passed: stop building, finish() will refuse.
  bool full() const { return grammar_.elements_.size() > elements_max; }

  /// Fails with `validation` when the grammar is too large, when a rule begins with itself or
  /// repeats what may be nothing, or when one can never come to an end.
  Result<std::shared_ptr<const Grammar>> finish();

 private:
  Result<void> check() const;
  std::vector<char> rules_that_may_be_empty() const;
  bool every_rule_ends() const;
  bool some_rule_begins_with_itself(const std::vector<char>& empty) const;

  Grammar grammar_;
};

/// Follows one text through a grammar.
class Matcher {
 public:
  /// Readings of the text that are followed at once.
  static constexpr std::size_t readings_max = 128;
  /// How deep rules may be within rules.
  static constexpr std::uint32_t depth_max = 400;

  explicit Matcher(const GrammarRoot& root);

  /// True when the text may go on with `bytes`, or, where it must end within them, with as many of
  /// them as there is room for.
  bool allows_some(std::string_view bytes) const;

  /// True when the text may go on with `bytes`. Nothing is always allowed.
  bool allows(std::string_view bytes) const;

  /// Goes on with `bytes`. False when they are not allowed; nothing is allowed from then on.
  bool advance(std::string_view bytes);

  /// The text may end here.
  bool may_end() const { return may_end_; }
  /// The text must end here: nothing is allowed after it.
  bool must_end() const { return readings_.empty(); }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  /// What comes after the rule that is being read.
  struct Return {
    std::uint32_t element;
    std::uint32_t parent;  ///< Index of a Return; none: the text ends.
    std::uint32_t count;   ///< How often the element, a repeated rule, has been begun.
    std::uint32_t depth;
  };
  /// The next byte must be one of the set that `element` names.
  struct Reading {
    std::uint32_t element;
    std::uint32_t parent;

    friend auto operator<=>(const Reading&, const Reading&) = default;
  };
  struct Step;
  enum class Tail { refused, ignored };

  bool leads_on(std::string_view bytes, Tail tail) const;
  void step(unsigned char byte, std::vector<Reading>& readings, bool& may_end) const;
  void compact();

  std::shared_ptr<const Grammar> grammar_;
  mutable std::vector<Return> returns_;  ///< Grows while allows() looks ahead, and shrinks again.
  std::vector<Reading> readings_;
  bool may_end_ = false;
};

}  // namespace craton::engines::llama
