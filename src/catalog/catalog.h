// The catalogue: which model ids there are and what each one promises.
//
// Three views of the same data (data/README.md says where it comes from): `seed`, the 55 models of
// spring 2024 as ListFoundationModels then printed them; `today`; and `all`, the default: today's
// entry where both have an id, and every seed id listed and invocable.
//
// Immutable once loaded: any function may be called from any thread.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace craton::catalog {

enum class View { all, seed, today };

/// "all", "seed", "today".
std::optional<View> view_of(std::string_view name);

/// What a model id promises, beyond what ListFoundationModels prints.
struct Model {
  std::string id;        ///< "anthropic.claude-3-haiku-20240307-v1:0"
  std::string provider;  ///< "Anthropic"
  std::optional<int> context_tokens;
  std::optional<int> output_tokens_max;
  bool on_demand = false;        ///< Can be invoked by its own id.
  bool streaming = false;        ///< InvokeModelWithResponseStream is supported.
  bool text_output = false;      ///< Answers with text.
  boost::json::object summary;   ///< FoundationModelSummary; its ARN names us-east-1.
};

/// What InvokeModel resolved its modelId to.
struct Invocable {
  const Model* model;  ///< Lives as long as the Catalog.
};

/// Filters of ListFoundationModels; empty means any.
struct ModelFilter {
  std::string provider;             ///< byProvider, without regard to case
  std::string output_modality;      ///< byOutputModality
  std::string inference_type;       ///< byInferenceType
  std::string customization_type;   ///< byCustomizationType
};

class Catalog {
 public:
  /// Reads the data that is compiled into the program.
  explicit Catalog(View view, WallClock now = system_now);
  ~Catalog();

  /// FoundationModelSummary objects in Bedrock's order, as JSON text: `{"modelSummaries":[…]}`, with
  /// ARNs of `region` and only what that Region lists. Kept per Region and filter, so that asking
  /// again costs nothing.
  std::shared_ptr<const std::string> list_models(std::string_view region,
                                                 const ModelFilter& filter) const;

  /// GetFoundationModel's answer, `{"modelDetails":{…}}`, for an id or foundation-model ARN.
  Result<std::string> get_model(std::string_view region, std::string_view id_or_arn) const;

  /// What may be invoked under `id_or_arn` (model id, inference profile id, or ARN of either) in
  /// `region`. Fails with AWS's texts for unknown, provisioned-only, profile-only and ended ids.
  Result<Invocable> resolve(std::string_view region, std::string_view id_or_arn) const;

  /// ListInferenceProfiles' answer. `type`: "", "SYSTEM_DEFINED" or "APPLICATION".
  Result<std::string> list_profiles(std::string_view region, std::string_view type, int results_max,
                                    std::string_view next_token) const;

  /// GetInferenceProfile's answer for an id or ARN.
  Result<std::string> get_profile(std::string_view region, std::string_view id_or_arn) const;

 private:
  struct Data;
  std::unique_ptr<const Data> data_;
};

}  // namespace craton::catalog
