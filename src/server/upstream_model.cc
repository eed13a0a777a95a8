#include "server/upstream_model.h"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/files.h"
#include "server/environment.h"

namespace craton::server {
namespace {

constexpr int requests_each = 1024;  // on one server at once, where `parallel` says no other
constexpr std::size_t key_bytes_max = 64 * 1024;

Error refused(const NamedModel& named, const std::string& message) {
  return {ErrorCode::validation, named.name + ": " + message};
}

/// A header cannot hold everything, and a key's file often ends with a line feed.
Result<std::string> checked_key(const NamedModel& named, std::string key, const std::string& from) {
  while (key.ends_with('\n') || key.ends_with('\r') || key.ends_with(' ')) key.pop_back();
  if (key.empty()) return refused(named, from + " is empty; it is to hold the server's API key");
  for (const char c : key) {
    if (c <= ' ' || c == 0x7F) return refused(named, from + " holds more than an API key");
  }
  return key;
}

Result<std::string> key_of(const NamedModel& named) {
  const ModelConfig& config = named.config;
  if (!config.api_key_env.empty() && !config.api_key_file.empty()) {
    return refused(named, "api-key-env and api-key-file exclude each other");
  }
  if (!config.api_key_file.empty()) {
    CRATON_TRY_ASSIGN(std::string key, read_file(config.api_key_file, key_bytes_max));
    return checked_key(named, std::move(key), config.api_key_file);
  }
  if (config.api_key_env.empty()) return std::string();
  std::optional<std::string> key = process_environment(config.api_key_env);
  if (!key) {
    return refused(named, "the variable " + config.api_key_env + " of api-key-env is not set");
  }
  return checked_key(named, *std::move(key), "the variable " + config.api_key_env);
}

}  // namespace

Result<engines::upstream::UpstreamOptions> upstream_options(const NamedModel& named) {
  const ModelConfig& config = named.config;
  std::error_code error;
  if (!config.ca_file.empty() && !std::filesystem::is_regular_file(config.ca_file, error)) {
    return refused(named, "ca-file: " + config.ca_file + " is no file");
  }
  engines::upstream::UpstreamOptions options;
  options.authority_file = config.ca_file;
  options.cluster.replicas = config.upstream;
  options.cluster.model = config.upstream_model;
  if (!config.upstream_kind.empty()) {
    options.cluster.kind = engines::upstream::find_server_kind(config.upstream_kind);
  }
  CRATON_TRY_ASSIGN(options.cluster.api_key, key_of(named));
  options.cluster.idle_limit = std::chrono::seconds(config.idle_limit_s);
  options.cluster.balancer.requests_max = config.parallel > 0 ? config.parallel : requests_each;
  return options;
}

}  // namespace craton::server
