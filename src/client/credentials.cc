#include "client/credentials.h"

#include <aws/auth/credentials.h>
#include <aws/io/channel_bootstrap.h>
#include <aws/io/event_loop.h>
#include <aws/io/host_resolver.h>
#include <aws/io/tls_channel_handler.h>

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "client/aws_runtime.h"

namespace craton::client {
namespace {

class ToldCredentials : public CredentialSource {
 public:
  explicit ToldCredentials(sigv4::Credentials credentials) : credentials_(std::move(credentials)) {}
  void get(Callback callback) override { callback(credentials_); }

 private:
  const sigv4::Credentials credentials_;
};

/// The network of aws-c-auth: a thread, which begins with the first client that needs it and lasts
/// as long as the process.
struct Network {
  Network() {
    aws_allocator* allocator = aws_default_allocator();
    loops = aws_event_loop_group_new_default(allocator, 1, nullptr);
    aws_host_resolver_default_options resolver_options{};
    resolver_options.el_group = loops;
    resolver_options.max_entries = 8;
    resolver = aws_host_resolver_new_default(allocator, &resolver_options);
    aws_client_bootstrap_options options{};
    options.event_loop_group = loops;
    options.host_resolver = resolver;
    bootstrap = aws_client_bootstrap_new(allocator, &options);
    aws_tls_ctx_options tls_options{};
    aws_tls_ctx_options_init_default_client(&tls_options, allocator);
    tls = aws_tls_client_ctx_new(allocator, &tls_options);
    aws_tls_ctx_options_clean_up(&tls_options);
  }

  aws_event_loop_group* loops = nullptr;
  aws_host_resolver* resolver = nullptr;
  aws_client_bootstrap* bootstrap = nullptr;
  aws_tls_ctx* tls = nullptr;
};

const Network& network() {
  static const auto* const one = new Network;  // until the process ends, and its threads with it
  return *one;
}

using Providers = std::vector<aws_credentials_provider*>;

/// Those that a profile speaks of.
void add_profile(const Profile& profile, Providers& providers) {
  aws_credentials_provider_profile_options of_profile{};
  of_profile.profile_name_override = cursor_of(profile.name());
  of_profile.profile_collection_cached = profile.collection();
  of_profile.bootstrap = network().bootstrap;
  of_profile.tls_ctx = network().tls;
  providers.push_back(aws_credentials_provider_new_profile(aws_default_allocator(), &of_profile));

  aws_credentials_provider_sso_options sso{};
  sso.profile_name_override = cursor_of(profile.name());
  sso.config_file_cached = profile.collection();
  sso.bootstrap = network().bootstrap;
  sso.tls_ctx = network().tls;
  providers.push_back(aws_credentials_provider_new_sso(aws_default_allocator(), &sso));
}

void add_environment(Providers& providers) {
  aws_credentials_provider_environment_options options{};
  providers.push_back(aws_credentials_provider_new_environment(aws_default_allocator(), &options));
}

void add_web_identity(const Profile& profile, Providers& providers) {
  aws_credentials_provider_sts_web_identity_options options{};
  options.profile_name_override = cursor_of(profile.name());
  options.config_profile_collection_cached = profile.collection();
  options.bootstrap = network().bootstrap;
  options.tls_ctx = network().tls;
  providers.push_back(
      aws_credentials_provider_new_sts_web_identity(aws_default_allocator(), &options));
}

void add_machine(Providers& providers) {
  aws_credentials_provider_ecs_environment_options container{};
  container.bootstrap = network().bootstrap;
  container.tls_ctx = network().tls;
  auto* found =
      aws_credentials_provider_new_ecs_from_environment(aws_default_allocator(), &container);
  const char* disabled = std::getenv("AWS_EC2_METADATA_DISABLED");
  if (!found && (!disabled || std::string_view(disabled) != "true")) {
    aws_credentials_provider_imds_options instance{};
    instance.bootstrap = network().bootstrap;
    found = aws_credentials_provider_new_imds(aws_default_allocator(), &instance);
  }
  providers.push_back(found);
}

/// Looks in each, in order, and keeps what it found until it expires. Null without any.
aws_credentials_provider* cached_chain(Providers providers) {
  std::erase(providers, nullptr);  // those that find nothing configured
  if (providers.empty()) return nullptr;
  aws_credentials_provider_chain_options chain{};
  chain.providers = providers.data();
  chain.provider_count = providers.size();
  auto* all = aws_credentials_provider_new_chain(aws_default_allocator(), &chain);
  for (aws_credentials_provider* provider : providers) aws_credentials_provider_release(provider);
  if (!all) return nullptr;
  aws_credentials_provider_cached_options cached{};
  cached.source = all;
  cached.refresh_time_in_milliseconds = 15 * 60 * 1000;
  auto* kept = aws_credentials_provider_new_cached(aws_default_allocator(), &cached);
  aws_credentials_provider_release(all);
  return kept;
}

std::string not_found(const Settings& settings) {
  if (settings.profile.told()) {
    return "the profile '" + settings.profile.name() +
           "' gives no credentials; aws configure --profile " + settings.profile.name() +
           " or aws sso login --profile " + settings.profile.name() + " does";
  }
  return "no credentials were found: not in the AWS_* variables, not in the profile '" +
         settings.profile.name() +
         "', not of a container or an instance. Set AWS_PROFILE, AWS_ACCESS_KEY_ID and "
         "AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK; a Craton server that is open takes "
         "any";
}

class FoundCredentials : public CredentialSource {
 public:
  explicit FoundCredentials(const Settings& settings) : not_found_(not_found(settings)), one_place_(settings.profile.told()) {
    begin_aws();
    Providers providers;
    if (!settings.profile.told()) add_environment(providers);
    if (settings.profile.collection()) add_profile(settings.profile, providers);
    if (!settings.profile.told()) {
      add_web_identity(settings.profile, providers);
      add_machine(providers);
    }
    provider_ = cached_chain(std::move(providers));
  }

