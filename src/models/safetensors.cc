#include "models/safetensors.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <limits>
#include <optional>
#include <utility>

#include "base/json.h"

namespace craton::models {
namespace {

Error refused(std::string what) {
  return {ErrorCode::validation, "safetensors: " + std::move(what)};
}

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 12> type_bytes{{
    {"BOOL", 1},
    {"U8", 1},
    {"I8", 1},
    {"I16", 2},
    {"U16", 2},
    {"F16", 2},
    {"BF16", 2},
    {"I32", 4},
    {"U32", 4},
    {"F32", 4},
    {"I64", 8},
    {"F64", 8},
}};

std::uint64_t header_length(std::string_view file) {
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(file[i]);
  return length;
}

/// A list of whole numbers; nothing when it is anything else.
std::optional<std::vector<std::uint64_t>> numbers_at(const json::object& row,
                                                     std::string_view name) {
  const json::value* member = row.if_contains(name);
  if (!member || !member->is_array()) return std::nullopt;
  std::vector<std::uint64_t> numbers;
  for (const json::value& each : member->get_array()) {
    if (each.is_uint64()) {
      numbers.push_back(each.get_uint64());
    } else if (each.is_int64() && each.get_int64() >= 0) {
      numbers.push_back(static_cast<std::uint64_t>(each.get_int64()));
    } else {
      return std::nullopt;
    }
  }
  return numbers;
}

Result<Tensor> tensor_of(std::string_view name, const json::value& value, std::string_view data) {
  const json::object* row = value.if_object();
  const json::value* type = row ? row->if_contains("dtype") : nullptr;
  const auto shape = row ? numbers_at(*row, "shape") : std::nullopt;
  const auto offsets = row ? numbers_at(*row, "data_offsets") : std::nullopt;
  const std::string where = "tensor " + std::string(name.substr(0, 128));
  if (!type || !type->is_string() || !shape || !offsets || offsets->size() != 2) {
    return refused(where + " lacks its dtype, shape or data_offsets.");
  }
  const auto size = std::ranges::find(type_bytes, std::string_view(type->get_string()),
                                      [](const auto& pair) { return pair.first; });
  if (size == type_bytes.end()) return refused(where + " has an unknown dtype.");
  const auto [begin, end] = std::pair((*offsets)[0], (*offsets)[1]);
  if (begin > end || end > data.size()) return refused(where + " is cut short.");
  if ((end - begin) % size->second != 0 || (end - begin) / size->second != numbers_of(*shape)) {
    return refused(where + " has other bytes than its shape says.");
  }
  return Tensor{std::string(name), std::string(type->get_string()), *shape,
                data.substr(begin, end - begin)};
}

}  // namespace

std::uint64_t numbers_of(const std::vector<std::uint64_t>& shape) {
  std::uint64_t numbers = 1;
  for (const std::uint64_t each : shape) {
    if (each != 0 && numbers > std::numeric_limits<std::uint64_t>::max() / each) {
      return std::numeric_limits<std::uint64_t>::max();
    }
    numbers *= each;
  }
  return numbers;
}

Result<std::vector<Tensor>> read_safetensors(std::string_view file) {
  if (file.size() < 8) return refused("the file is cut short.");
  const std::uint64_t length = header_length(file);
  if (length > safetensors_header_max || length > file.size() - 8) {
    return refused("the header is longer than the file, or than 16 MiB.");
  }
  const Result<json::value> header = json::parse(file.substr(8, length));
  if (!header || !header->is_object()) return refused("the header is no JSON object.");
  const json::object& rows = header->get_object();
  if (rows.size() > tensors_max) return refused("the file has too many tensors.");
  const std::string_view data = file.substr(8 + length);
  std::vector<Tensor> tensors;
  for (const auto& row : rows) {
    if (row.key() == "__metadata__") continue;
    CRATON_TRY_ASSIGN(Tensor tensor, tensor_of(row.key(), row.value(), data));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace craton::models
