// A configured account of Amazon Bedrock's, which answers for ids that are bound to it.
#pragma once

#include <memory>

#include "base/result.h"
#include "client/forwarder.h"
#include "craton/client.h"
#include "server/config.h"

namespace craton::server {

struct AwsAccount {
  std::shared_ptr<const Client> client;  ///< For answers that pass through this server's own form,
  std::shared_ptr<client::Forwarder> forwarder;  ///< and for those that are handed on.
};

/// Reads profile and variables; asks nobody. AWS_ENDPOINT_URL is not heeded, as it names this very
/// server where a shell was set up for it: `endpoint_url` of the profile is. Fails with
/// `validation`; the message says what to do.
Result<AwsAccount> open_aws_account(const NamedModel& named);

}  // namespace craton::server
