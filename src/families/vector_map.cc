#include "families/vector_map.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numbers>
#include <numeric>
#include <utility>

namespace craton::families {
namespace {

/// 1 or -1, by a hash of the place. Source: splitmix64.
float sign_at(std::size_t place) {
  std::uint64_t bits = (place + 1) * 0x9E3779B97F4A7C15u;
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
  return (bits ^ bits >> 31) & 1 ? 1.0F : -1.0F;
}

/// A step by which every row of `size` comes up once, spread out.
std::size_t spreading_step(std::size_t size) {
  auto step = std::max<std::size_t>(1, static_cast<std::size_t>(0.618 * static_cast<double>(size)));
  while (std::gcd(step, size) != 1) ++step;
  return step;
}

/// A JSON array; `number` appends one.
template <class Number>
void append_numbers(std::span<const float> vector, std::string& out, Number number) {
  out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) out += ',';
    number(vector[i], out);
  }
  out += ']';
}

void append_float(float number, std::string& out) {
  char buffer[64];  // the smallest takes 48 digits
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed);
  const std::string_view digits(buffer, static_cast<std::size_t>(end.ptr - buffer));
  out += digits;
  if (digits.find('.') == digits.npos) out += ".0";
}

/// -128 to 127 for four deviations of a unit vector's numbers.
int scaled(float number, std::size_t size) {
  const float steps = 32 * std::sqrt(static_cast<float>(size)) * number;
  return static_cast<int>(std::lround(std::clamp(steps, -128.0F, 127.0F)));
}

void append_packed(std::span<const float> vector, int offset, std::string& out) {
  out += '[';
  for (std::size_t at = 0; at < vector.size(); at += 8) {
    int byte = 0;
    for (std::size_t bit = 0; bit < 8 && at + bit < vector.size(); ++bit) {
      if (vector[at + bit] > 0) byte |= 0x80 >> bit;
    }
    if (at > 0) out += ',';
    out += std::to_string(byte + offset);
  }
  out += ']';
}

/// The map's matrix, column after column.
std::vector<float> made_map(std::size_t from, std::size_t to) {
  // Row j, column k of the transform is cos(pi (2j + 1) k / 2 size): it comes back after 4 size.
  const std::size_t size = std::max(from, to);
  const std::size_t period = 4 * size;
  std::vector<float> cosines(period);
  for (std::size_t i = 0; i < period; ++i) {
    cosines[i] = static_cast<float>(
        std::cos(std::numbers::pi * static_cast<double>(i) / (2.0 * static_cast<double>(size))));
  }
  // Neighbours are taken from far apart: numbers side by side have nothing to do with each other.
  const std::size_t step = spreading_step(size);
  const float scale = std::sqrt(2.0F / static_cast<float>(to));
  std::vector<float> map(from * to);
  for (std::size_t k = 0; k < from; ++k) {
    const std::size_t index = k * step % size;
    const float of_column =
        sign_at(k) * (index == 0 ? scale / std::numbers::sqrt2_v<float> : scale);
    for (std::size_t i = 0; i < to; ++i) {
      const std::size_t turn = 2 * (i * step % size) + 1;
      map[k * to + i] = of_column * cosines[index * turn % period];
    }
  }
  return map;
}

/// Made once for each pair of sizes, of which there are few: an encoder has one, the model ids that
/// it answers promise a handful.
std::shared_ptr<const std::vector<float>> map_of(std::size_t from, std::size_t to) {
  static std::mutex mutex;
  static std::map<std::pair<std::size_t, std::size_t>, std::shared_ptr<const std::vector<float>>>
      maps;
  const std::lock_guard lock(mutex);
  auto& map = maps[{from, to}];
  if (!map) map = std::make_shared<const std::vector<float>>(made_map(from, to));
  return map;
}

}  // namespace

std::vector<float> mapped(std::span<const float> vector, int dimension) {
  const std::size_t from = vector.size();
  const auto to = static_cast<std::size_t>(dimension);
  if (from == to) return {vector.begin(), vector.end()};
  const std::shared_ptr<const std::vector<float>> map = map_of(from, to);
  std::vector<float> result(to);
  for (std::size_t k = 0; k < from; ++k) {
    const float* column = map->data() + k * to;
    const float number = vector[k];
    for (std::size_t i = 0; i < to; ++i) result[i] += number * column[i];
  }
  return result;
}

void normalize(std::vector<float>& vector) {
  double sum = 0;
  for (const float number : vector) sum += double{number} * number;
  const double length = std::sqrt(sum);
  if (length > 0 && std::isfinite(length)) {
    for (float& number : vector) number = static_cast<float>(number / length);
  } else {
    std::ranges::fill(vector, 1.0F / std::sqrt(static_cast<float>(vector.size())));
  }
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    product += double{a[i]} * b[i];
    of_a += double{a[i]} * a[i];
    of_b += double{b[i]} * b[i];
  }
  const double lengths = std::sqrt(of_a * of_b);
  return lengths > 0 ? std::clamp(product / lengths, -1.0, 1.0) : 0;
}

std::vector<float> reply_vector(const EmbeddingReply& reply, std::size_t item) {
  const std::vector<float>& made = reply.made.vectors[item].values;
  if (reply.made.declared) return made;
  std::vector<float> vector = mapped(made, reply.native.request.dimension);
  if (reply.native.normalize) normalize(vector);
  return vector;
}

std::string mapping_note(const EmbeddingReply& reply) {
  const std::vector<EmbeddingVector>& made = reply.made.vectors;
  const int dimension = reply.native.request.dimension;
  const std::size_t size = made.empty() ? 0 : made.front().values.size();
  if (size == 0 || size == static_cast<std::size_t>(dimension)) return {};
  return std::to_string(size) + " numbers mapped to " + std::to_string(dimension);
}

void append_vector(std::span<const float> vector, VectorType type, std::string& out) {
  const std::size_t size = vector.size();
  switch (type) {
    case VectorType::float32: return append_numbers(vector, out, append_float);
    case VectorType::int8:
      return append_numbers(vector, out, [size](float number, std::string& to) {
        to += std::to_string(scaled(number, size));
      });
    case VectorType::uint8:
      return append_numbers(vector, out, [size](float number, std::string& to) {
        to += std::to_string(scaled(number, size) + 128);
      });
    case VectorType::binary: return append_packed(vector, -128, out);
    case VectorType::ubinary: return append_packed(vector, 0, out);
  }
}

void append_number(float number, std::string& out) { append_float(number, out); }

void append_bits(std::span<const float> vector, std::string& out) {
  append_numbers(vector, out, [](float number, std::string& to) { to += number > 0 ? '1' : '0'; });
}

}  // namespace craton::families
