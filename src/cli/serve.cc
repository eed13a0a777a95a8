// craton serve: runs the server until it is told to stop.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/log.h"
#include "cli/commands.h"
#include "server/bedrock_server.h"
#include "server/config.h"
#include "server/environment.h"
#include "server/served_models.h"
#include "server/settings.h"

namespace craton::cli {
namespace {

struct ServeFlags {
  std::map<std::string, std::string> values;
  std::string config_file;
};

/// SIGINT and SIGTERM, which stop, and SIGHUP, which has files read again; kept from every thread
/// so that this one can wait for them. Made before any other thread is.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

  /// True when one that stops came within 50 ms.
  bool stop_came() const {
    const timespec moment{0, 50'000'000};
    const int signal = sigtimedwait(&set_, nullptr, &moment);
    return signal > 0 && signal != SIGHUP;
  }

 private:
  sigset_t set_;
};

void print_models(const server::ServedModels& models, const std::string& url) {
  const std::vector<server::PooledModels::Row> rows = models.rows();
  const std::vector<std::string> rules = models.rules_told();
  for (const std::string& file : rules) std::printf("rules: %s\n", file.c_str());
  const std::string recordings = models.recordings_told();
  if (!recordings.empty()) std::printf("replay: %s\n", recordings.c_str());
  if (rows.empty() && rules.empty() && recordings.empty())
    std::printf("model: none, so the control plane only\n");
  for (const server::PooledModels::Row& row : rows) {
    const std::string when =
        row.kept ? "loading; " + url + "/ready turns 200 when it answers" : "loaded when asked for";
    std::printf("model: %s (%s)\n", std::string(row.engine->model()).c_str(), when.c_str());
  }
}

void print_start(const server::Config& config, const server::BedrockServer& server,
                 const server::ServedModels& models) {
  const std::string url = server.url();
  std::printf("craton listens on %s\n", url.c_str());
  print_models(models, url);
  const std::optional<std::size_t> keys = server.keys();
  if (keys) {
    std::printf("auth: verify, %zu key(s) in %s\n", *keys,
                server::key_file_of(config).string().c_str());
  }
  std::printf(
      "\nPoint any AWS SDK here:\n\n"
      "export AWS_ENDPOINT_URL=%s\n"
      "export AWS_REGION=%s AWS_DEFAULT_REGION=%s\n%s",
      url.c_str(), config.region.c_str(), config.region.c_str(),
      keys ? "# and the key that this prints: craton keys create NAME\n"
           : "export AWS_ACCESS_KEY_ID=craton AWS_SECRET_ACCESS_KEY=craton\n");
  if (const std::string& authority = server.authority_file(); !authority.empty()) {
    std::printf("export AWS_CA_BUNDLE='%s'\nexport NODE_EXTRA_CA_CERTS='%s' SSL_CERT_FILE='%s'\n",
                authority.c_str(), authority.c_str(), authority.c_str());
  }
  std::printf("\n");
  std::fflush(stdout);
}

Result<server::Config> config_of(const ServeFlags& flags) {
  return server::read_config({flags.values, server::process_environment, flags.config_file});
}

/// What reads its files again, and what the log calls it.
void reload(std::string_view what, const Result<void>& result) {
  const std::string name(what);
  result ? log::info(name + "_reloaded")
         : log::error(name + "_not_reloaded", {{"reason", result.error().message}});
}

/// Bindings, and the models that they name; the rest is as it was at the start.
Result<void> reload_bindings(const ServeFlags& flags, server::ServedModels& models) {
  CRATON_TRY_ASSIGN(const server::Config config, config_of(flags));
  return models.rebind(config);
}

void reload_all(const ServeFlags& flags, server::BedrockServer& server,
                server::ServedModels& models) {
  if (server.url().starts_with("https:")) reload("tls", server.reload_tls());
  reload("bindings", reload_bindings(flags, models));
  if (!models.rules_told().empty()) reload("rules", models.reload_rules());
}

/// Drains at the first signal that stops; stops at once at a second.
void serve_until_stopped(const ServeFlags& flags, server::BedrockServer& server,
                         server::ServedModels& models, const Signals& signals,
                         std::chrono::seconds drain_limit) {
  while (signals.wait() == SIGHUP) reload_all(flags, server, models);
  log::info("draining", {{"limit_s", std::int64_t(drain_limit.count())}});
  std::atomic<bool> drained = false;
  std::thread drain([&] {
    server.drain(drain_limit);
    drained = true;
  });
  while (!drained) {
    if (!signals.stop_came()) continue;
    log::warning("stopped_at_once");
    server.stop();
    break;
  }
  drain.join();
  server.stop();
}

/// Lets a large body's memory go back to the system where it is freed, whichever thread asked for
/// it. glibc's own bound rises to 32 MiB with use, and past it each I/O thread keeps as much as the
/// whole journal holds (a server's limit of memory would depend on how many cores it has).
void return_large_blocks() {
#ifdef __GLIBC__
  constexpr int large_block_bytes = 256 * 1024;
  constexpr int kept_free_bytes = 4 * 1024 * 1024;  // a thread's own, for the next request
  ::mallopt(M_MMAP_THRESHOLD, large_block_bytes);
  ::mallopt(M_TRIM_THRESHOLD, kept_free_bytes);
#endif
}

int serve(const ServeFlags& flags) {
  return_large_blocks();
  const auto config = config_of(flags);
  if (!config) return fail(config.error().message);
  log::set_level(config->log_level);
  const Signals signals;
  ::signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error where it is written to
  const auto models = server::ServedModels::make(*config);
  if (!models) return fail(models.error().message);
  const auto server = server::BedrockServer::start(*config, *models);
  if (!server) return fail(server.error().message);
  print_start(*config, **server, **models);
  serve_until_stopped(flags, **server, **models, signals, config->drain_limit);
  log::info("stopped");
  log::flush();
  return exit_ok;
}

}  // namespace

void add_serve(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("serve", "Serve Bedrock's API from a local model");
  auto flags = std::make_shared<ServeFlags>();
  for (const server::Setting& setting : server::settings()) {
    const std::string name(setting.name);
    CLI::Option* option =
        command
            ->add_option_function<std::string>(
                "--" + name, [flags, name](const std::string& text) { flags->values[name] = text; },
                std::string(setting.help))
            ->type_name(std::string(setting.value));
    if (setting.repeats) {
      option->delimiter(',')->multi_option_policy(CLI::MultiOptionPolicy::Join);
    }
  }
  command
      ->add_option("--config", flags->config_file,
                   "File of the same settings, YAML (default ./craton.yaml)")
      ->type_name("FILE");
  command->footer(
      "Each flag can also be a variable (CRATON_PORT) or a line of craton.yaml (port: 8420).\n"
      "Flags win over variables, variables over the file.");
  command->callback([flags, &exit_code] { exit_code = serve(*flags); });
}

}  // namespace craton::cli
