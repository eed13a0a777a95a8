// Bedrock's API model: which operations there are, how they are asked for, and what their input
// must look like. The tables are generated at build time from the pinned botocore service models
// (tables.py); a new Bedrock release is a version bump.
//
// Read-only data: any function may be called from any thread. No I/O.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace craton::api {

enum class Service { bedrock, bedrock_runtime };

struct Shape;  // shapes.h

struct Operation {
  std::string_view name;  ///< "InvokeModel"
  Service service;
  std::string_view method;  ///< "POST"
  std::string_view uri;     ///< "/model/{modelId}/invoke"
  int status;               ///< HTTP status of success
  const Shape* input;
};

/// Every operation of both service models, by name.
std::span<const Operation> operations();

/// The operation of that name; nullptr when there is none.
const Operation* find_operation(std::string_view name);

struct Match {
  const Operation* operation;
  /// Values of the URI template's labels, percent-decoded once.
  std::vector<std::pair<std::string_view, std::string>> labels;
};

/// Finds the operation that `method` and `target` (path and query as received) ask for.
///
/// Segments are split before they are decoded, so `%2F` never separates. An ARN whose slashes were
/// left unencoded still matches: a label takes several segments where the rest of the template
/// fits. Fails with `unknown_operation`; never with anything else, whatever the bytes.
Result<Match> route(std::string_view method, std::string_view target);

/// A request's parts, before they are read as an operation's input. Views; nothing is kept.
struct RawInput {
  std::string_view target;  ///< For the query string.
  /// Value of the header of that name (any case); empty when absent.
  std::string_view (*header)(const void* context, std::string_view name);
  const void* context;
  std::string_view body;
};

/// An operation's input, read and validated against its shape.
struct Input {
  /// URI, query, header and body members by their member names, in the shape's types. Blobs stay
  /// base64 text. Unknown body members are dropped, as AWS does.
  boost::json::object members;
  /// The body as it came, where the operation's payload is a blob (InvokeModel).
  std::string_view payload;
};

/// Reads the input of `match.operation`.
/// Fails with `serialization` when the body is no JSON object or a member has another JSON type,
/// and with `validation` ("1 validation error detected: Value '…' at '…' failed to satisfy
/// constraint: …") when a constraint of the shape is broken; all of them are listed.
Result<Input> parse_input(const Match& match, const RawInput& raw);

}  // namespace craton::api
