#include "service/invocation_log.h"

#include <boost/json/object.hpp>
#include <optional>
#include <utility>

#include "base/dates.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/log.h"

namespace craton::service {
namespace {

// What may wait: some seconds of a busy server's calls.
constexpr std::size_t queue_max = 4096;
constexpr std::size_t queue_bytes_max = 64 * 1024 * 1024;

constexpr auto look_again = std::chrono::seconds(1);
constexpr auto look_again_after_failure = std::chrono::seconds(60);  // each failure is a log line

/// Callers name Regions: those that none uses are forgotten.
constexpr std::size_t regions_max = 64;

std::size_t bytes_of(const Interaction& interaction) {
  std::size_t bytes = interaction.request.body.size() + 1024;
  if (interaction.body) bytes += interaction.body->size();
  for (const Interaction::Piece& piece : interaction.pieces) bytes += piece.bytes.size();
  return bytes;
}

bool flag(const json::object& members, std::string_view name) {
  const auto* value = members.if_contains(name);
  return !value || !value->is_bool() || value->get_bool();
}

std::string text(const json::object& members, std::string_view name) {
  const auto* value = members.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

store::Key logging_key(std::string_view region) {
  return {"invocation-logging", region, "configuration"};
}

InvocationLog::InvocationLog(std::shared_ptr<store::Store> store, std::filesystem::path folder)
    : store_(std::move(store)), on_(!folder.empty()), objects_(std::move(folder)) {}

InvocationLog::~InvocationLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (writer_.joinable()) writer_.join();
}

std::shared_ptr<const InvocationLog::Target> InvocationLog::read_target(
    const std::string& configuration) {
  const Result<json::value> read = json::parse(configuration);
  const auto* whole = read ? read->if_object() : nullptr;
  const auto* told = whole ? whole->if_contains("loggingConfig") : nullptr;
  const auto* members = told ? told->if_object() : nullptr;
  const auto* s3 = members ? members->if_contains("s3Config") : nullptr;
  if (!s3 || !s3->is_object()) return nullptr;
  return std::make_shared<Target>(
      Target{.bucket = text(s3->get_object(), "bucketName"),
             .key_prefix = text(s3->get_object(), "keyPrefix"),
             .data = {.text = flag(*members, "textDataDeliveryEnabled"),
                      .image = flag(*members, "imageDataDeliveryEnabled"),
                      .embedding = flag(*members, "embeddingDataDeliveryEnabled"),
                      .video = flag(*members, "videoDataDeliveryEnabled"),
                      .audio = flag(*members, "audioDataDeliveryEnabled")}});
}

std::shared_ptr<const InvocationLog::Target> InvocationLog::target_of(std::string_view region) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const std::lock_guard lock(targets_mutex_);
  auto found = targets_.find(region);
  if (found != targets_.end() && now < found->second.again) return found->second.target;
  if (found == targets_.end()) {
    if (targets_.size() >= regions_max) targets_.clear();
    found = targets_.emplace(std::string(region), Looked{}).first;
  }
  const Result<std::optional<std::string>> read = store_->get(logging_key(region));
  found->second.again = now + (read ? look_again : look_again_after_failure);
  if (read) found->second.target = *read ? read_target(**read) : nullptr;
  return found->second.target;
}

bool InvocationLog::wants(std::string_view operation, std::string_view region) {
  return on_ && is_logged(operation) && target_of(region);
}

void InvocationLog::changed(std::string_view region) {
  const std::lock_guard lock(targets_mutex_);
  const auto found = targets_.find(region);
  if (found != targets_.end()) targets_.erase(found);
}

void InvocationLog::saw(std::shared_ptr<const Interaction> interaction) {
  std::shared_ptr<const Target> target = target_of(interaction->account->region);
  if (!target) return;
  const std::size_t bytes = bytes_of(*interaction);
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < queue_max && queued_bytes_ + bytes <= queue_bytes_max) {
      queued_bytes_ += bytes;
      queue_.push_back({std::move(interaction), std::move(target)});
      if (!writer_.joinable()) writer_ = std::thread([this] { run(); });
    }
  }
  if (interaction) return lose(1, "more calls come than can be written");
  changed_.notify_one();
}

void InvocationLog::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::deque<Waiting> batch = std::exchange(queue_, {});
    queued_bytes_ = 0;
    lock.unlock();
    write(std::move(batch));
    lock.lock();
  }
}

void InvocationLog::write(std::deque<Waiting> batch) {
  struct File {
    std::shared_ptr<const Target> target;
    std::string lines;
    std::uint64_t records = 0;
  };
  std::map<std::string, File> files;  // by bucket and folder
  for (Waiting& waiting : batch) {
    const Target& target = *waiting.target;
    InvocationRecord record =
        record_of(*waiting.interaction, target.data, target.bucket, target.key_prefix);
    for (const auto& large : record.large) put(target, large.key, large.body, 0);
    const std::string folder = log_folder(target.key_prefix, *waiting.interaction);
    File& file = files[target.bucket + '\0' + folder];
    file.target = waiting.target;
    file.lines += record.json + "\n";
    ++file.records;
    waiting.interaction.reset();
  }
  for (const auto& [name, file] : files) {
    const std::string folder = name.substr(name.find('\0') + 1);
    const std::string key = folder + "/" + date_text(system_now(), "%Y%m%dT%H%M%SZ") + "_" +
                            random_alphanumeric(16) + ".json.gz";
    put(*file.target, key, file.lines, file.records);
  }
}

void InvocationLog::put(const Target& target, std::string_view key, std::string_view bytes,
                        std::uint64_t records) {
  const Result<void> written = objects_.put_gzip(target.bucket, key, bytes);
  if (!written) lose(records, written.error().message);
}

void InvocationLog::lose(std::uint64_t records, std::string_view reason) {
  lost_ += records;
  const SteadyTime now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (now - told_ < std::chrono::seconds(1)) return;
    told_ = now;
  }
  log::error("invocations_not_logged",
             {{"lost", static_cast<std::int64_t>(lost_)}, {"reason", reason}});
}

}  // namespace craton::service
