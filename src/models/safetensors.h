// safetensors: the weights of a model as its makers publish them.
//
//   | header length u64 | header: JSON | tensors' bytes |
//
// Integers are little-endian; the header gives each tensor's type, shape and place among the bytes.
// Source: https://github.com/huggingface/safetensors (Format)
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace craton::models {

struct Tensor {
  std::string name;                  ///< "encoder.layer.0.output.dense.weight"
  std::string type;                  ///< "F32", "F16", "I64", …
  std::vector<std::uint64_t> shape;  ///< The last dimension's numbers stand side by side.
  std::string_view bytes;            ///< Into the file; as many as type and shape say.
};

/// Tensors of one file, at most, and the header's bytes.
inline constexpr std::size_t tensors_max = 65'536;
inline constexpr std::size_t safetensors_header_max = 16u << 20;

/// The tensors of `file`, all of its bytes, in the header's order; they hold as long as those.
/// Fails with `validation` when it is no such file, or is cut short.
Result<std::vector<Tensor>> read_safetensors(std::string_view file);

/// Numbers that a tensor of `shape` has; nothing where that is more than a file can hold.
std::uint64_t numbers_of(const std::vector<std::uint64_t>& shape);

}  // namespace craton::models
