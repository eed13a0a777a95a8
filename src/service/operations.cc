#include "service/operations.h"

#include <algorithm>
#include <array>
#include <utility>

namespace craton::service {
namespace {

constexpr std::array rows{
    OperationRow{"Converse", nullptr, converse_operation},
    OperationRow{"ConverseStream", nullptr, converse_stream},
    OperationRow{"CountTokens", nullptr, count_tokens},
    OperationRow{"CreateFoundationModelAgreement", create_foundation_model_agreement, nullptr},
    OperationRow{"DeleteFoundationModelAgreement", delete_foundation_model_agreement, nullptr},
    OperationRow{"DeleteModelInvocationLoggingConfiguration",
                 delete_model_invocation_logging_configuration, nullptr},
    OperationRow{"GetFoundationModel", get_foundation_model, nullptr},
    OperationRow{"GetFoundationModelAvailability", get_foundation_model_availability, nullptr},
    OperationRow{"GetInferenceProfile", get_inference_profile, nullptr},
    OperationRow{"GetModelInvocationLoggingConfiguration",
                 get_model_invocation_logging_configuration, nullptr},
    OperationRow{"GetUseCaseForModelAccess", get_use_case_for_model_access, nullptr},
    OperationRow{"InvokeModel", nullptr, invoke_model},
    OperationRow{"InvokeModelWithResponseStream", nullptr, invoke_model_with_response_stream},
    OperationRow{"ListFoundationModelAgreementOffers", list_foundation_model_agreement_offers,
                 nullptr},
    OperationRow{"ListFoundationModels", list_foundation_models, nullptr},
    OperationRow{"ListInferenceProfiles", list_inference_profiles, nullptr},
    OperationRow{"PutModelInvocationLoggingConfiguration",
                 put_model_invocation_logging_configuration, nullptr},
    OperationRow{"PutUseCaseForModelAccess", put_use_case_for_model_access, nullptr},
};

constexpr bool by_name(const OperationRow& a, const OperationRow& b) { return a.name < b.name; }
static_assert(std::is_sorted(rows.begin(), rows.end(), by_name), "found by binary search");

}  // namespace

std::span<const OperationRow> implemented_operations() { return rows; }

const OperationRow* find_implementation(std::string_view operation) {
  const auto row =
      std::lower_bound(rows.begin(), rows.end(), operation,
                       [](const OperationRow& a, std::string_view name) { return a.name < name; });
  return row != rows.end() && row->name == operation ? &*row : nullptr;
}

http::Response json_response(std::string body) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace craton::service
