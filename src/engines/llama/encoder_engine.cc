#include "engines/llama/encoder_engine.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>
#include <utility>

#include "base/log.h"
#include "engines/inbox.h"
#include "engines/llama/cpu.h"
#include "engines/llama/encoder_model.h"
#include "engines/llama/encoder_queue.h"
#include "engines/llama/encoder_text.h"
#include "engines/llama/gguf_head.h"
#include "engines/llama/model_file.h"
#include "engines/llama/step_seconds.h"
#include "engines/load_state.h"
#include "engines/refusals.h"

namespace craton::engines::llama {
namespace {

constexpr int threads_max = 512;                    // llama.cpp's own bound
constexpr std::uint64_t beside_weights = 64 << 20;  // batches and the vocabulary

// Of a model file that tell what it is. Vocabularies, which come behind, take too long to read
// where a server starts.
constexpr std::size_t head_bytes = 64 << 10;

/// A request as a caller leaves it.
struct Asked {
  EmbeddingRequest request;
  Limits limits;
  std::shared_ptr<Embedding> embedding;
  std::shared_ptr<void> place;
};

EncoderEngineOptions with_defaults(EncoderEngineOptions options) {
  if (options.name.empty()) options.name = std::filesystem::path(options.path).stem().string();
  options.threads =
      std::clamp(options.threads > 0 ? options.threads : usable_cores(), 1, threads_max);
  options.requests_max = std::max(1, options.requests_max);
  return options;
}

class EncoderEngine : public Engine {
 public:
  explicit EncoderEngine(EncoderEngineOptions options)
      : options_(with_defaults(std::move(options))), thread_([this] { run(); }) {}

  ~EncoderEngine() override {
    stop_ = true;
    inbox_->nudge();
    thread_.join();
  }

  std::string_view kind() const override { return "llama"; }
  std::string_view model() const override { return options_.name; }
  Status status() const override { return load_.status(); }
  void notify_loaded(std::function<void()> wake) override { load_.notify(std::move(wake)); }
  Capabilities capabilities() const override { return {.text = false, .embeddings = true}; }

  EngineStats stats() const override {
    const int computed = running_.load(std::memory_order_relaxed);
    return {.queue_length = std::max(0, inbox_->places_taken() - computed),
            .running = computed,
            .prompt_tokens = tokens_.load(std::memory_order_relaxed),
            .steps = steps_.read()};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation, const Limits&) override {
    return continues_no_text();
  }
  Result<int> count_tokens(const Conversation&) override { return continues_no_text(); }

  Result<std::shared_ptr<Embedding>> embed(EmbeddingRequest request,
                                           const Limits& limits) override {
    const Status now = status();
    switch (now.state) {
      case State::loading: return not_ready();
      case State::failed: return not_loaded(now.reason);
      case State::ready: break;
    }
    std::shared_ptr<void> place = inbox_->take_place(options_.requests_max);
    if (!place) return throttled();
    auto embedding = std::make_shared<Embedding>([inbox = inbox_] { inbox->nudge(); });
    inbox_->put({std::move(request), limits, embedding, std::move(place)});
    return embedding;
  }

 private:
  static Error continues_no_text() {
    return {ErrorCode::model_error,
            "The model that answers here is an encoder: it writes no text."};
  }

  void run();
  bool load();
  void serve();
  void add(Asked asked, EncoderQueue& queue) const;
  tl::expected<EncoderInput, Failure> read(const EmbeddingRequest& request) const;

