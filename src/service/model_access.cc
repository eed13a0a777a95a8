#include "service/model_access.h"

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/dates.h"
#include "base/json.h"
#include "base/sha256.h"
#include "service/invocation.h"
#include "service/operations.h"

namespace craton::service {
namespace {

/// The form is one for the whole account.
constexpr store::Key form_key{"use-case", "", catalog::default_account};

store::Key agreement_key(const Call& call, std::string_view model_id) {
  return {"agreement", call.region, model_id};
}

bool needs_agreement(const catalog::Model& model) { return model.provider != "Amazon"; }
bool needs_form(const catalog::Model& model) { return model.provider == "Anthropic"; }

Error no_access() {
  return {ErrorCode::access_denied,
          "You don't have access to the model with the specified model ID."};
}

Error form_missing() {
  return {ErrorCode::resource_not_found,
          "Model use case details have not been submitted for this account. Fill out the Anthropic "
          "use case details form before using the model. If you have already filled out the form, "
          "try again in 15 minutes."};
}

/// The model that the input names. Agreements are of a Region that has the model.
Result<const catalog::Model*> named_model(const Call& call) {
  CRATON_TRY_ASSIGN(
      const catalog::Known known,
      call.service.catalog().look_up(call.region, text_member(call.input, "modelId")));
  if (known.here) return known.model;
  return Error{ErrorCode::validation, "The provided model identifier is invalid."};
}

struct Offer {
  std::string id;
  std::string token;
};

/// The one offer of a model in a Region. Both are made of their names, so that they are the same
/// in every server and after each start. The token is no secret: asking for it is all it takes.
Offer offer_of(std::string_view region, std::string_view model_id) {
  const Sha256Digest digest =
      hmac_sha256("craton offer", std::string(region).append("/").append(model_id));
  Offer offer{"offer-" + hex_of(bytes_of(digest)).substr(0, 13), {}};
  append_base64(bytes_of(digest), offer.token);
  return offer;
}

json::object rate(std::string_view dimension, std::string_view what) {
  return {{"dimension", dimension},
          {"price", "0.00"},
          {"description", "Million " + std::string(what) + " tokens"},
          {"unit", "Units"}};
}

/// Nothing is charged here.
json::object terms() {
  return {
      {"usageBasedPricingTerm",
       {{"rateCard", {rate("InputTokenCount", "input"), rate("OutputTokenCount", "response")}}}},
      {"legalTerm", {{"url", "https://aws.amazon.com/legal/bedrock/third-party-models/"}}},
      {"supportTerm", {{"refundPolicyDescription", "Nothing is charged."}}}};
}

Result<bool> has_agreement(const Call& call, const catalog::Model& model) {
  if (call.service.options().access == ModelAccess::granted || !needs_agreement(model)) return true;
  CRATON_TRY_ASSIGN(const std::optional<std::string> agreement,
                    call.service.store().get(agreement_key(call, model.id)));
  return agreement.has_value();
}

/// Whether the account may make agreements about `model`.
Result<bool> is_authorized(const Call& call, const catalog::Model& model) {
  if (call.service.options().access == ModelAccess::granted || !needs_form(model)) return true;
  CRATON_TRY_ASSIGN(const std::optional<std::string> form, call.service.store().get(form_key));
  return form.has_value();
}

http::Response answered(int status, const json::object& body) {
  http::Response response = json_response(json::to_text(body));
  response.status = status;
  return response;
}

}  // namespace

Result<void> check_access(const Call& call, const catalog::Model& model) {
  CRATON_TRY_ASSIGN(const bool agreed, has_agreement(call, model));
  if (agreed) return {};
  return no_access();
}

Result<http::Response> list_foundation_model_agreement_offers(const Call& call) {
  CRATON_TRY_ASSIGN(const catalog::Model* model, named_model(call));
  json::array offers;
  if (needs_agreement(*model)) {
    Offer offer = offer_of(call.region, model->id);
    offers.push_back(json::object{{"offerId", std::move(offer.id)},
                                  {"offerToken", std::move(offer.token)},
                                  {"termDetails", terms()}});
  }
  return answered(200, {{"modelId", model->id}, {"offers", std::move(offers)}});
}

Result<http::Response> create_foundation_model_agreement(const Call& call) {
  CRATON_TRY_ASSIGN(const catalog::Model* model, named_model(call));
  const Offer offer = offer_of(call.region, model->id);
  const std::string_view token = text_member(call.input, "offerToken");
  if (!needs_agreement(*model) || token != offer.token) {
    return Error{ErrorCode::validation,
                 "The provided offer token is invalid. ListFoundationModelAgreementOffers gives "
                 "those of a model in this Region."};
  }
  CRATON_TRY_ASSIGN(const bool authorized, is_authorized(call, *model));
  if (!authorized) return form_missing();
  const json::object agreement{
      {"modelId", model->id}, {"offerId", offer.id}, {"createdAt", date_text(system_now())}};
  CRATON_TRY_ASSIGN(const bool made, call.service.store().insert(agreement_key(call, model->id),
                                                                 json::to_text(agreement)));
  if (!made) {
    return Error{ErrorCode::conflict,
                 "An agreement for the model " + std::string(model->id) + " already exists."};
  }
  return answered(202, {{"modelId", model->id}});
}

Result<http::Response> delete_foundation_model_agreement(const Call& call) {
  CRATON_TRY_ASSIGN(const catalog::Model* model, named_model(call));
  CRATON_TRY_ASSIGN(const bool erased, call.service.store().erase(agreement_key(call, model->id)));
  if (!erased) {
    return Error{ErrorCode::resource_not_found,
                 "There is no agreement for the model " + std::string(model->id) + "."};
  }
  return answered(202, {});
}

Result<http::Response> get_foundation_model_availability(const Call& call) {
  CRATON_TRY_ASSIGN(
      const catalog::Known known,
      call.service.catalog().look_up(call.region, text_member(call.input, "modelId")));
  CRATON_TRY_ASSIGN(const bool agreed, has_agreement(call, *known.model));
  CRATON_TRY_ASSIGN(const bool authorized, is_authorized(call, *known.model));
  const auto available = [](bool is) { return is ? "AVAILABLE" : "NOT_AVAILABLE"; };
  return answered(200, {{"modelId", known.model->id},
                        {"agreementAvailability", {{"status", available(known.here && agreed)}}},
                        {"authorizationStatus", authorized ? "AUTHORIZED" : "NOT_AUTHORIZED"},
                        {"entitlementAvailability", available(known.here && agreed)},
                        {"regionAvailability", available(known.here)}});
}

Result<http::Response> put_use_case_for_model_access(const Call& call) {
  const json::object form{{"formData", text_member(call.input, "formData")}};
  CRATON_TRY(call.service.store().put(form_key, json::to_text(form)));
  return answered(201, {});
}

Result<http::Response> get_use_case_for_model_access(const Call& call) {
  CRATON_TRY_ASSIGN(const std::optional<std::string> form, call.service.store().get(form_key));
  if (form) return json_response(*form);
  return Error{ErrorCode::resource_not_found,
               "Model use case details have not been submitted for this account."};
}

}  // namespace craton::service
