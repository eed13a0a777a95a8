#include "server/model_checks.h"

#include <utility>

#include "engines/script/rules_file.h"
#include "engines/upstream/upstream_engine.h"
#include "models/store.h"
#include "server/answerer.h"
#include "server/aws_account.h"
#include "server/environment.h"
#include "server/model_kinds.h"
#include "server/upstream_model.h"

namespace craton::server {
namespace {

/// One for each server.
void check_upstream(const NamedModel& named, std::vector<ModelCheck>& checks) {
  const auto options = upstream_options(named);
  if (!options) {
    checks.push_back({.name = named.name, .where = {}, .problem = options.error().message});
    return;
  }
  for (engines::upstream::ReplicaCheck& replica : engines::upstream::check_replicas(*options)) {
    ModelCheck check{.name = replica.model.empty() ? named.name : replica.model,
                     .where = replica.server + " at " + replica.url};
    if (!replica.problem.empty()) check.problem = replica.url + ": " + replica.problem;
    checks.push_back(std::move(check));
  }
}

}  // namespace

std::vector<ModelCheck> check_models(const Config& config) {
  const models::Store store = store_of(config.data);
  std::vector<ModelCheck> checks;
  for (const NamedModel& model : all_models(config)) {
    if (!model.config.upstream.empty()) {
      check_upstream(model, checks);
      continue;
    }
    ModelCheck check{.name = model.name, .where = {}};
    if (model.config.aws) {
      const auto account = open_aws_account(model);
      if (account) check.where = "Amazon Bedrock in " + account->client->region();
      if (!account) check.problem = account.error().message;
      checks.push_back(std::move(check));
      continue;
    }
    if (model.config.file == canvas_name) {
      checks.push_back(std::move(check));
      continue;
    }
    if (!model.config.script.empty()) {
      const auto file = engines::script::read_rules_file(model.config.script);
      if (!file) check.problem = file.error().message;
      checks.push_back(std::move(check));
      continue;
    }
    const Result<std::uint64_t> bytes = model_bytes(store, model);
    bytes ? (void)(check.bytes = *bytes) : (void)(check.problem = bytes.error().message);
    checks.push_back(std::move(check));
  }
  return checks;
}

}  // namespace craton::server
