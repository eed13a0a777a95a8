// What a caller may name a model by: an id, or an ARN of one of several kinds of resource.
//
//   arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-…
//       partition    Region    account      kind              id
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <string_view>

namespace craton::catalog {

enum class IdentifierKind {
  id,                 ///< No ARN: the id of a model or of an inference profile.
  foundation_model,   ///< ARN of a model; it has no account.
  inference_profile,  ///< ARN of a system-defined profile, of any account.
  account_resource,   ///< ARN of what only an account can make: none exist here.
  invalid,
};

/// Views into the text that was read.
struct Identifier {
  IdentifierKind kind = IdentifierKind::invalid;
  std::string_view region;  ///< Empty unless an ARN names one.
  std::string_view id;      ///< Empty when invalid.
  std::string_view noun;    ///< "provisioned model": what an account_resource is called.
};

/// Reads whatever text; what is no ARN is an id.
Identifier parse_identifier(std::string_view text);

}  // namespace craton::catalog