  const EncoderEngineOptions options_;
  const std::shared_ptr<Inbox<Asked>> inbox_ = std::make_shared<Inbox<Asked>>();
  std::atomic<bool> stop_ = false;
  LoadState load_;
  std::unique_ptr<EncoderModel> model_;
  std::atomic<int> running_ = 0;
  std::atomic<std::uint64_t> tokens_ = 0;
  metrics::Histogram steps_{step_seconds};
  std::thread thread_;  // last: uses all of the above
};

bool EncoderEngine::load() {
  const auto started = std::chrono::steady_clock::now();
  auto loaded = EncoderModel::load({.path = options_.path,
                                    .threads = options_.threads,
                                    .sequence_tokens = options_.context_tokens,
                                    .gpu_layers = options_.gpu_layers},
                                   stop_);
  if (stop_) return false;  // nobody is left to tell
  if (!loaded) {
    load_.publish({State::failed, loaded.error().message});
    return false;
  }
  model_ = std::move(*loaded);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
  log::info("encoder_loaded", {{"model", options_.name},
                               {"ms", took.count()},
                               {"threads", std::int64_t{options_.threads}},
                               {"sequence_tokens", std::int64_t{model_->sequence_tokens()}},
                               {"dimension", std::int64_t{model_->dimension()}},
                               {"ranks", model_->ranks()}});
  load_.publish({State::ready, {}});
  return true;
}

/// Reads a request. What is wrong with it is told at once.
void EncoderEngine::add(Asked asked, EncoderQueue& queue) const {
  if (asked.embedding->cancelled()) return;
  auto input = read(asked.request);
  if (!input) return asked.embedding->finish(tl::unexpected(std::move(input.error())));
  queue.add({.input = std::move(*input),
             .scores = model_->ranks(),
             .deadline = asked.limits.deadline,
             .priority = asked.limits.priority,
             .arrived = std::chrono::steady_clock::now(),
             .embedding = std::move(asked.embedding),
             .place = std::move(asked.place)});
}

tl::expected<EncoderInput, Failure> EncoderEngine::read(const EmbeddingRequest& request) const {
  if (model_->ranks() && request.task != EmbeddingTask::rank) {
    return tl::unexpected(
        Failure{{ErrorCode::model_error,
                 "The model that answers here ranks texts and makes no embeddings of them. Bind an "
                 "encoder to this model id."},
                {}});
  }
  try {
    return encoder_input(*model_, request);
  } catch (const std::exception& exception) {  // out of memory, mostly
    log::error("encode_failed", {{"model", options_.name}, {"reason", exception.what()}});
    return tl::unexpected(Failure{model_broke(), {}});
  }
}

void EncoderEngine::serve() {
  EncoderQueue queue(*model_,
                     {.tokens = model_->batch_tokens(), .sequences = model_->batch_sequences()});
  while (!stop_) {
    try {
      for (Asked& asked : inbox_->take()) add(std::move(asked), queue);
      running_ = static_cast<int>(queue.size());
      const auto began = std::chrono::steady_clock::now();
      const bool advanced = queue.step(began);
      if (advanced) steps_.observe((std::chrono::steady_clock::now() - began).count());
      tokens_ = queue.tokens();
      running_ = static_cast<int>(queue.size());
      if (!advanced && !stop_) inbox_->wait(std::nullopt);
    } catch (const std::exception& exception) {  // out of memory, mostly
      log::error("encode_failed", {{"model", options_.name}, {"reason", exception.what()}});
      queue.fail_all(model_broke());
    }
  }
  queue.fail_all(engine_stops());
  for (Asked& asked : inbox_->take()) {
    asked.embedding->finish(tl::unexpected(Failure{engine_stops(), {}}));
  }
}

void EncoderEngine::run() {
  pthread_setname_np(pthread_self(), "encoder");
  try {
    if (load()) serve();
  } catch (const std::exception& exception) {
    log::error("load_failed", {{"model", options_.name}, {"reason", exception.what()}});
    load_.publish({State::failed, exception.what()});
  }
}

}  // namespace

bool is_encoder(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(head_bytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return says_encoder(head);
}

Result<std::uint64_t> encoder_memory_needed(const EncoderEngineOptions& options) {
  if (const auto reason = why_no_model(options.path)) {
    return Error{ErrorCode::validation, *reason};
  }
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(options.path, error);
  return error ? beside_weights : size + beside_weights;
}

std::unique_ptr<Engine> make_encoder_engine(EncoderEngineOptions options) {
  return std::make_unique<EncoderEngine>(std::move(options));
}

}  // namespace craton::engines::llama
