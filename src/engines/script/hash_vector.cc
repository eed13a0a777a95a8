#include "engines/script/hash_vector.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace craton::engines::script {
namespace {

/// FNV-1a, 64 bits. Source: draft-eastlake-fnv.
std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  }
  return hash;
}

/// Source: splitmix64.
std::uint64_t stirred(std::uint64_t bits) {
  bits += 0x9E3779B97F4A7C15u;
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
  return bits ^ bits >> 31;
}

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool in_word(char c) { return !is_ascii(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

class Sum {
 public:
  explicit Sum(int dimension) : numbers_(static_cast<std::size_t>(dimension)) {}

  void add(std::string_view feature, float weight, int places) {
    std::uint64_t bits = hash_of(feature);
    for (int i = 0; i < places; ++i) {
      bits = stirred(bits);
      numbers_[(bits >> 1) % numbers_.size()] += bits & 1 ? weight : -weight;
    }
  }

  void add_word(std::string_view word) {
    constexpr int places = 4;
    constexpr float of_word = 4;
    add(word, of_word, places);
    const std::size_t run = std::ranges::all_of(word, is_ascii) ? 3 : 2;
    const std::string marked = "^" + std::string(word) + "$";
    std::vector<std::size_t> begins;  // of the last characters, and of the next
    for (std::size_t i = 0; i <= marked.size(); ++i) {
      if (i < marked.size() && !begins_character(marked[i])) continue;
      if (begins.size() == run) {
        add(std::string_view(marked).substr(begins.front(), i - begins.front()), 1, places);
        begins.erase(begins.begin());
      }
      begins.push_back(i);
    }
  }

  /// Of length 1. `otherwise` decides where everything has cancelled out, or there was nothing.
  std::vector<float> unit(std::string_view otherwise) {
    double sum = 0;
    for (const float number : numbers_) sum += double{number} * number;
    if (sum == 0) {
      numbers_[stirred(hash_of(otherwise)) % numbers_.size()] = 1;
      return std::move(numbers_);
    }
    const double length = std::sqrt(sum);
    for (float& number : numbers_) number = static_cast<float>(number / length);
    return std::move(numbers_);
  }

 private:
  std::vector<float> numbers_;
};

void add_words(std::string_view text, Sum& sum) {
  std::string word;
  for (const char c : text) {
    const char letter = lowered(c);
    if (in_word(letter)) {
      word += letter;
    } else if (!word.empty()) {
      sum.add_word(word);
      word.clear();
    }
  }
  if (!word.empty()) sum.add_word(word);
}

}  // namespace

std::vector<float> hash_vector(const EmbeddingItem& item, int dimension) {
  constexpr int image_places = 64;
  Sum sum(dimension);
  if (item.text) add_words(*item.text, sum);
  if (item.image) sum.add(item.image->bytes, 4, image_places);
  return sum.unit(item.text ? std::string_view(*item.text) : std::string_view());
}

}  // namespace craton::engines::script
