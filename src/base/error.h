// The errors of Bedrock's API: one row per error type that an answer can carry.
//
// Source: the `error` traits of the bedrock and bedrock-runtime service models; the last rows are
// what AWS's front ends answer before an operation is known.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace craton {

enum class ErrorCode {
  access_denied,
  conflict,
  internal_server,
  model_error,
  model_not_ready,
  model_stream_error,
  model_timeout,
  resource_in_use,
  resource_not_found,
  service_quota_exceeded,
  service_unavailable,
  throttling,
  too_many_tags,
  validation,
  not_implemented,
  request_entity_too_large,
  serialization,
  unknown_operation,
  missing_authentication_token,
  incomplete_signature,
  invalid_signature,
  unrecognized_client,
  expired_token,
  not_authorized,
};

/// Who answers with an error, which shows in its form.
enum class ErrorSource {
  operation,  ///< Bedrock: {"message":…}
  signing,    ///< What checks signatures: the same, under a namespace of its own.
  access,     ///< What checks keys and permissions: {"Message":…}
};

struct ErrorShape {
  ErrorCode code;
  std::string_view name;  ///< `x-amzn-ErrorType`
  int status;             ///< HTTP status
  ErrorSource source = ErrorSource::operation;
};

inline constexpr std::array error_shapes{
    ErrorShape{ErrorCode::access_denied, "AccessDeniedException", 403},
    ErrorShape{ErrorCode::conflict, "ConflictException", 400},
    ErrorShape{ErrorCode::internal_server, "InternalServerException", 500},
    ErrorShape{ErrorCode::model_error, "ModelErrorException", 424},
    ErrorShape{ErrorCode::model_not_ready, "ModelNotReadyException", 429},
    ErrorShape{ErrorCode::model_stream_error, "ModelStreamErrorException", 424},
    ErrorShape{ErrorCode::model_timeout, "ModelTimeoutException", 408},
    ErrorShape{ErrorCode::resource_in_use, "ResourceInUseException", 400},
    ErrorShape{ErrorCode::resource_not_found, "ResourceNotFoundException", 404},
    ErrorShape{ErrorCode::service_quota_exceeded, "ServiceQuotaExceededException", 400},
    ErrorShape{ErrorCode::service_unavailable, "ServiceUnavailableException", 503},
    ErrorShape{ErrorCode::throttling, "ThrottlingException", 429},
    ErrorShape{ErrorCode::too_many_tags, "TooManyTagsException", 400},
    ErrorShape{ErrorCode::validation, "ValidationException", 400},
    ErrorShape{ErrorCode::not_implemented, "NotImplementedException", 501},
    ErrorShape{ErrorCode::request_entity_too_large, "RequestEntityTooLargeException", 413},
    ErrorShape{ErrorCode::serialization, "SerializationException", 400},
    ErrorShape{ErrorCode::unknown_operation, "UnknownOperationException", 404},
    ErrorShape{ErrorCode::missing_authentication_token, "MissingAuthenticationTokenException", 403,
               ErrorSource::signing},
    ErrorShape{ErrorCode::incomplete_signature, "IncompleteSignatureException", 403,
               ErrorSource::signing},
    ErrorShape{ErrorCode::invalid_signature, "InvalidSignatureException", 403,
               ErrorSource::signing},
    ErrorShape{ErrorCode::unrecognized_client, "UnrecognizedClientException", 403,
               ErrorSource::signing},
    ErrorShape{ErrorCode::expired_token, "ExpiredTokenException", 403, ErrorSource::signing},
    ErrorShape{ErrorCode::not_authorized, "AccessDeniedException", 403, ErrorSource::access},
};

constexpr bool in_enum_order(const decltype(error_shapes)& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (static_cast<std::size_t>(rows[i].code) != i) return false;
  }
  return rows.size() == static_cast<std::size_t>(ErrorCode::not_authorized) + 1;
}
static_assert(in_enum_order(error_shapes), "one row per ErrorCode, in its order");

constexpr const ErrorShape& shape_of(ErrorCode code) {
  return error_shapes[static_cast<std::size_t>(code)];
}

struct Error {
  ErrorCode code;
  std::string message;  ///< Sent to the caller: no paths, no secrets.
  /// A finer code than `code`, where a provider's own API has one: "previous_response_not_found". A
  /// literal of the program; AWS's forms do not show it.
  std::string_view cause = {};
};

}  // namespace craton
