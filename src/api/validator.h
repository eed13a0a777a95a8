// An operation's input against the constraints of its shape, in AWS's words.
//
// The texts are those of AWS's service framework, which programs parse:
//
//   1 validation error detected: Value 'SMELL' at 'byOutputModality' failed to satisfy constraint:
//   Member must satisfy enum value set: [EMBEDDING, IMAGE, TEXT]
//
// docs/validation.md lists them with their sources. No I/O, no globals.
#pragma once

#include <boost/json/fwd.hpp>

#include "api/operation.h"

namespace craton::api {

/// Violations that one refusal lists at most; a body can hold millions.
inline constexpr std::size_t violations_max = 32;

/// Bytes of a caller's value that a violation repeats at most.
inline constexpr std::size_t repeated_value_max = 1024;

/// Holds `members`, in the types of the input's shape, against its constraints.
/// Fails with `validation`, listing the violations in the order of the shape's members.
Result<void> validate(const Operation& operation, const boost::json::object& members);

}  // namespace craton::api
