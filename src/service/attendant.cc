#include "service/attendant.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/log.h"
#include "http/body_stream.h"
#include "service/errors.h"
#include "service/invocation.h"
#include "service/quotas.h"

namespace craton::service {
namespace {

/// Bytes of a streamed answer that are kept: as many as one message may have.
constexpr std::size_t pieces_max = 24 * 1024 * 1024;

log::FieldValue counted(std::optional<int> tokens) {
  return tokens ? log::FieldValue(std::int64_t(*tokens)) : log::FieldValue();
}

std::vector<std::string> fault_names(const engines::faults::Struck& faults) {
  std::vector<std::string> names;
  for (const auto& fault : faults) names.push_back(fault->name);
  return names;
}

/// A body that was read in pieces has room for up to as much again, which is not to be kept.
void drop_spare(std::string& body) {
  constexpr std::size_t spare_max = 16 * 1024;
  if (body.capacity() - body.size() > spare_max) body.shrink_to_fit();
}

/// A streamed body whose attendant goes when it does.
class AttendedBody : public http::BodyStream {
 public:
  AttendedBody(std::unique_ptr<http::BodyStream> body, std::unique_ptr<Attendant> attendant)
      : attendant_(std::move(attendant)), body_(std::move(body)) {}

  boost::asio::awaitable<std::optional<std::string>> next() override {
    std::optional<std::string> bytes = co_await body_->next();
    if (bytes) attendant_->sent(*bytes);
    co_return bytes;
  }

  bool writes_alone() const override { return body_->writes_alone(); }

 private:
  std::unique_ptr<Attendant> attendant_;  // goes after the body, whose end it tells
  std::unique_ptr<http::BodyStream> body_;
};

}  // namespace

Attendant::Attendant(http::Request request, std::shared_ptr<ServiceMetrics> metrics,
                     std::shared_ptr<InvocationLog> invocation_log,
                     std::shared_ptr<Journal> journal)
    : metrics_(std::move(metrics)),
      invocation_log_(std::move(invocation_log)),
      journal_(std::move(journal)),
      interaction_(std::make_shared<Interaction>()) {
  interaction_->request_id = random_uuid();
  interaction_->began = system_now();
  interaction_->started = std::chrono::steady_clock::now();
  interaction_->account = std::make_shared<Account>();
  interaction_->request = std::move(request);
}

Attendant::~Attendant() {
  interaction_->took = std::chrono::steady_clock::now() - interaction_->started;
  interaction_->error = error();
  count();
  write();
  settle_quota(*interaction_->account);
  if (kept_whole_) drop_spare(interaction_->request.body);
  if (logged_) invocation_log_->saw(interaction_);
  if (journal_->on()) journal_->saw(interaction_);
}

void Attendant::answered(const http::Response& response) {
  interaction_->status = response.status;
  interaction_->error = error_type_of(response);
  interaction_->bytes = response.body_view().size();
  interaction_->content_type = response.headers.find("content-type").value_or("");
  logged_ = invocation_log_->wants(interaction_->account->operation, interaction_->account->region);
  kept_whole_ = logged_ || journal_->on();
}

void Attendant::keep_body(http::Response& response) {
  if (!kept_whole_) return;
  if (!response.shared_body) {
    response.shared_body = std::make_shared<const std::string>(std::move(response.body));
    response.body.clear();
  }
  interaction_->body = response.shared_body;
}

void Attendant::begin_stream() {
  interaction_->account->complete = false;
  interaction_->streamed = true;
  if (!kept_whole_) interaction_->request.body = {};
}

void Attendant::sent(const std::string& bytes) {
  interaction_->bytes += bytes.size();
  if (!kept_whole_ || kept_ + bytes.size() > pieces_kept()) return;
  kept_ += bytes.size();
  interaction_->pieces.push_back({std::chrono::steady_clock::now() - interaction_->started, bytes});
}

/// As many bytes as the one who wants most keeps.
std::size_t Attendant::pieces_kept() const {
  return logged_ ? pieces_max : Journal::kept_bytes_max;
}

std::string_view Attendant::error() const {
  if (!interaction_->error.empty()) return interaction_->error;
  const Account& account = *interaction_->account;
  if (!account.error.empty()) return account.error;
  return account.complete ? std::string_view() : caller_left;
}

void Attendant::count() const {
  const Account& account = *interaction_->account;
  metrics_->finished(
      {.operation = account.operation,
       .status = interaction_->status,
       .error = interaction_->status == 0 ? caller_left : interaction_->error,
       .took = interaction_->took,
       .answer = {account.gen_ai_operation, account.request_model, account.engine_model}});
}

void Attendant::write() const {
  const Account& account = *interaction_->account;
  const std::string_view target = interaction_->request.target;
  log::info("request",
            {{"id", interaction_->request_id},
             {"operation", account.operation},
             {"method", interaction_->request.method},
             {"path", target.substr(0, std::min<std::size_t>(256, target.find('?')))},
             {"status", std::int64_t(interaction_->status)},
             {"error", interaction_->error},
             {"ms", std::chrono::duration<double, std::milli>(interaction_->took).count()},
             {"caller", account.caller.identity ? account.caller.identity->name : std::string()},
             {"model_id", account.model_id},
             {"model", account.engine_model},
             {"input_tokens", counted(account.input_tokens)},
             {"output_tokens", counted(account.output_tokens)},
             {"not_honoured", account.ignored_fields},
             {"fault", joined(fault_names(account.faults))},
             {"quota", account.throttle ? account.throttle->quota : std::string()},
             {"bytes", std::int64_t(interaction_->bytes)},
             {"peer", interaction_->request.peer}});
}

void attend(std::unique_ptr<Attendant> attendant, http::Response& response) {
  if (!response.stream) return attendant->keep_body(response);
  attendant->begin_stream();
  response.stream =
      std::make_unique<AttendedBody>(std::move(response.stream), std::move(attendant));
}

}  // namespace craton::service
