// Control plane: where model calls are logged.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "service/invocation.h"
#include "service/invocation_log.h"
#include "service/operations.h"
#include "store/objects.h"

namespace craton::service {
namespace {

/// The S3 configuration of that name, which may be missing.
Result<void> check_s3(const json::object& holder, std::string_view name) {
  const auto* s3 = holder.if_contains(name);
  if (!s3) return {};
  const json::object& members = s3->get_object();
  CRATON_TRY(store::check_bucket(members.at("bucketName").get_string()));
  const auto* prefix = members.if_contains("keyPrefix");
  if (prefix) CRATON_TRY(store::check_prefix(prefix->get_string()));
  return {};
}

}  // namespace

Result<http::Response> put_model_invocation_logging_configuration(const Call& call) {
  const json::object& config = call.input.members.at("loggingConfig").get_object();
  CRATON_TRY(check_s3(config, "s3Config"));
  if (const auto* cloud_watch = config.if_contains("cloudWatchConfig")) {
    CRATON_TRY(check_s3(cloud_watch->get_object(), "largeDataDeliveryS3Config"));
  }
  const json::object kept{{"loggingConfig", config}};
  CRATON_TRY(call.service.store().put(logging_key(call.region), json::to_text(kept)));
  call.service.invocation_log().changed(call.region);
  return json_response("{}");
}

Result<http::Response> get_model_invocation_logging_configuration(const Call& call) {
  CRATON_TRY_ASSIGN(const std::optional<std::string> kept,
                    call.service.store().get(logging_key(call.region)));
  return json_response(kept.value_or("{}"));
}

Result<http::Response> delete_model_invocation_logging_configuration(const Call& call) {
  CRATON_TRY_ASSIGN(const bool erased, call.service.store().erase(logging_key(call.region)));
  (void)erased;  // AWS answers the same where there is none
  call.service.invocation_log().changed(call.region);
  return json_response("{}");
}

}  // namespace craton::service
