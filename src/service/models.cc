// Control plane: foundation models and inference profiles, from the catalogue.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "service/invocation.h"
#include "service/operations.h"

namespace craton::service {
Result<http::Response> list_foundation_models(const Call& call) {
  const catalog::ModelFilter filter{
      .provider = std::string(text_member(call.input, "byProvider")),
      .output_modality = std::string(text_member(call.input, "byOutputModality")),
      .inference_type = std::string(text_member(call.input, "byInferenceType")),
      .customization_type = std::string(text_member(call.input, "byCustomizationType")),
  };
  http::Response response = json_response({});
  response.shared_body = call.service.catalog().list_models(call.region, filter);
  return response;
}

Result<http::Response> get_foundation_model(const Call& call) {
  CRATON_TRY_ASSIGN(std::string body, call.service.catalog().get_model(
                                          call.region, text_member(call.input, "modelIdentifier")));
  return json_response(std::move(body));
}

Result<http::Response> list_inference_profiles(const Call& call) {
  constexpr int page_size = 1000;  // maxResults' upper bound in the service model
  const auto* asked = call.input.members.if_contains("maxResults");
  const int results_max =
      asked && asked->is_int64() ? static_cast<int>(asked->get_int64()) : page_size;
  CRATON_TRY_ASSIGN(std::string body, call.service.catalog().list_profiles(
                                          call.region, text_member(call.input, "typeEquals"),
                                          results_max, text_member(call.input, "nextToken")));
  return json_response(std::move(body));
}

Result<http::Response> get_inference_profile(const Call& call) {
  CRATON_TRY_ASSIGN(std::string body,
                    call.service.catalog().get_profile(
                        call.region, text_member(call.input, "inferenceProfileIdentifier")));
  return json_response(std::move(body));
}

}  // namespace craton::service
