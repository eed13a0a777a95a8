// Native bodies against their schema, in the words of Bedrock's validator.
//
// Bedrock holds each InvokeModel body against the provider's JSON schema with the everit validator
// and passes its violations on; programs parse these texts. A violation is a JSON pointer and what
// is wrong there:
//
//   Malformed input request: #: required key [max_tokens] not found, #/temperature: 2 is not less
//   or equal to 1, please reformat your input and try again.
//
// A schema is a constexpr table. docs/native-schemas.md lists every text.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "families/family.h"

namespace craton::families {

enum class JsonType { any, string, integer, number, boolean, array, object };

/// One end of a number's range.
struct Bound {
  double value;
  bool exclusive = false;
};

struct Pattern {
  std::string_view text;  ///< The regular expression, as the violation prints it.
  bool (*matches)(std::string_view text);
};

enum class Presence { optional, required };
enum class UnknownKeys { refused, permitted };

struct Schema;

/// Whether a model's schema has something that its family's other models have.
using HasIt = bool (*)(const ModelContext& model);

struct Property {
  std::string_view name;
  const Schema* schema;
  Presence presence = Presence::optional;
  HasIt on = nullptr;  ///< nullptr: every model; on others the key is extraneous.
};

/// A kind of object, told by one of its members.
struct Variant {
  std::string_view type;
  const Schema* schema;
  HasIt on = nullptr;  ///< nullptr: every model; on others the type is not valid.
};

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// What a JSON value has to be. Members that do not concern its type are left as they are.
struct Schema {
  JsonType type = JsonType::any;

  std::optional<Bound> minimum;
  std::optional<Bound> maximum;
  /// In place of `maximum`, where it depends on the model.
  std::optional<double> (*maximum_of)(const ModelContext& model) = nullptr;
  int multiple_of = 1;

  std::size_t size_min = 0;  ///< Code points of a string, items of an array.
  std::size_t size_max = no_limit;
  const Pattern* pattern = nullptr;
  std::span<const std::string_view> values;  ///< All that a string may be, when not empty.

  const Schema* items = nullptr;

  std::span<const Property> properties;
  UnknownKeys unknown_keys = UnknownKeys::refused;
  bool nulls_are_absent = false;      ///< Members that are null; read_body() leaves them out.
  std::string_view forbidden_key;     ///< An object with this key has another schema.
  std::span<const Variant> variants;  ///< In place of `properties`: by this member,
  std::string_view variant_key = "type";
  std::string_view variant_default;  ///< which may be absent where this names one.
  /// What an object is held against whose member names no variant, so that what else is wrong is
  /// told too; it has the member as a text.
  const Schema* variant_otherwise = nullptr;

  /// In place of all above: the one of these types. Everything in them but `type` may differ.
  std::span<const Schema* const> alternatives;
};

inline constexpr Schema any_schema{};
inline constexpr Schema text_schema{.type = JsonType::string};
inline constexpr Schema boolean_schema{.type = JsonType::boolean};
inline constexpr Schema texts_schema{.type = JsonType::array, .items = &text_schema};
inline constexpr Schema free_object_schema{.type = JsonType::object,
                                           .unknown_keys = UnknownKeys::permitted};
/// An empty prompt asks nothing.
inline constexpr Schema prompt_schema{.type = JsonType::string, .size_min = 1};
/// Probabilities, and most providers' temperatures.
inline constexpr Schema unit_schema{
    .type = JsonType::number, .minimum = Bound{0}, .maximum = Bound{1}};

/// Violations that one refusal lists at most; a body can hold millions.
inline constexpr std::size_t violations_max = 32;

/// Bytes of the caller's own text that a violation repeats at most.
inline constexpr std::size_t repeated_text_max = 512;

/// The refusal of a body for what no schema can say: "#/images: expected …".
Error violation(std::string_view what);

/// The JSON object that `body` holds, held against `schema`.
/// Fails with `validation` in Bedrock's words when `body` is empty, no JSON, no object, or breaks a
/// rule of the schema.
Result<json::object> read_body(std::string_view body, const Schema& schema,
                               const ModelContext& model);

/// Holds members that came by another way than in a native body against `schema`.
/// Fails as read_body does.
Result<void> check_members(const json::object& members, const Schema& schema,
                           const ModelContext& model);

}  // namespace craton::families
