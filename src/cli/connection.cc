#include "cli/connection.h"

#include <unistd.h>

#include <boost/json/object.hpp>
#include <cstdio>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "cli/commands.h"
#include "client/settings.h"
#include "server/config.h"
#include "server/environment.h"
#include "server/served_models.h"

namespace craton::cli {
namespace {

/// Loading a model may take longer than a server lets callers wait.
constexpr std::chrono::minutes load_limit{10};

const ClientCredentials any_credentials{"craton", "craton"};

CallError problem(const Error& error) {
  return {.kind = CallError::Kind::configuration, .message = error.message};
}

ClientOptions options_of(const ConnectionFlags& flags) {
  ClientOptions options;
  options.profile = flags.profile;
  options.region = flags.region;
  options.endpoint_url = flags.endpoint_url;
  options.ca_bundle = flags.ca_bundle;
  options.user_agent = "craton-cli";
  return options;
}

/// The server that `craton serve` would be, for this process alone.
Result<std::unique_ptr<server::BedrockServer>> start_server() {
  CRATON_TRY_ASSIGN(server::Config config,
                    server::read_config({{}, server::process_environment, {}}));
  config.host = "127.0.0.1";
  config.port = 0;
  config.auth = server::Auth::open;
  config.auth_told = true;
  config.tls = server::Tls::off;
  config.io_threads = 1;
  config.model_wait = load_limit;
  log::set_level(log::Level::error);
  CRATON_TRY_ASSIGN(auto models, server::ServedModels::make(config));
  return server::BedrockServer::start(config, std::move(models));
}

struct Exit {
  CallError::Kind kind;
  std::string_view name;
  int code;
};
constexpr Exit exits[] = {
    {CallError::Kind::service, "service", exit_failed},
    {CallError::Kind::protocol, "protocol", exit_failed},
    {CallError::Kind::configuration, "configuration", exit_usage},
    {CallError::Kind::credentials, "credentials", exit_credentials},
    {CallError::Kind::connection, "connection", exit_unreachable},
    {CallError::Kind::time_out, "time-out", exit_unreachable},
    {CallError::Kind::cancelled, "cancelled", exit_interrupted},
};

}  // namespace

std::shared_ptr<ConnectionFlags> add_connection(CLI::App& command,
                                                const std::vector<std::string>& outputs) {
  auto flags = std::make_shared<ConnectionFlags>();
  flags->output = outputs.front();
  command.add_option("--profile", flags->profile, "AWS profile (default: AWS_PROFILE)")
      ->type_name("NAME");
  command.add_option("--region", flags->region, "Region (default: AWS_REGION, the profile's)")
      ->type_name("REGION");
  command
      .add_option("--endpoint-url", flags->endpoint_url,
                  "Server to ask (default: AWS_ENDPOINT_URL, the profile's, else AWS)")
      ->type_name("URL");
  command.add_option("--ca-bundle", flags->ca_bundle, "PEM file of who is trusted")
      ->type_name("FILE");
  command.add_flag("--local", flags->local,
                   "Ask the model in this program; so it is, too, where no endpoint and no "
                   "credentials are configured");
  std::string choices;
  for (const std::string& output : outputs) choices += (choices.empty() ? "" : ", ") + output;
  command.add_option("--output", flags->output, choices + " (default " + outputs.front() + ")")
      ->check(CLI::IsMember(outputs))
      ->type_name("FORM");
  return flags;
}

Connection::Connection() = default;
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;

Outcome<Connection> Connection::open(const ConnectionFlags& flags) {
  Connection connection;
  ClientOptions options = options_of(flags);
  if (!flags.local) {
    const Result<client::Settings> settings = client::resolve(options);
    if (!settings) return tl::unexpected(problem(settings.error()));
    const bool has_credentials = client::names_credentials(*settings);
    if (settings->endpoint_told || has_credentials) {
      // A server that was told is asked all the same: where it is open, any will do.
      if (!has_credentials) options.credentials = any_credentials;
      Outcome<Client> client = Client::make(options);
      if (!client) return tl::unexpected(std::move(client.error()));
      connection.client_ = std::make_unique<Client>(std::move(*client));
      return connection;
    }
    if (isatty(STDERR_FILENO)) {
      std::fputs(
          "No endpoint and no credentials are configured: the model in this program answers.\n",
          stderr);
    }
  }
  auto server = start_server();
  if (!server) return tl::unexpected(problem(server.error()));
  connection.server_ = std::move(*server);
  options = {.region = flags.region.empty() ? "us-east-1" : flags.region,
             .endpoint_url = connection.server_->url(),
             .credentials = any_credentials,
             .user_agent = options.user_agent};
  Outcome<Client> client = Client::make(options);
  if (!client) return tl::unexpected(std::move(client.error()));
  connection.client_ = std::make_unique<Client>(std::move(*client));
  return connection;
}

int fail(const CallError& error, bool json) {
  const Exit* exit = std::begin(exits);
  while (exit->kind != error.kind) ++exit;
  if (json) {
    json::object object{{"kind", exit->name}, {"message", error.message}};
    if (!error.type.empty()) object["type"] = error.type;
    if (error.status != 0) object["status"] = error.status;
    if (!error.request_id.empty()) object["requestId"] = error.request_id;
    std::fprintf(stderr, "%s\n", json::to_text(json::object{{"error", std::move(object)}}).c_str());
    return exit->code;
  }
  std::string text = (error.type.empty() ? "" : error.type + ": ") + error.message;
  if (error.attempts > 1) text += " (after " + std::to_string(error.attempts) + " attempts)";
  fail(text);
  return exit->code;
}

}  // namespace craton::cli
