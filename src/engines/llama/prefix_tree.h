// PrefixTree: which tokens the KV cache holds, for which sequences, and what they share.
//
//   root ─ "You are a helpful" ─┬─ " assistant. What is" ── sequence 0
//                               ├─ " pirate. Where are" ─┬─ " you?"   ── sequence 1
//                               │                        └─ " we?"    ── sequence 3
//                               └─ (ends here)                        ── sequence 2
//
// A radix tree: what sequences have in common by reference stands once, as it does in the cache.
// Two that computed the same tokens each for itself stand side by side.
//
// Sequences that are pinned are being answered. The others are kept for those who come with the
// same beginning, until their cells are needed: oldest_unpinned() first.
//
// Only says what is held; whoever changes the cache tells it. No threads, no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engines/llama/decoder.h"

namespace craton::engines::llama {

/// How many tokens the two begin with in common.
int common_length(std::span<const Token> a, std::span<const Token> b);

class PrefixTree {
 public:
  /// For sequences 0 to `sequences` - 1, all of them unused.
  explicit PrefixTree(int sequences);
  ~PrefixTree();

  struct Match {
    int sequence = -1;  ///< Holds the tokens, and perhaps more. -1: nobody holds the first one.
    int length = 0;     ///< Of the common beginning, tokens.
    int pinned = 0;     ///< How many of those a pinned sequence holds too.
  };
  /// The longest beginning of `tokens` that is held.
  Match longest(std::span<const Token> tokens) const;

  /// An unused sequence, pinned from now on; nullopt when all are in use.
  std::optional<int> take();
  /// `sequence` holds nothing and becomes unused.
  void give_back(int sequence);

  /// `to`, which holds nothing, holds the first `length` tokens of `from` as well.
  void share(int from, int to, int length);
  /// `sequence` holds `tokens` behind what it held.
  void append(int sequence, std::span<const Token> tokens);
  /// `sequence` holds no more than its first `length` tokens.
  void keep(int sequence, int length);

  /// Unpinned, it is the newest of those that may go.
  void unpin(int sequence);
  /// Marks an unpinned one as the newest: somebody had a use for it.
  void touch(int sequence);
  std::optional<int> oldest_unpinned() const;

  int length(int sequence) const;
  /// Cells that nobody else holds, all at its end: what keep(sequence, 0) would free.
  int exclusive(int sequence) const;

  int cells() const { return cells_; }          ///< Held by anybody.
  int pinned_cells() const { return pinned_; }  ///< Held by a pinned sequence.

 private:
  struct Node;
  struct Sequence {
    Node* end = nullptr;  ///< The last node of its tokens; null: unused.
    bool pinned = false;
    std::uint64_t used = 0;
  };

  Node* split(Node& node, int length);
  void leave(Node& node, int sequence);
  void arrive(Node& node, int sequence);
  void join_with_only_child(Node& node);

  std::unique_ptr<Node> root_;
  std::vector<Sequence> sequences_;
  std::uint64_t clock_ = 0;
  int cells_ = 0;
  int pinned_ = 0;
};

}  // namespace craton::engines::llama
