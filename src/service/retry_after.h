// Whether refusals by quotas say when to come again.
#pragma once

namespace craton::service {

enum class RetryAfter {
  automatic,  ///< In the forms of providers whose own APIs do; Bedrock is not known to.
  on,
  off,
};

}  // namespace craton::service
