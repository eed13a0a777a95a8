// GGUF: writes a model file as ggml's programs read it, version 3.
//
//   | "GGUF" | version u32 | tensors u64 | keys u64 | keys and values | tensors' places | padding |
//   | tensors' bytes, each padded to 32 |
//
// Integers are little-endian.
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::models {

/// What numbers a tensor holds; ggml's own codes.
enum class GgufType : std::uint32_t { f32 = 0, f16 = 1 };

class GgufWriter {
 public:
  void set(std::string_view key, std::uint32_t value);
  void set(std::string_view key, float value);
  void set(std::string_view key, bool value);
  void set(std::string_view key, std::string_view value);
  void set(std::string_view key, std::span<const std::string> values);
  void set(std::string_view key, std::span<const std::int32_t> values);

  /// `shape`: the numbers that stand side by side first. `bytes` is asked for when the file is
  /// written, and gives as many as type and shape say.
  void add(std::string_view name, GgufType type, std::vector<std::uint64_t> shape,
           std::function<std::string()> bytes);

  /// Gives the whole file to `put`, piece by piece; fails as that does.
  Result<void> write(const std::function<Result<void>(std::string_view piece)>& put) const;

 private:
  struct Row {
    std::string name;
    GgufType type;
    std::vector<std::uint64_t> shape;
    std::function<std::string()> bytes;
  };
  void begin(std::string_view key, std::uint32_t type);

  std::string keys_;
  std::uint64_t key_count_ = 0;
  std::vector<Row> tensors_;
};

/// The nearest half-precision number, by IEEE 754's bits; of two, the even one.
std::uint16_t half_of(float number);

}  // namespace craton::models
