#include "catalog/catalog.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "catalog/holdings.h"
#include "catalog/identifier.h"
#include "catalog/list_cache.h"
#include "catalog/profile_text.h"
#include "catalog/region.h"
#include "catalog/tables.h"

namespace craton::catalog {
namespace {

using tables::ModelRow;
using tables::ProfileRow;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool has(tables::Names names, std::string_view wanted) {
  return wanted.empty() || std::find(names.begin(), names.end(), wanted) != names.end();
}

bool passes(const ModelRow& row, const ModelFilter& filter) {
  return (filter.provider.empty() || same_but_for_case(row.model.provider, filter.provider)) &&
         has(row.output_modalities, filter.output_modality) &&
         has(row.inference_types, filter.inference_type) &&
         has(row.customizations, filter.customization_type);
}

/// A FoundationModelSummary's JSON text up to the Region in its ARN, which ModelRow::summary
/// continues.
std::string summary_head(std::string_view region) {
  std::string arn("arn:");
  arn.append(partition_of(region)).append(":bedrock:").append(region);
  std::string head = "{\"modelArn\":" + json::quote(arn);
  head.pop_back();  // the quote: the ARN goes on
  return head;
}

/// Where the page behind `next_token` begins; nullopt when no page gave that token.
std::optional<std::size_t> page_start(std::string_view next_token) {
  if (next_token.empty()) return 0;
  const auto rows = tables::profiles();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (page_token(rows[i]) == next_token) return i + 1;
  }
  return std::nullopt;
}

bool accepts(const Holdings& holdings, const Identifier& asked, const Place& place) {
  return asked.kind == IdentifierKind::id || holdings.accepts_arn(asked.region, place);
}

Error invalid_identifier() {
  return {ErrorCode::validation, "The provided model identifier is invalid."};
}

Error ended() {
  return {ErrorCode::resource_not_found,
          "This model version has reached the end of its life. Please refer to the AWS "
          "documentation for more details."};
}

Error not_on_demand(const Model& model) {
  return {ErrorCode::validation,
          "Invocation of model ID " + std::string(model.id) +
              " with on-demand throughput isn\u2019t supported. Retry your request with the ID or "
              "ARN of an inference profile that contains this model."};
}

Error no_such_resource(std::string_view noun) {
  return {ErrorCode::resource_not_found,
          "There is no such " + std::string(noun) +
              " here: this server knows foundation models and system-defined inference profiles."};
}

Error no_such_profile() {
  return {ErrorCode::resource_not_found,
          "There is no such inference profile in this Region. ListInferenceProfiles names those "
          "that there are."};
}

}  // namespace

struct Catalog::Data {
  Data(View view, WallClock clock) : holdings(view, clock) {}

  Holdings holdings;
  mutable ListCache lists;
};

std::optional<View> view_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, View>, 3> views{
      {{"all", View::all}, {"seed", View::seed}, {"today", View::today}}};
  for (const auto& [view_name, view] : views) {
    if (view_name == name) return view;
  }
  return std::nullopt;
}

Catalog::Catalog(View view, WallClock now) : data_(std::make_unique<const Data>(view, now)) {}
Catalog::~Catalog() = default;
Catalog::Catalog(Catalog&&) noexcept = default;

std::shared_ptr<const std::string> Catalog::list_models(std::string_view region,
                                                        const ModelFilter& filter) const {
  const Place place = place_of(region);
  const std::size_t epoch = data_->holdings.epoch();
  if (auto kept = data_->lists.find(epoch, place.region, filter)) return kept;

  const std::string head = summary_head(place.region);
  auto text = std::make_shared<std::string>("{\"modelSummaries\":[");
  for (const Entry& entry : data_->holdings.models()) {
    if (!passes(*entry.row, filter) || !data_->holdings.lists(entry, place)) continue;
    if (text->back() != '[') *text += ',';
    text->append(head).append(entry.row->summary);
  }
  *text += "]}";
  text->shrink_to_fit();
  data_->lists.keep(epoch, place.region, filter, text);
  return text;
}

