// Service: answers a request to Bedrock's API, whatever the operation.
//
//   request ── api/: which operation, is its input right ── operations.h: the row that answers it
//
// Threads: handle() runs on any number of I/O threads at once; what they share is immutable or
// guards itself.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "auth/gate.h"
#include "auth/quota_table.h"
#include "base/clock.h"
#include "base/error.h"
#include "catalog/catalog.h"
#include "client/forwarder.h"
#include "engines/engine.h"
#include "engines/faults/fault_set.h"
#include "engines/replay/recorder.h"
#include "engines/request.h"
#include "http/message.h"
#include "service/model_access.h"
#include "service/retry_after.h"
#include "service/service_metrics.h"
#include "service/worker_pool.h"
#include "store/store.h"

namespace craton::service {

/// Knows what is handed on as it came. Asked from any thread.
class Forwarding {
 public:
  virtual ~Forwarding() = default;

  /// Whether anything may be; find() is not asked where nothing is.
  virtual bool any() const = 0;

  /// What hands a request for that model on; null: it is answered here. `model_id`: of the
  /// catalogue where that knows it, else as the caller named it, which is `asked_id`. Both are
  /// empty for operations without one.
  virtual std::shared_ptr<client::Forwarder> find(std::string_view model_id,
                                                  std::string_view asked_id) const = 0;
};
class InvocationLog;
class Journal;

struct ServiceOptions {
  std::string region = "us-east-1";  ///< Where the caller's signature names none.
  /// How long an invocation waits for a model that still loads, before ModelNotReadyException.
  /// Below the 30 s after which the Java SDK gives up (the others wait 60 s and more).
  Milliseconds model_wait{25'000};
  /// How long an answer may take, before ModelTimeoutException.
  Milliseconds answer_limit{3'600'000};
  /// Lets callers in; null: everybody is.
  std::shared_ptr<auth::Gate> gate = nullptr;
  /// Takes down what engines answer; null: nobody does.
  std::shared_ptr<engines::replay::Recorder> recorder = nullptr;
  /// Keeps what callers make; null: the service does, in memory.
  std::shared_ptr<store::Store> store = nullptr;
  ModelAccess access = ModelAccess::granted;
  /// The folder that stands for S3, where model calls are logged; empty: they are not.
  std::filesystem::path logs = {};
  std::size_t journal = 0;  ///< Requests that are kept to be looked at.
  /// Null: everything is answered here.
  std::shared_ptr<const Forwarding> forwarding = nullptr;
  /// Of models, for all callers together; null: there are none.
  std::shared_ptr<auth::QuotaTable> quotas = nullptr;
  RetryAfter retry_after = RetryAfter::automatic;
};

/// What answers a request.
struct FoundEngine {
  std::shared_ptr<engines::Engine> engine;       ///< Null when the model id is bound to none.
  engines::faults::Struck faults = {};           ///< What is to go wrong meanwhile.
  std::optional<Error> why_none = std::nullopt;  ///< What the caller is told where none answers.
};

/// The engine that a request's model id is bound to. Called from any thread. What it gives is held
/// until the answer is over.
using FindEngine = std::function<FoundEngine(const engines::Request& request)>;

/// One engine for every request.
inline FindEngine always(std::shared_ptr<engines::Engine> engine) {
  return [engine = std::move(engine)](const engines::Request&) { return FoundEngine{engine, {}}; };
}

class Service {
 public:
  Service(ServiceOptions options, std::shared_ptr<const catalog::Catalog> catalog,
          FindEngine find_engine);
  ~Service();

  /// The answer, with its request id; one line of the log says what became of it.
  boost::asio::awaitable<http::Response> handle(http::Request request);

  const ServiceOptions& options() const { return options_; }
  const catalog::Catalog& catalog() const { return *catalog_; }

  store::Store& store() const { return *options_.store; }
  InvocationLog& invocation_log() const { return *invocation_log_; }

  /// For what takes too long for an I/O thread.
  WorkerPool& workers() const { return *workers_; }

  /// The latest requests and their answers.
  Journal& journal() const { return *journal_; }

  /// What it has counted. Streamed answers share it, and may outlive the service.
  const std::shared_ptr<ServiceMetrics>& metrics() const { return metrics_; }

  FoundEngine engine_for(const engines::Request& request) const { return find_engine_(request); }

 private:
  const ServiceOptions options_;
  const std::shared_ptr<const catalog::Catalog> catalog_;
  const FindEngine find_engine_;
  const std::unique_ptr<WorkerPool> workers_;
  const std::shared_ptr<Journal> journal_;
  const std::shared_ptr<InvocationLog> invocation_log_;
  const std::shared_ptr<ServiceMetrics> metrics_ = std::make_shared<ServiceMetrics>();
};

}  // namespace craton::service
