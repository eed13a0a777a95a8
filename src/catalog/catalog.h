// The catalogue: which model ids there are and what each one promises.
//
// Three views of the same data (data/README.md says where it comes from):
//
//   seed   the 55 models of spring 2024, as ListFoundationModels then printed them, in every
//   Region;
//          no inference profiles
//   today  what each Region lists and serves now; what has ended is refused
//   all    the default: today's lists, and every seed id besides. Where both have an id, today's
//          entry speaks for it. A model that is served somewhere can be invoked from any Region,
//          and a seed id or a model that makes images even after its end, so that a program needs
//          no particular Region, or year, to run. A profile leads from the Regions of its geography
//          alone, as its id says
//
// Order of lists: the seed's as it was; today's by id; `all` begins with the seed's 55, in the
// seed's order, and goes on with the rest of today's.
//
// A Region that the data does not know ("local-1") has us-east-1's lists under its own name; an
// empty one is us-east-1. A model ends when its endOfLifeTime passes, while the server runs too.
// Where the Regions' own lists still had a model after that time, it is taken as served there.
//
// Immutable once made, but for a bounded cache: any function may be called from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace craton::catalog {

enum class View { all, seed, today };

/// "all", "seed", "today".
std::optional<View> view_of(std::string_view name);

/// What Converse may be asked of a model; all else is refused in AWS's words.
struct Capabilities {
  bool chat = false;                  ///< Converse itself, and ConverseStream where `streaming`.
  bool system = false;                ///< `system`
  bool tools = false;                 ///< `toolConfig`, tool blocks
  bool streaming_tools = false;       ///< The same in ConverseStream.
  bool vision = false;                ///< `image` blocks
  bool documents = false;             ///< `document` blocks
  bool prompt_caching = false;        ///< `cachePoint` blocks
  bool reasoning = false;             ///< `reasoningContent` blocks of earlier answers
  bool structured_output = false;     ///< `outputConfig.textFormat`
  bool guardrails = false;            ///< `guardrailConfig`
  bool count_tokens = false;          ///< CountTokens
  bool tool_choice_any = false;       ///< `toolChoice.any`
  bool tool_choice_tool = false;      ///< `toolChoice.tool`
  bool prefill = false;               ///< The conversation may end with the assistant's turn.
  bool separate_tool_turns = false;   ///< Tool blocks and others never share a turn.
  bool temperature_or_top_p = false;  ///< Not both.

  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

/// What a model id promises. A constant of the program.
struct Model {
  std::string_view id;                   ///< "anthropic.claude-3-haiku-20240307-v1:0"
  std::string_view provider;             ///< "Anthropic"
  std::optional<int> context_tokens;     ///< Input limit of an embeddings model.
  std::optional<int> output_tokens_max;  ///< What the model can be asked for at most.
  bool on_demand = false;                ///< Can be invoked by its own id.
  bool streaming = false;                ///< InvokeModelWithResponseStream is supported.
  bool text_output = false;              ///< Answers with text.
  Capabilities converse = {};            ///< In Converse, ConverseStream and CountTokens.
};

/// What InvokeModel resolved its modelId to.
struct Invocable {
  const Model* model;           ///< Its id is the base id, without geography prefix.
  std::string_view profile_id;  ///< "us.anthropic.…"; empty when the model's own id was asked for.
};

/// Filters of ListFoundationModels; empty means any.
struct ModelFilter {
  std::string provider;            ///< byProvider, without regard to case
  std::string output_modality;     ///< byOutputModality
  std::string inference_type;      ///< byInferenceType
  std::string customization_type;  ///< byCustomizationType

  friend bool operator==(const ModelFilter&, const ModelFilter&) = default;
};

/// The account in ARNs where nobody says which it is.
inline constexpr std::string_view default_account = "000000000000";

/// A model that the catalogue knows.
struct Known {
  const Model* model;
  bool here;  ///< Served in the caller's Region.
};

/// What a model id is resolved for.
enum class Use { invoke, count_tokens };

class Catalog {
 public:
  /// The data is compiled into the program: this takes some ten microseconds.
  explicit Catalog(View view, WallClock now = system_now);
  ~Catalog();
  Catalog(Catalog&&) noexcept;

  /// ListFoundationModels' answer, `{"modelSummaries":[…]}`, with ARNs of `region` and only what
  /// that Region lists. Kept for the latest Regions and filters, so that asking again costs
  /// nothing.
  std::shared_ptr<const std::string> list_models(std::string_view region,
                                                 const ModelFilter& filter) const;

  /// GetFoundationModel's answer, `{"modelDetails":{…}}`, for an id or foundation-model ARN.
  /// Fails as resolve() does, save that how a model may be invoked does not matter.
  Result<std::string> get_model(std::string_view region, std::string_view id_or_arn) const;

  /// What may be invoked under `id_or_arn` (model id, inference profile id, or ARN of either, a
  /// profile's of any account) in `region`. Fails, in AWS's words, with `validation` for an id that
  /// is unknown or another Region's and for one that cannot be invoked on demand (provisioned-only,
  /// profile-only); with `resource_not_found` for one that has ended, and for ARNs of resources
  /// that accounts make (provisioned models, custom models, …), of which there are none here.
  /// Tokens are counted (CountTokens) for models that cannot be invoked on demand too: it began
  /// with model ids alone, and programs still take a profile's prefix off.
  Result<Invocable> resolve(std::string_view region, std::string_view id_or_arn,
                            Use use = Use::invoke) const;

  /// The model of that id, served in `region` or elsewhere. Fails as get_model() does when there is
  /// none, or when it has ended.
  Result<Known> look_up(std::string_view region, std::string_view id) const;

  /// ListInferenceProfiles' answer: a page of `results_max`, 1 to 1000, behind `next_token`.
  /// `type`: "", "SYSTEM_DEFINED", or "APPLICATION", of which there are none.
  /// Fails with `validation` when no page gave that token.
  Result<std::string> list_profiles(std::string_view region, std::string_view type, int results_max,
                                    std::string_view next_token,
                                    std::string_view account = default_account) const;

  /// GetInferenceProfile's answer for an id or ARN: whatever profile resolve() takes.
  /// Fails with `resource_not_found`.
  Result<std::string> get_profile(std::string_view region, std::string_view id_or_arn,
                                  std::string_view account = default_account) const;

 private:
  struct Data;
  std::unique_ptr<const Data> data_;
};

}  // namespace craton::catalog
