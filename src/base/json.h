// JSON text in and out, over Boost.JSON.
//
// Reading is strict (RFC 8259): no comments, no trailing commas, no NaN, UTF-8 checked, lone
// surrogate escapes refused, depth bounded. Writing gives numbers their shortest round-trip form in
// plain notation (`0.5`, where Boost.JSON writes `5E-1`), and text as raw UTF-8.
//
// No globals: any function may be called from any thread.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace craton::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

inline constexpr std::size_t max_depth =
    64;  ///< Nested arrays and objects; deeper input is refused.

/// The value that `text` holds, whole.
/// Fails with `serialization`; the message says what is wrong and at which byte.
Result<value> parse(std::string_view text);

/// The JSON text of `value`, without spaces, members in the order they were put in.
std::string to_text(const value& value);
std::string to_text(const object& object);
void append_text(const value& value, std::string& out);

/// `text` as a JSON string, quotes included.
std::string quote(std::string_view text);
void append_quoted(std::string_view text, std::string& out);

/// Shortest text that reads back as `number`, never in exponent notation for magnitudes that JSON
/// users write plainly (1e-7 to 1e21); integral values end in `.0`. Infinity is `1e999`.
void append_number(double number, std::string& out);

/// The same, but integral values without `.0`: "2", as messages name bounds.
std::string number_text(double number);

}  // namespace craton::json
