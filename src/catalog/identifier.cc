#include "catalog/identifier.h"

#include <algorithm>
#include <array>

namespace craton::catalog {
namespace {

struct ResourceKind {
  std::string_view name;  ///< As in the ARN.
  IdentifierKind kind;
  std::string_view noun;
};

// Source: the pattern of InvokeModel's modelId in the bedrock-runtime service model. Prompts, which
// it also takes, are for Converse only.
constexpr std::array resource_kinds{
    ResourceKind{"foundation-model", IdentifierKind::foundation_model, "foundation model"},
    ResourceKind{"inference-profile", IdentifierKind::inference_profile, "inference profile"},
    ResourceKind{"application-inference-profile", IdentifierKind::account_resource,
                 "application inference profile"},
    ResourceKind{"provisioned-model", IdentifierKind::account_resource, "provisioned model"},
    ResourceKind{"custom-model", IdentifierKind::account_resource, "custom model"},
    ResourceKind{"custom-model-deployment", IdentifierKind::account_resource,
                 "custom model deployment"},
    ResourceKind{"imported-model", IdentifierKind::account_resource, "imported model"},
    ResourceKind{"prompt-router", IdentifierKind::account_resource, "prompt router"},
    ResourceKind{"default-prompt-router", IdentifierKind::account_resource, "prompt router"},
};

/// Takes what is before the first `separator` off `text`, and the separator with it.
std::string_view take_until(char separator, std::string_view& text) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

bool is_partition(std::string_view name) { return name == "aws" || name.starts_with("aws-"); }

}  // namespace

Identifier parse_identifier(std::string_view text) {
  if (!text.starts_with("arn:")) return {IdentifierKind::id, {}, text, {}};
  std::string_view rest = text;
  take_until(':', rest);
  const std::string_view partition = take_until(':', rest);
  const std::string_view service = take_until(':', rest);
  const std::string_view region = take_until(':', rest);
  const std::string_view account = take_until(':', rest);
  const std::string_view kind_name = take_until('/', rest);
  const auto row = std::find_if(resource_kinds.begin(), resource_kinds.end(),
                                [&](const ResourceKind& kind) { return kind.name == kind_name; });
  const bool named = row != resource_kinds.end() && !rest.empty();
  if (!is_partition(partition) || service != "bedrock" || !named) return {};
  if (row->kind == IdentifierKind::foundation_model && !account.empty()) return {};
  return {row->kind, region, rest, row->noun};
}

}  // namespace craton::catalog
