#include "server/aws_account.h"

#include <string>
#include <utility>

#include "client/settings.h"

namespace craton::server {

Result<AwsAccount> open_aws_account(const NamedModel& named) {
  ClientOptions options;
  options.profile = named.config.aws_profile;
  options.region = named.config.aws_region;
  options.max_attempts = 1;  // whoever asked this server tries again
  options.user_agent = "craton-serve";
  auto settings = client::resolve(options, client::EndpointVariables::ignored);
  if (!settings) {
    return Error{ErrorCode::validation, named.name + ": " + settings.error().message};
  }
  if (!client::names_credentials(*settings)) {
    return Error{ErrorCode::validation,
                 named.name +
                     ": there are no credentials for AWS. Set AWS_PROFILE or AWS_ACCESS_KEY_ID, or "
                     "name a profile: aws:PROFILE"};
  }
  options.region = settings->region;
  options.endpoint_url = settings->runtime_url;
  Outcome<Client> client = Client::make(options);
  if (!client) {
    return Error{ErrorCode::validation, named.name + ": " + client.error().message};
  }
  return AwsAccount{std::make_shared<const Client>(std::move(*client)),
                    std::make_shared<client::Forwarder>(std::move(*settings))};
}

}  // namespace craton::server
