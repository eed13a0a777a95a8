#include "engines/llama/text_assembler.h"

#include <utility>

namespace craton::engines::llama {
namespace {

// The text that is searched is mended, so what is searched for must be.
std::vector<std::string> mended(const std::vector<std::string>& sequences) {
  std::vector<std::string> all;
  all.reserve(sequences.size());
  for (const std::string& sequence : sequences) all.push_back(mended_utf8(sequence));
  return all;
}

}  // namespace

TextAssembler::TextAssembler(std::vector<std::string> stop_sequences)
    : stop_sequences_(mended(stop_sequences)), matcher_(stop_sequences_) {}

std::string TextAssembler::add(std::string_view bytes) {
  std::string text;
  mender_.add(bytes, text);
  return release(text);
}

std::string TextAssembler::finish() {
  mender_ = {};
  return stopped_by_ ? std::string() : std::exchange(held_, {});
}

const std::string* TextAssembler::stopped_by() const {
  return stopped_by_ ? &stop_sequences_[*stopped_by_] : nullptr;
}

std::string TextAssembler::release(std::string_view text) {
  if (stopped_by_) return {};
  if (matcher_.empty()) return std::string(text);
  for (const char byte : text) {
    held_ += byte;
    matcher_.step(byte);
    stopped_by_ = matcher_.match();
    if (!stopped_by_) continue;
    held_.resize(held_.size() - stop_sequences_[*stopped_by_].size());
    return std::exchange(held_, {});
  }
  const std::size_t safe = held_.size() - matcher_.held();
  std::string ready = held_.substr(0, safe);
  held_.erase(0, safe);
  return ready;
}

}  // namespace craton::engines::llama
