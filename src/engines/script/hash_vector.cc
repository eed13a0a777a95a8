#include "engines/script/hash_vector.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/fnv.h"
#include "base/utf8.h"

namespace craton::engines::script {
namespace {

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

/// What features add up to.
class Sum {
 public:
  explicit Sum(int dimension) : numbers_(static_cast<std::size_t>(dimension)) {}

  /// Adds to four numbers, times `times`: each is chosen by 15 bits of the hash, and one is a sign.
  void add(std::string_view feature, float weight, int times = 1) {
    std::uint64_t bits = fnv1a(feature);
    for (int i = 0; i < times; ++i) {
      bits = stirred(bits);
      for (std::uint64_t rest = bits, k = 0; k < 4; ++k, rest >>= 16) {
        const std::size_t place = ((rest >> 1 & 0x7FFF) * numbers_.size()) >> 15;
        numbers_[place] += rest & 1 ? weight : -weight;
      }
    }
  }

  /// `marked`: a word between marks, which belong to its runs.
  void add_word(std::string_view marked) {
    constexpr float of_word = 4;
    // Korean words come again with other endings, and endings with other words.
    constexpr float of_pair = 3;
    add(marked, of_word);
    if (std::ranges::all_of(marked, is_ascii)) {
      for (std::size_t i = 0; i + 3 <= marked.size(); ++i) add(marked.substr(i, 3), 1);
      return;
    }
    std::size_t first = 0;  // of the two characters that a run has
    std::size_t second = 0;
    for (std::size_t i = 1; i < marked.size(); ++i) {
      if (!begins_character(marked[i])) continue;
      if (second > first) add(marked.substr(first, i - first), of_pair);
      first = std::exchange(second, i);
    }
  }

  /// Of length 1. `otherwise` decides where everything has cancelled out, or there was nothing.
  std::vector<float> unit(std::string_view otherwise) {
    double sum = 0;
    for (const float number : numbers_) sum += double{number} * number;
    if (sum == 0) {
      numbers_[stirred(fnv1a(otherwise)) % numbers_.size()] = 1;
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
  std::string marked = "^";
  const auto end_word = [&] {
    if (marked.size() == 1) return;
    marked += '$';
    sum.add_word(marked);
    marked.resize(1);
  };
  for (const char c : text) {
    const char letter = lowered(c);
    in_word(letter) ? (void)(marked += letter) : end_word();
  }
  end_word();
}

}  // namespace

std::vector<float> hash_vector(const EmbeddingItem& item, int dimension) {
  constexpr int image_times = 16;
  Sum sum(dimension);
  if (item.text) add_words(*item.text, sum);
  if (item.image) sum.add(item.image->bytes, 4, image_times);
  return sum.unit(item.text ? std::string_view(*item.text) : std::string_view());
}

}  // namespace craton::engines::script
