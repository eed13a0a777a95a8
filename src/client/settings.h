// Settings: where a client's requests go, and as whom: options, variables and profile together, in
// the order of the AWS SDKs.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
#pragma once

#include <string>

#include "api/operation.h"
#include "base/result.h"
#include "client/profile.h"
#include "craton/client.h"

namespace craton::client {

struct Settings {
  ClientOptions options;  ///< As told; what was found elsewhere is below.
  Profile profile;
  std::string region;
  bool region_told = false;  ///< Else it is us-east-1.
  std::string control_url;   ///< "https://bedrock.us-east-1.amazonaws.com", without a last slash.
  std::string runtime_url;
  bool endpoint_told = false;  ///< Else it is AWS's own.
  std::string bearer_token;    ///< Empty: requests are signed.
  std::string ca_bundle;
  RetryMode retry_mode = RetryMode::standard;
  int max_attempts = 3;

  const std::string& url_of(api::Service service) const {
    return service == api::Service::bedrock ? control_url : runtime_url;
  }
};

/// AWS_ENDPOINT_URL and its like.
enum class EndpointVariables { heeded, ignored };

/// Fails with `validation`; the message says what is wrong and what to do. A Region must be
/// configured where credentials are and AWS itself is asked.
Result<Settings> resolve(const ClientOptions& options,
                         EndpointVariables variables = EndpointVariables::heeded);

/// Whether anything names credentials: a variable, or the profile. The network is not asked.
bool names_credentials(const Settings& settings);

}  // namespace craton::client
