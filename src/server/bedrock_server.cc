#include "server/bedrock_server.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "auth/gate.h"
#include "http/server.h"
#include "server/admin.h"
#include "server/environment.h"
#include "server/health.h"
#include "server/metrics_page.h"
#include "server/tls.h"
#include "service/errors.h"
#include "service/service.h"

namespace craton::server {
namespace {

http::ServerOptions http_options(const Config& config, const TlsSetup& tls) {
  http::ServerOptions options;
  options.host = config.host;
  options.port = config.port;
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  options.threads = config.io_threads > 0 ? config.io_threads : std::min(cores, 4);
  options.body_bytes_max = config.body_bytes_max;
  options.tls = tls.context;
  return options;
}

service::ServiceOptions service_options(const Config& config, std::shared_ptr<auth::Gate> gate,
                                        std::shared_ptr<engines::replay::Recorder> recorder,
                                        std::shared_ptr<const service::Forwarding> forwarding,
                                        std::shared_ptr<auth::QuotaTable> quotas) {
  return {.region = config.region,
          .model_wait = config.model_wait,
          .answer_limit = config.answer_limit,
          .gate = std::move(gate),
          .recorder = std::move(recorder),
          .store = resource_store_of(config),
          .access = config.access,
          .logs = config.logs.empty() ? data_folder(config.data) / "logs"
                                      : std::filesystem::path(config.logs),
          .journal = static_cast<std::size_t>(config.journal),
          .forwarding = std::move(forwarding),
          .quotas = std::move(quotas),
          .retry_after = config.retry_after};
}

}  // namespace

struct BedrockServer::Parts {
  Parts(const Config& with, TlsSetup with_tls, std::shared_ptr<ServedModels> served,
        std::shared_ptr<auth::Gate> let_in, std::shared_ptr<engines::replay::Recorder> recorder)
      : config(with),
        tls(std::move(with_tls)),
        models(std::move(served)),
        gate(std::move(let_in)),
        quotas(std::make_shared<auth::QuotaTable>(config.quotas)),
        service(service_options(config, gate, std::move(recorder), models, quotas),
                std::make_shared<catalog::Catalog>(config.catalog),
                [this](const engines::Request& asked) { return models->engine_for(asked); }),
        http(
            http_options(config, tls),
            [this](http::Request request) { return answer(std::move(request)); },
            [this](int status, std::string_view reason) { return refuse(status, reason); }),
        host(config.host) {}

  Engines engines(bool kept_alone) const {
    Engines some;
    for (PooledModels::Row& row : models->rows()) {
      if (row.kept || !kept_alone) some.push_back(std::move(row.engine));
    }
    return some;
  }

  boost::asio::awaitable<http::Response> answer(http::Request request) {
    const SteadyTime began = std::chrono::steady_clock::now();
    std::optional<http::Response> probe;
    if (is_probe(request)) probe = answer_probe(request, engines(true));
    if (!probe) probe = answer_admin(request, {*models, service.journal(), *quotas});
    if (!probe && asks_for_metrics(request)) {
      probe = metrics_page(request, {service, engines(false), http.traffic()});
    }
    if (!probe) return service.handle(std::move(request));
    service.metrics()->finished({.operation = path_name(request.target),
                                 .status = probe->status,
                                 .error = {},
                                 .took = std::chrono::steady_clock::now() - began,
                                 .answer = {}});
    return ready_response(std::move(*probe));
  }

  /// What never became a request.
  http::Response refuse(int status, std::string_view reason) const {
    service.metrics()->finished(
        {.operation = {}, .status = status, .error = {}, .took = std::nullopt, .answer = {}});
    return service::refusal_response(status, reason);
  }

  /// "health" for "/health".
  static std::string_view path_name(std::string_view target) {
    return target.substr(1, target.find('?') - 1);
  }

  static boost::asio::awaitable<http::Response> ready_response(http::Response response) {
    co_return response;
  }

  const Config config;
  TlsSetup tls;
  std::shared_ptr<ServedModels> models;
  std::shared_ptr<auth::Gate> gate;  // null: everybody is let in
  std::shared_ptr<auth::QuotaTable> quotas;
  service::Service service;
  http::Server http;  // last: its threads end before what they use
  std::string host;
};

BedrockServer::BedrockServer() = default;
BedrockServer::~BedrockServer() = default;

Result<std::unique_ptr<BedrockServer>> BedrockServer::start(const Config& config,
                                                            std::shared_ptr<ServedModels> models) {
  std::unique_ptr<BedrockServer> server(new BedrockServer);
  CRATON_TRY_ASSIGN(TlsSetup tls, make_tls(config));
  std::shared_ptr<auth::Gate> gate;
  if (config.auth == Auth::verify) {
    CRATON_TRY_ASSIGN(gate,
                      auth::Gate::open({.keys = key_file_of(config), .region = config.region}));
  }
  std::shared_ptr<engines::replay::Recorder> recorder;
  if (!config.record.empty()) {
    CRATON_TRY_ASSIGN(recorder,
                      engines::replay::Recorder::open(config.record, config.replay_ignore));
  }
  server->parts_ = std::make_unique<Parts>(config, std::move(tls), std::move(models),
                                           std::move(gate), std::move(recorder));
  CRATON_TRY(server->parts_->http.start());
  return server;
}

std::optional<std::size_t> BedrockServer::keys() const {
  if (!parts_->gate) return std::nullopt;
  return parts_->gate->keys();
}

std::uint16_t BedrockServer::port() const { return parts_->http.port(); }

std::string BedrockServer::url() const {
  const std::string& host = parts_->host;
  const bool every_address = host == "0.0.0.0" || host == "::";
  const std::string shown = every_address                         ? "127.0.0.1"
                            : host.find(':') != std::string::npos ? "[" + host + "]"
                                                                  : host;
  return (parts_->tls.context ? "https://" : "http://") + shown + ":" + std::to_string(port());
}

const std::string& BedrockServer::authority_file() const { return parts_->tls.authority_file; }

Result<void> BedrockServer::reload_tls() {
  if (!parts_->tls.context) return {};
  CRATON_TRY_ASSIGN(const TlsSetup fresh, make_tls(parts_->config));
  parts_->tls.context->replace_by(*fresh.context);
  return {};
}

bool BedrockServer::drain(std::chrono::milliseconds limit) { return parts_->http.drain(limit); }

void BedrockServer::stop() { parts_->http.stop(); }

}  // namespace craton::server
