#include "client/aws_runtime.h"

#include <aws/auth/auth.h>

#include <mutex>

namespace craton::client {

void begin_aws() {
  static std::once_flag once;
  std::call_once(once, [] { aws_auth_library_init(aws_default_allocator()); });
}

}  // namespace craton::client
