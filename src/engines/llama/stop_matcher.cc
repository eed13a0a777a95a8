#include "engines/llama/stop_matcher.h"

namespace craton::engines::llama {

StopMatcher::StopMatcher(std::span<const std::string> sequences) {
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    if (!sequences[i].empty()) insert(sequences[i], static_cast<Index>(i + 1));
  }
  link();
}

StopMatcher::Index StopMatcher::child(Index node, char byte) const {
  Index at = nodes_[node].first_child;
  while (at != none && nodes_[at].byte != byte) at = nodes_[at].next_sibling;
  return at;
}

/// From `node`, or from the longest of its suffixes that goes on with `byte`.
StopMatcher::Index StopMatcher::next(Index node, char byte) const {
  for (;;) {
    if (const Index found = child(node, byte); found != none) return found;
    if (node == 0) return 0;
    node = nodes_[node].fallback;
  }
}

void StopMatcher::insert(const std::string& sequence, Index match) {
  Index at = 0;
  for (const char byte : sequence) {
    Index down = child(at, byte);
    if (down == none) {
      down = static_cast<Index>(nodes_.size());
      nodes_.push_back(
          {.next_sibling = nodes_[at].first_child, .depth = nodes_[at].depth + 1, .byte = byte});
      nodes_[at].first_child = down;
    }
    at = down;
  }
  if (nodes_[at].match == none) nodes_[at].match = match;  // of equal sequences the first
}

void StopMatcher::link() {
  std::vector<Index> order{0};  // breadth first: a fallback is always shorter, so linked before
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Index parent = order[i];
    for (Index at = nodes_[parent].first_child; at != none; at = nodes_[at].next_sibling) {
      Node& node = nodes_[at];
      node.fallback = parent == 0 ? 0 : next(nodes_[parent].fallback, node.byte);
      if (node.match == none) node.match = nodes_[node.fallback].match;
      order.push_back(at);
    }
  }
}

void StopMatcher::step(char byte) { state_ = next(state_, byte); }

std::optional<std::size_t> StopMatcher::match() const {
  const Index found = nodes_[state_].match;
  if (found == none) return std::nullopt;
  return found - 1;
}

}  // namespace craton::engines::llama
