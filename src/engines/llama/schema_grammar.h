// A JSON Schema as a grammar of the texts that fit it.
//
// What is generated fits the schema; not everything that fits is generated: members come in the
// order of `properties` and no others beside them, `additionalProperties` fill only objects that
// name no properties, numbers have 16 digits at most. `format` is kept for dates, times and UUIDs,
// and is an annotation otherwise, as the specification has it.
// Source: https://json-schema.org/draft/2020-12/json-schema-validation
//
// Refused, by name, is what a grammar cannot keep (`not`, `uniqueItems`, ...), a `$ref` that leads
// out of the schema, and what would grow beyond bounds.
#pragma once

#include <string_view>

#include "engines/llama/json_grammar.h"

namespace craton::engines::llama {

/// Most bytes of one schema.
inline constexpr std::size_t schema_bytes_max = 256 * 1024;

enum class SchemaRoot { any, object };

/// The rule of what fits `schema`, JSON text. With SchemaRoot::object only objects do.
/// Fails with `validation`; the message is the end of a sentence ("the keyword 'not' is not
/// supported").
Result<RuleId> add_schema(JsonGrammar& json, std::string_view schema, SchemaRoot root);

}  // namespace craton::engines::llama
