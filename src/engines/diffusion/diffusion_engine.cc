#include "engines/diffusion/diffusion_engine.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "base/child.h"
#include "base/log.h"
#include "engines/diffusion/drawing_loop.h"
#include "engines/inbox.h"
#include "engines/load_state.h"
#include "engines/refusals.h"

namespace craton::engines::diffusion {
namespace {

constexpr int default_steps = 20;  // what most front ends of Stable Diffusion begin with
constexpr int threads_max = 512;   // ggml's own bound
// What the U-Net and the VAE compute with for a picture of a megapixel, about.
constexpr std::uint64_t beside_weights = std::uint64_t{3} << 30;

// From a step of a small picture on a GPU to one of a large picture on a few cores.
constexpr std::array step_bounds{0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0};
constexpr metrics::Buckets step_seconds{step_bounds, 1e-9};

/// The files that are named.
std::vector<std::string> files_of(const DiffusionOptions& options) {
  std::vector<std::string> files;
  for (const std::string& file : {options.path, options.diffusion_model, options.vae, options.taesd,
                                  options.clip_l, options.clip_g, options.t5xxl}) {
    if (!file.empty()) files.push_back(file);
  }
  return files;
}

/// The worker has another folder.
void make_absolute(std::string& path) {
  std::error_code error;
  if (!path.empty()) path = std::filesystem::absolute(path, error).string();
}

DiffusionOptions with_defaults(DiffusionOptions options) {
  if (options.program.empty()) options.program = worker_program();
  if (options.name.empty()) {
    options.name =
        std::filesystem::path(options.path.empty() ? options.diffusion_model : options.path)
            .stem()
            .string();
  }
  for (std::string* path : {&options.path, &options.diffusion_model, &options.vae, &options.taesd,
                            &options.clip_l, &options.clip_g, &options.t5xxl}) {
    make_absolute(*path);
  }
  options.threads = std::clamp(options.threads, 0, threads_max);
  options.steps = options.steps > 0 ? options.steps : default_steps;
  options.waiting_max = std::max(0, options.waiting_max);
  return options;
}

DrawingDefaults defaults_of(const DiffusionOptions& options) {
  DrawingDefaults defaults{.steps = std::min(options.steps, static_cast<int>(steps_max)),
                           .sampler = find_sampler(options.sampler)};
  for (const std::string& file : {options.diffusion_model, options.path}) {
    const WeightsKind kind = file.empty() ? WeightsKind::other : kind_of(file);
    if (kind == WeightsKind::other) continue;
    defaults.kind = kind;
    break;
  }
  return defaults;
}

class DiffusionEngine : public Engine {
 public:
  explicit DiffusionEngine(DiffusionOptions options)
      : options_(with_defaults(std::move(options))), thread_([this] { run(); }) {}

  ~DiffusionEngine() override {
    stop_ = true;
    inbox_->nudge();
    thread_.join();
  }

  std::string_view kind() const override { return "diffusion"; }
  std::string_view model() const override { return options_.name; }
  Status status() const override { return load_.status(); }
  void notify_loaded(std::function<void()> wake) override { load_.notify(std::move(wake)); }
  Capabilities capabilities() const override { return {.text = false, .drawings = true}; }

  EngineStats stats() const override {
    const int running = numbers_.running;
    return {.queue_length = std::max(0, inbox_->places_taken() - running),
            .running = running,
            .drawn = numbers_.drawn,
            .steps = numbers_.steps.read()};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation, const Limits&) override {
    return writes_no_text();
  }
  Result<int> count_tokens(const Conversation&) override { return writes_no_text(); }

  Result<std::shared_ptr<Drawing>> draw(DrawingRequest request, const Limits& limits) override {
    const Status now = status();
    switch (now.state) {
      case State::loading: return not_ready();
      case State::failed: return not_loaded(now.reason);
      case State::ready: break;
    }
    CRATON_TRY(check(request));
    std::shared_ptr<void> place = inbox_->take_place(1 + options_.waiting_max);
    if (!place) return throttled();
    auto drawing = std::make_shared<Drawing>([inbox = inbox_] { inbox->nudge(); });
    inbox_->put(
        {std::move(request), limits, std::chrono::steady_clock::now(), drawing, std::move(place)});
    return drawing;
  }

 private:
  static Error writes_no_text() {
    return {ErrorCode::model_error, "The model that answers here draws images: it writes no text."};
  }

  void run();

  const DiffusionOptions options_;
  /// Outlives the engine with the inbox: what callers hold rings it.
  const std::shared_ptr<Descriptor> bell_ =
      std::make_shared<Descriptor>(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::shared_ptr<Inbox<Asked>> inbox_ = std::make_shared<Inbox<Asked>>([bell = bell_] {
    const std::uint64_t once = 1;
    (void)!write(bell->get(), &once, sizeof once);
  });
  std::atomic<bool> stop_ = false;
  LoadState load_;
  DrawingNumbers numbers_{.steps = metrics::Histogram(step_seconds)};
  std::thread thread_;  // last: uses all of the above
};

void DiffusionEngine::run() {
  pthread_setname_np(pthread_self(), "diffusion");
  sigset_t broken_pipe;  // a worker that ends while it is told something
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  try {
    DrawingLoop(options_, defaults_of(options_), *inbox_, bell_->get(), load_, numbers_).run(stop_);
  } catch (const std::exception& exception) {
    log::error("load_failed", {{"model", options_.name}, {"reason", exception.what()}});
    load_.publish({State::failed, exception.what()});
  }
}

}  // namespace

bool is_diffusion(const std::string& path) { return kind_of(path) != WeightsKind::other; }

Result<std::uint64_t> diffusion_memory_needed(const DiffusionOptions& options) {
  std::uint64_t bytes = beside_weights;
  for (const std::string& file : files_of(options)) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error) {
      return Error{ErrorCode::validation, "weights file " + file + " cannot be read: " +
                                              error.message() + ". Name one that is there."};
    }
    bytes += size;
  }
  return bytes;
}

std::unique_ptr<Engine> make_diffusion_engine(DiffusionOptions options) {
  return std::make_unique<DiffusionEngine>(std::move(options));
}

}  // namespace craton::engines::diffusion