  ~FoundCredentials() override {
    if (provider_) aws_credentials_provider_release(provider_);
  }

  void get(Callback callback) override {
    auto query = std::make_unique<Query>(Query{std::move(callback), not_found_, one_place_});
    if (!provider_ ||
        aws_credentials_provider_get_credentials(provider_, on_found, query.get()) != 0) {
      query->callback(error(not_found_));
      return;
    }
    query.release();  // on_found() has it
  }

 private:
  struct Query {
    Callback callback;
    std::string text;  ///< Of the error when there are none.
    bool one_place;
  };

  static Result<sigv4::Credentials> error(const std::string& text) {
    return Error{ErrorCode::unrecognized_client, text};
  }

  static void on_found(aws_credentials* found, int code, void* context) {
    const std::unique_ptr<Query> query(static_cast<Query*>(context));
    if (!found) {
      // What the last of the places said is of use where there was but one.
      query->callback(
          error(query->one_place ? query->text + " (" + aws_error_str(code) + ")" : query->text));
      return;
    }
    query->callback(sigv4::Credentials{text_of(aws_credentials_get_access_key_id(found)),
                                       text_of(aws_credentials_get_secret_access_key(found)),
                                       text_of(aws_credentials_get_session_token(found))});
  }

  const std::string not_found_;
  const bool one_place_;
  aws_credentials_provider* provider_ = nullptr;
};

}  // namespace

std::shared_ptr<CredentialSource> credentials_of(const Settings& settings) {
  if (const auto& told = settings.options.credentials) {
    return std::make_shared<ToldCredentials>(
        sigv4::Credentials{told->access_key_id, told->secret_access_key, told->session_token});
  }
  return std::make_shared<FoundCredentials>(settings);
}

}  // namespace craton::client
