// A Converse request, read: from the API's members to the canonical Conversation.
//
// The same for Converse, ConverseStream and CountTokens' `converse`. No I/O, no globals: any
// function may be called from any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "converse/rules.h"
#include "families/family.h"

namespace craton::converse {

struct Request {
  /// The conversation, as a family knows it: additionalModelRequestFields are applied to it.
  families::NativeRequest native;
  json::object additional_fields;           ///< additionalModelRequestFields
  std::vector<std::string> response_paths;  ///< additionalModelResponseFieldPaths
  std::string latency;                      ///< performanceConfig.latency; empty when absent.
  std::string service_tier;                 ///< serviceTier.type; empty when absent.
  bool separate_tool_turns = false;         ///< Of the model: an answer has text or calls of tools.

  const Conversation& conversation() const { return native.conversation; }
};

/// Reads `input`, which the API model's constraints hold for. Fails as check() does, and with
/// `validation` for a path that is no JSON pointer or an attachment that breaks a limit.
/// additionalModelRequestFields are read and not yet applied (additional_fields.h).
Result<Request> read(const json::object& input, const catalog::Model& model, Delivery delivery);

}  // namespace craton::converse
