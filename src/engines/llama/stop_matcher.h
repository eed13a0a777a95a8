// Finds the first of many stop sequences in text that arrives byte by byte, in time that does not
// grow with their number (Aho and Corasick, 1975).
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace craton::engines::llama {

class StopMatcher {
 public:
  /// All sequences together, bytes: what one request may make the engine hold for them (24 times as
  /// much). Anthropic's limit of 8191 sequences fits at 32 bytes each.
  static constexpr std::size_t bytes_max = 256 * 1024;

  /// `sequences`: bytes_max together at most. Empty ones match nothing.
  explicit StopMatcher(std::span<const std::string> sequences);

  bool empty() const { return nodes_.size() == 1; }

  /// Takes the next byte of the text.
  void step(char byte);

  /// How many bytes at the end of the text so far may be the beginning of a sequence.
  std::size_t held() const { return nodes_[state_].depth; }

  /// Index of the sequence that ends with the last byte; the longest, when several do.
  std::optional<std::size_t> match() const;

 private:
  using Index = std::uint32_t;
  static constexpr Index none =
      0;  // the root is nobody's child and, as a row of `match`, no sequence

  struct Node {
    Index first_child = none;
    Index next_sibling = none;
    Index fallback = 0;  ///< The longest proper suffix that also begins a sequence.
    Index match = none;  ///< 1 + index of the longest sequence that ends here.
    std::uint32_t depth = 0;
    char byte = 0;
  };

  Index child(Index node, char byte) const;
  Index next(Index node, char byte) const;
  void insert(const std::string& sequence, Index match);
  void link();

  std::vector<Node> nodes_{1};
  Index state_ = 0;
};

}  // namespace craton::engines::llama
