#include "client/settings.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <optional>

namespace craton::client {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

bool is_true(const std::optional<std::string>& text) { return text == "true" || text == "True"; }

Error invalid(std::string message) { return {ErrorCode::validation, std::move(message)}; }

std::optional<std::string> region_of(const ClientOptions& options, const Profile& profile) {
  if (!options.region.empty()) return options.region;
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto value = variable(name)) return value;
  }
  return profile.find("region");
}

/// Of servers that are told by their URL.
constexpr std::string_view default_region = "us-east-1";

/// As a host's label, which it becomes.
bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 63 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == text.npos;
}

struct ServiceNames {
  std::string_view host;     ///< "bedrock-runtime"
  const char* variable;      ///< "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
  std::string_view section;  ///< Of a `services` section.
};
constexpr ServiceNames control_plane{"bedrock", "AWS_ENDPOINT_URL_BEDROCK", "bedrock"};
constexpr ServiceNames runtime{"bedrock-runtime", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
                               "bedrock_runtime"};

std::optional<std::string> told_endpoint(const ServiceNames& service, const ClientOptions& options,
                                         const Profile& profile, EndpointVariables variables) {
  if (!options.endpoint_url.empty()) return options.endpoint_url;
  if (is_true(variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) ||
      is_true(profile.find("ignore_configured_endpoint_urls"))) {
    return std::nullopt;
  }
  if (variables == EndpointVariables::heeded) {
    if (auto url = variable(service.variable)) return url;
    if (auto url = variable("AWS_ENDPOINT_URL")) return url;
  }
  if (auto url = profile.find_of_service(service.section, "endpoint_url")) return url;
  return profile.find("endpoint_url");
}

struct Partition {
  std::string_view prefix;  ///< Of its Regions.
  std::string_view suffix;
  std::string_view dual_stack_suffix;
};
constexpr Partition partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"", "amazonaws.com", "api.aws"},
};

std::string aws_endpoint(const ServiceNames& service, std::string_view region, bool fips,
                         bool dual_stack) {
  const auto* partition = std::ranges::find_if(
      partitions, [&](const Partition& one) { return region.starts_with(one.prefix); });
  std::string url = "https://";
  url += service.host;
  if (fips) url += "-fips";
  url += '.';
  url += region;
  url += '.';
  return url += dual_stack ? partition->dual_stack_suffix : partition->suffix;
}

Result<std::string> checked_url(std::string url) {
  const bool http = url.starts_with("http://") || url.starts_with("https://");
  const std::size_t host = url.find("://");
  if (!http || url.size() <= host + 3 || url.find_first_of(" ?#\r\n") != url.npos) {
    return invalid("'" + url + "' is no endpoint such as http://127.0.0.1:8420");
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<RetryMode> retry_mode_of(const std::string& text) {
  if (text == "standard" || text == "legacy") return RetryMode::standard;
  if (text == "adaptive") return RetryMode::adaptive;
  return invalid("'" + text + "' is no retry mode: standard or adaptive");
}

Result<int> attempts_of(const std::string& text) {
  int number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ptr == text.data() + text.size() && number >= 1) return number;
  return invalid("'" + text + "' is no number of attempts, which is 1 or more");
}

std::optional<std::string> either(const char* name, const Profile& profile,
                                  std::string_view property) {
  auto value = variable(name);
  return value ? value : profile.find(property);
}

Result<void> resolve_retries(Settings& settings) {
  if (settings.options.retry_mode) {
    settings.retry_mode = *settings.options.retry_mode;
  } else if (const auto mode = either("AWS_RETRY_MODE", settings.profile, "retry_mode")) {
    CRATON_TRY_ASSIGN(settings.retry_mode, retry_mode_of(*mode));
  }
  if (settings.options.max_attempts > 0) {
    settings.max_attempts = settings.options.max_attempts;
  } else if (const auto most = either("AWS_MAX_ATTEMPTS", settings.profile, "max_attempts")) {
    CRATON_TRY_ASSIGN(settings.max_attempts, attempts_of(*most));
  }
  return {};
}

Result<void> resolve_endpoints(Settings& settings, EndpointVariables variables) {
  const ClientOptions& options = settings.options;
  const bool fips = options.fips.value_or(
      is_true(either("AWS_USE_FIPS_ENDPOINT", settings.profile, "use_fips_endpoint")));
  const bool dual_stack = options.dual_stack.value_or(
      is_true(either("AWS_USE_DUALSTACK_ENDPOINT", settings.profile, "use_dualstack_endpoint")));
  for (auto [service, url] : {std::pair(&control_plane, &settings.control_url),
                              std::pair(&runtime, &settings.runtime_url)}) {
    const auto told = told_endpoint(*service, options, settings.profile, variables);
    settings.endpoint_told |= told.has_value();
    CRATON_TRY_ASSIGN(
        *url,
        checked_url(told ? *told : aws_endpoint(*service, settings.region, fips, dual_stack)));
  }
  return {};
}

}  // namespace

Result<Settings> resolve(const ClientOptions& options, EndpointVariables variables) {
  CRATON_TRY_ASSIGN(Profile profile, Profile::read(options.profile));
  Settings settings{.options = options, .profile = std::move(profile)};
  const auto region = region_of(options, settings.profile);
  settings.region_told = region.has_value();
  settings.region = region.value_or(std::string(default_region));
  if (!is_region(settings.region)) return invalid("'" + settings.region + "' is no Region");
  CRATON_TRY(resolve_endpoints(settings, variables));
  CRATON_TRY(resolve_retries(settings));
  settings.bearer_token = options.bearer_token;
  if (settings.bearer_token.empty() && !options.credentials) {
    settings.bearer_token = variable("AWS_BEARER_TOKEN_BEDROCK").value_or("");
  }
  settings.ca_bundle = options.ca_bundle;
  if (settings.ca_bundle.empty()) {
    settings.ca_bundle = either("AWS_CA_BUNDLE", settings.profile, "ca_bundle").value_or("");
  }
  if (!settings.region_told && !settings.endpoint_told && names_credentials(settings)) {
    return invalid("no Region is configured: set AWS_REGION, or region in the profile");
  }
  return settings;
}

bool names_credentials(const Settings& settings) {
  if (settings.options.credentials || !settings.bearer_token.empty()) return true;
  if (settings.profile.told()) return true;
  for (const char* name :
       {"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    if (variable(name)) return true;
  }
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"aws_access_key_id", "role_arn", "credential_process",
                                              "sso_session", "sso_start_url"},
      [&](std::string_view property) { return settings.profile.find(property).has_value(); });
}

}  // namespace craton::client
