#include "engines/llama/thought_splitter.h"

#include <algorithm>
#include <utility>

#include "engines/llama/call_form.h"

namespace craton::engines::llama {
namespace {

constexpr std::string_view blanks = " \n\r\t";

std::size_t blanks_before(std::string_view text) {
  return std::min(text.find_first_not_of(blanks), text.size());
}

/// How many bytes at the end of `text` are blanks, or may be: blanks and the beginning of `tag`.
std::size_t held_at_end(std::string_view text, std::string_view tag) {
  std::size_t tail = std::min(text.size(), tag.size() - 1);
  while (tail > 0 && !tag.starts_with(text.substr(text.size() - tail))) --tail;
  const std::size_t last = text.substr(0, text.size() - tail).find_last_not_of(blanks);
  return text.size() - (last == text.npos ? 0 : last + 1);
}

}  // namespace

ThoughtSplitter::Parts ThoughtSplitter::add(std::string_view bytes) {
  Parts parts;
  held_ += bytes;
  for (State before = State::answer; before != state_;) {
    before = state_;
    look(parts);
  }
  return parts;
}

void ThoughtSplitter::look(Parts& parts) {
  switch (state_) {
    case State::before: {
      const std::string_view rest = std::string_view(held_).substr(blanks_before(held_));
      if (rest.starts_with(thought_open)) {
        held_ = rest.substr(thought_open.size());
        state_ = State::thought;
      } else if (!thought_open.starts_with(rest)) {
        state_ = State::answer;
      }
      return;
    }
    case State::thought: {
      if (!begun_) held_.erase(0, blanks_before(held_));
      begun_ = begun_ || !held_.empty();
      const std::size_t close = held_.find(thought_close);
      std::string_view thought = std::string_view(held_).substr(0, close);
      thought.remove_suffix(held_at_end(thought, close == held_.npos ? thought_close : "<"));
      parts.thought += thought;
      held_.erase(0, close == held_.npos ? thought.size() : close + thought_close.size());
      if (close != std::string::npos) state_ = State::behind;
      return;
    }
    case State::behind:
      held_.erase(0, blanks_before(held_));
      if (!held_.empty()) state_ = State::answer;
      return;
    case State::answer: parts.answer += std::exchange(held_, {}); return;
  }
}

bool ThoughtSplitter::may_open(std::string_view bytes) const {
  if (state_ != State::before) return false;
  const std::string ahead = held_ + std::string(bytes);
  const std::string_view rest = std::string_view(ahead).substr(blanks_before(ahead));
  return thought_open.starts_with(rest) || rest.starts_with(thought_open);
}

ThoughtSplitter::Parts ThoughtSplitter::finish() {
  Parts parts;
  if (state_ == State::thought) {
    parts.thought = std::exchange(held_, {});
  } else {
    parts.answer = std::exchange(held_, {});
  }
  return parts;
}

}  // namespace craton::engines::llama
