#include "engines/replay/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/value.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "base/dates.h"
#include "base/log.h"
#include "engines/replay/request_key.h"

namespace craton::engines::replay {
Result<std::shared_ptr<Recorder>> Recorder::open(const std::filesystem::path& folder,
                                                 std::vector<rules::JsonPath> ignored) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::filesystem::path path = folder / "recorded.jsonl";
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    return Error{ErrorCode::validation, path.string() +
                                            ": cannot be written: " + std::strerror(errno) +
                                            ". Name another folder with --record."};
  }
  return std::shared_ptr<Recorder>(new Recorder(file, path, std::move(ignored)));
}

Recorder::Take Recorder::begin(std::string request, const Asked& asked) {
  Interaction interaction{.operation = std::string(asked.operation),
                          .engine = std::string(asked.engine),
                          .engine_model = std::string(asked.engine_model),
                          .recorded = date_text(system_now()),
                          .request = std::move(request),
                          .events = {}};
  return {shared_from_this(), std::move(interaction), std::chrono::steady_clock::now()};
}

Recorder::Take Recorder::begin(const Conversation& conversation, const Asked& asked) {
  return begin(json::to_text(canonical_request(asked.model_id, conversation, ignored_)), asked);
}

Recorder::Take Recorder::begin(const NativeCall& native, const Asked& asked) {
  return begin(json::to_text(canonical_request(asked.model_id, native, ignored_)), asked);
}

void Recorder::Take::note(const NativeReply& reply) {
  if (!recorder_) return;
  const auto passed = std::chrono::steady_clock::now() - start_;
  interaction_.reply = TimedReply{std::chrono::duration_cast<Milliseconds>(passed), reply};
  recorder_->write(interaction_);
  recorder_ = nullptr;
}

void Recorder::Take::note(const Event& event) {
  if (!recorder_) return;
  const auto passed = std::chrono::steady_clock::now() - start_;
  interaction_.events.push_back({std::chrono::duration_cast<Milliseconds>(passed), event});
  if (!std::holds_alternative<Usage>(event) && !std::holds_alternative<Failure>(event)) return;
  recorder_->write(interaction_);
  recorder_ = nullptr;
}

void Recorder::write(const Interaction& interaction) {
  if (failed_) return;
  const std::string line = line_of(interaction) + "\n";
  if (line.size() > line_bytes_max) {
    log::warning("recording_left_out", {{"operation", interaction.operation},
                                        {"bytes", static_cast<std::int64_t>(line.size())}});
    return;
  }
  if (::write(file_.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size())) return;
  if (failed_.exchange(true)) return;
  log::error("recording_failed", {{"file", path_.string()}, {"reason", std::strerror(errno)}});
}

}  // namespace craton::engines::replay
