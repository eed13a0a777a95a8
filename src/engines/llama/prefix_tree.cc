#include "engines/llama/prefix_tree.h"

#include <algorithm>
#include <utility>

namespace craton::engines::llama {

struct PrefixTree::Node {
  Node* parent = nullptr;
  int begin = 0;  ///< How many tokens stand before it.
  std::vector<Token> tokens;
  std::vector<std::unique_ptr<Node>> children;
  std::vector<int> ends;  ///< Sequences whose last token is its last.
  int holders = 0;        ///< Sequences that hold it: of `ends`, and of the children.
  int pins = 0;           ///< Pinned ones among them.

  int size() const { return static_cast<int>(tokens.size()); }
  int end() const { return begin + size(); }
};

int common_length(std::span<const Token> a, std::span<const Token> b) {
  return static_cast<int>(std::ranges::mismatch(a, b).in1 - a.begin());
}

PrefixTree::PrefixTree(int sequences)
    : root_(std::make_unique<Node>()), sequences_(static_cast<std::size_t>(sequences)) {}

// A node at a time: a chain of them may be as long as a context.
PrefixTree::~PrefixTree() {
  std::vector<std::unique_ptr<Node>> left = std::move(root_->children);
  while (!left.empty()) {
    std::unique_ptr<Node> node = std::move(left.back());
    left.pop_back();
    std::ranges::move(node->children, std::back_inserter(left));
  }
}

PrefixTree::Match PrefixTree::longest(std::span<const Token> tokens) const {
  Match best;
  std::vector<const Node*> left{root_.get()};  // whose tokens all match
  while (!left.empty()) {
    const Node* node = left.back();
    left.pop_back();
    for (const auto& child : node->children) {
      const int common = common_length(child->tokens, tokens.subspan(node->end()));
      if (common == 0) continue;
      const int length = child->begin + common;
      const Node* pinned = child.get();
      while (pinned->pins == 0 && pinned->parent) pinned = pinned->parent;
      const int pinned_length = std::min(pinned->end(), length);
      if (std::pair(length, pinned_length) > std::pair(best.length, best.pinned)) {
        const Node* holder = child.get();
        while (holder->ends.empty()) holder = holder->children.front().get();
        best = {holder->ends.front(), length, pinned_length};
      }
      if (common == child->size()) left.push_back(child.get());
    }
  }
  return best;
}

std::optional<int> PrefixTree::take() {
  const auto unused = std::ranges::find(sequences_, nullptr, &Sequence::end);
  if (unused == sequences_.end()) return std::nullopt;
  *unused = {.end = root_.get(), .pinned = true};
  const auto sequence = static_cast<int>(unused - sequences_.begin());
  root_->ends.push_back(sequence);
  return sequence;
}

void PrefixTree::give_back(int sequence) {
  keep(sequence, 0);
  std::erase(root_->ends, sequence);
  sequences_[sequence] = {};
}

/// The tokens of `node` up to `length` (of the whole sequence) become a node of their own.
PrefixTree::Node* PrefixTree::split(Node& node, int length) {
  if (length == node.end()) return &node;
  const int size = length - node.begin;
  auto upper = std::make_unique<Node>();
  upper->parent = node.parent;
  upper->begin = node.begin;
  upper->tokens.assign(node.tokens.begin(), node.tokens.begin() + size);
  upper->holders = node.holders;
  upper->pins = node.pins;
  node.tokens.erase(node.tokens.begin(), node.tokens.begin() + size);
  node.begin = length;
  Node* made = upper.get();
  const auto place = std::ranges::find(node.parent->children, &node, &std::unique_ptr<Node>::get);
  upper->children.push_back(std::exchange(*place, nullptr));
  *place = std::move(upper);
  node.parent = made;
  return made;
}

/// `sequence`, which ended with `node`'s parent, ends with `node`.
void PrefixTree::arrive(Node& node, int sequence) {
  if (node.parent) std::erase(node.parent->ends, sequence);
  node.ends.push_back(sequence);
  ++node.holders;
  if (sequences_[sequence].pinned && node.pins++ == 0) pinned_ += node.size();
  sequences_[sequence].end = &node;
}

/// `sequence`, which ended with `node`, ends with its parent. A node that nobody holds is no more.
void PrefixTree::leave(Node& node, int sequence) {
  Node& parent = *node.parent;
  std::erase(node.ends, sequence);
  parent.ends.push_back(sequence);
  sequences_[sequence].end = &parent;
  if (sequences_[sequence].pinned && --node.pins == 0) pinned_ -= node.size();
  if (--node.holders > 0) return join_with_only_child(node);
  cells_ -= node.size();
  std::erase_if(parent.children, [&](const auto& child) { return child.get() == &node; });
}

/// Where nobody ends and nothing forks, two nodes are one: else chains of short ones would grow.
void PrefixTree::join_with_only_child(Node& node) {
  if (!node.parent || !node.ends.empty() || node.children.size() != 1) return;
  std::unique_ptr<Node> child = std::move(node.children.front());
  child->tokens.insert(child->tokens.begin(), node.tokens.begin(), node.tokens.end());
  child->begin = node.begin;
  child->parent = node.parent;
  const auto place = std::ranges::find(node.parent->children, &node, &std::unique_ptr<Node>::get);
  *place = std::move(child);  // the last of `node`
}

void PrefixTree::share(int from, int to, int length) {
  Node* node = sequences_[from].end;
  while (node->begin >= length && node->parent) node = node->parent;
  if (!node->parent) return;
  std::erase(root_->ends, to);
  Node* end = split(*node, std::min(length, node->end()));
  end->ends.push_back(to);
  sequences_[to].end = end;
  for (Node* above = end; above->parent; above = above->parent) {
    ++above->holders;
    if (sequences_[to].pinned && above->pins++ == 0) pinned_ += above->size();
  }
}

void PrefixTree::append(int sequence, std::span<const Token> tokens) {
  Node* end = sequences_[sequence].end;
  if (tokens.empty()) return;
  if (!end->parent || end->holders > 1) {
    auto child = std::make_unique<Node>();
    child->parent = end;
    child->begin = end->end();
    end->children.push_back(std::move(child));
    Node& made = *end->children.back();
    arrive(made, sequence);
    end = &made;
  }
  end->tokens.insert(end->tokens.end(), tokens.begin(), tokens.end());
  cells_ += static_cast<int>(tokens.size());
  if (end->pins > 0) pinned_ += static_cast<int>(tokens.size());
}

void PrefixTree::keep(int sequence, int length) {
  while (sequences_[sequence].end->end() > length) {
    Node* end = sequences_[sequence].end;
    if (end->begin < length) split(*end, length);  // `end` is what goes
    leave(*end, sequence);
  }
}

void PrefixTree::unpin(int sequence) {
  if (!std::exchange(sequences_[sequence].pinned, false)) return;
  for (Node* node = sequences_[sequence].end; node->parent; node = node->parent) {
    if (--node->pins == 0) pinned_ -= node->size();
  }
  touch(sequence);
}

void PrefixTree::touch(int sequence) { sequences_[sequence].used = ++clock_; }

std::optional<int> PrefixTree::oldest_unpinned() const {
  std::optional<int> oldest;
  for (std::size_t i = 0; i < sequences_.size(); ++i) {
    const Sequence& sequence = sequences_[i];
    if (!sequence.end || sequence.pinned) continue;
    if (!oldest || sequence.used < sequences_[*oldest].used) oldest = static_cast<int>(i);
  }
  return oldest;
}

int PrefixTree::length(int sequence) const { return sequences_[sequence].end->end(); }

int PrefixTree::exclusive(int sequence) const {
  int cells = 0;
  for (const Node* node = sequences_[sequence].end; node->parent && node->holders == 1;
       node = node->parent) {
    cells += node->size();
  }
  return cells;
}

}  // namespace craton::engines::llama
