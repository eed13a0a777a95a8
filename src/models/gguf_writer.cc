#include "models/gguf_writer.h"

#include <bit>
#include <concepts>
#include <cstring>
#include <utility>

namespace craton::models {
namespace {

constexpr std::uint32_t version = 3;
constexpr std::size_t alignment = 32;

// Codes of a value's type. Source: gguf_metadata_value_type.
constexpr std::uint32_t type_u32 = 4;
constexpr std::uint32_t type_i32 = 5;
constexpr std::uint32_t type_f32 = 6;
constexpr std::uint32_t type_bool = 7;
constexpr std::uint32_t type_string = 8;
constexpr std::uint32_t type_array = 9;

template <std::unsigned_integral Integer>
void append(Integer number, std::string& out) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    out += static_cast<char>(static_cast<unsigned char>(number >> (8 * i)));
  }
}

void append(std::string_view text, std::string& out) {
  append(std::uint64_t{text.size()}, out);
  out += text;
}

void pad(std::size_t size, std::string& out) {
  out.append((alignment - size % alignment) % alignment, '\0');
}

std::uint64_t bytes_of(GgufType type, const std::vector<std::uint64_t>& shape) {
  std::uint64_t bytes = type == GgufType::f32 ? 4 : 2;
  for (const std::uint64_t each : shape) bytes *= each;
  return bytes;
}

std::uint64_t padded(std::uint64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

void GgufWriter::begin(std::string_view key, std::uint32_t type) {
  append(key, keys_);
  append(type, keys_);
  ++key_count_;
}

void GgufWriter::set(std::string_view key, std::uint32_t value) {
  begin(key, type_u32);
  append(value, keys_);
}

void GgufWriter::set(std::string_view key, float value) {
  begin(key, type_f32);
  append(std::bit_cast<std::uint32_t>(value), keys_);
}

void GgufWriter::set(std::string_view key, bool value) {
  begin(key, type_bool);
  keys_ += value ? '\1' : '\0';
}

void GgufWriter::set(std::string_view key, std::string_view value) {
  begin(key, type_string);
  append(value, keys_);
}

void GgufWriter::set(std::string_view key, std::span<const std::string> values) {
  begin(key, type_array);
  append(type_string, keys_);
  append(std::uint64_t{values.size()}, keys_);
  for (const std::string& value : values) append(std::string_view(value), keys_);
}

void GgufWriter::set(std::string_view key, std::span<const std::int32_t> values) {
  begin(key, type_array);
  append(type_i32, keys_);
  append(std::uint64_t{values.size()}, keys_);
  for (const std::int32_t value : values) append(static_cast<std::uint32_t>(value), keys_);
}

void GgufWriter::add(std::string_view name, GgufType type, std::vector<std::uint64_t> shape,
                     std::function<std::string()> bytes) {
  tensors_.push_back({std::string(name), type, std::move(shape), std::move(bytes)});
}

Result<void> GgufWriter::write(
    const std::function<Result<void>(std::string_view piece)>& put) const {
  std::string head = "GGUF";
  append(version, head);
  append(std::uint64_t{tensors_.size()}, head);
  append(key_count_, head);
  head += keys_;
  std::uint64_t offset = 0;
  for (const Row& row : tensors_) {
    append(std::string_view(row.name), head);
    append(static_cast<std::uint32_t>(row.shape.size()), head);
    for (const std::uint64_t each : row.shape) append(each, head);
    append(static_cast<std::uint32_t>(row.type), head);
    append(offset, head);
    offset += padded(bytes_of(row.type, row.shape));
  }
  pad(head.size(), head);
  CRATON_TRY(put(head));
  for (const Row& row : tensors_) {
    std::string bytes = row.bytes();
    pad(bytes.size(), bytes);
    CRATON_TRY(put(bytes));
  }
  return {};
}

std::uint16_t half_of(float number) {
  const auto bits = std::bit_cast<std::uint32_t>(number);
  const std::uint32_t sign = bits >> 16 & 0x8000;
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<std::uint16_t>(sign | 0x7e00);   // no number
  if (magnitude >= 0x477ff000) return static_cast<std::uint16_t>(sign | 0x7c00);  // infinite
  if (magnitude < 0x33000001) return static_cast<std::uint16_t>(sign);            // too small
  const std::uint32_t exponent = magnitude >> 23;
  std::uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
  // Below 2^-14 there is no leading one, and fewer bits are left.
  const std::uint32_t shift = exponent < 113 ? 126 - exponent : 13;
  const std::uint32_t rest = mantissa & ((1u << shift) - 1);
  mantissa >>= shift;
  const std::uint32_t middle = 1u << (shift - 1);
  if (rest > middle || (rest == middle && (mantissa & 1))) ++mantissa;
  // A carry goes on into the exponent, as it should.
  const std::uint32_t base = exponent < 113 ? 0 : (exponent - 113) << 10;
  return static_cast<std::uint16_t>(sign | (base + mantissa));
}

}  // namespace craton::models