Result<std::string> Catalog::get_model(std::string_view region, std::string_view id_or_arn) const {
  const Place place = place_of(region);
  const Identifier asked = parse_identifier(id_or_arn);
  const bool names_model =
      asked.kind == IdentifierKind::id || asked.kind == IdentifierKind::foundation_model;
  if (!names_model || !accepts(data_->holdings, asked, place)) return invalid_identifier();
  const Entry* entry = data_->holdings.find(asked.id);
  if (!entry) return invalid_identifier();
  switch (data_->holdings.standing(*entry, place)) {
    case Standing::ended: return ended();
    case Standing::elsewhere: return invalid_identifier();
    case Standing::served: break;
  }
  return "{\"modelDetails\":" + summary_head(place.region).append(entry->row->summary) + "}";
}

Result<Known> Catalog::look_up(std::string_view region, std::string_view id) const {
  const Entry* entry = data_->holdings.find(id);
  if (!entry) return invalid_identifier();
  const Standing standing = data_->holdings.standing(*entry, place_of(region));
  if (standing == Standing::ended) return ended();
  return Known{&entry->row->model, standing == Standing::served};
}

Result<Invocable> Catalog::resolve(std::string_view region, std::string_view id_or_arn,
                                   Use use) const {
  const Place place = place_of(region);
  const Identifier asked = parse_identifier(id_or_arn);
  if (asked.kind == IdentifierKind::account_resource) return no_such_resource(asked.noun);
  if (asked.kind == IdentifierKind::invalid || !accepts(data_->holdings, asked, place)) {
    return invalid_identifier();
  }
  const Entry* entry =
      asked.kind == IdentifierKind::inference_profile ? nullptr : data_->holdings.find(asked.id);
  const ProfileRow* profile =
      entry || asked.kind == IdentifierKind::foundation_model ? nullptr : find_profile(asked.id);
  if (!entry && !profile) return invalid_identifier();
  switch (entry ? data_->holdings.standing(*entry, place)
                : data_->holdings.standing(*profile, place)) {
    case Standing::ended: return ended();
    case Standing::elsewhere: return invalid_identifier();
    case Standing::served: break;
  }
  if (profile) return Invocable{&profile->model->model, profile->id};
  if (use == Use::invoke && !entry->row->model.on_demand) return not_on_demand(entry->row->model);
  return Invocable{&entry->row->model, {}};
}

Result<std::string> Catalog::list_profiles(std::string_view region, std::string_view type,
                                           int results_max, std::string_view next_token,
                                           std::string_view account) const {
  const Place place = place_of(region);
  const std::optional<std::size_t> start = page_start(next_token);
  if (!start) {
    return Error{ErrorCode::validation,
                 "The provided nextToken is invalid. Ask without one for the first page."};
  }
  const auto all = tables::profiles();
  const bool none = type == "APPLICATION";
  const int page_size = std::max(results_max, 1);
  std::string text = "{\"inferenceProfileSummaries\":[";
  const ProfileRow* last = nullptr;
  int results = 0;
  for (const ProfileRow& profile : all.subspan(none ? all.size() : *start)) {
    if (!data_->holdings.lists(profile, place)) continue;
    if (results++ == page_size) {
      return text + "],\"nextToken\":\"" + page_token(*last) + "\"}";
    }
    if (last) text += ',';
    append_profile(profile, place, account, text);
    last = &profile;
  }
  return text + "]}";
}

Result<std::string> Catalog::get_profile(std::string_view region, std::string_view id_or_arn,
                                         std::string_view account) const {
  const Place place = place_of(region);
  const Identifier asked = parse_identifier(id_or_arn);
  const bool names_profile =
      asked.kind == IdentifierKind::id || asked.kind == IdentifierKind::inference_profile;
  if (!names_profile || !accepts(data_->holdings, asked, place)) return no_such_profile();
  const ProfileRow* profile = find_profile(asked.id);
  if (!profile || data_->holdings.standing(*profile, place) != Standing::served)
    return no_such_profile();
  std::string text;
  append_profile(*profile, place, account, text);
  return text;
}

}  // namespace craton::catalog
