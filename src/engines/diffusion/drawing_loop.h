// DrawingLoop: the diffusion engine's thread. It owns the queue and the worker, and waits for both
// in one poll(): nothing it does blocks.
//
//            start ──► loading ──Ready──► idle ──Draw──► drawing ──Finished──► idle
//              ▲                            ▲               │ nobody wants it
//     off ─────┘ a request waits            └─Undone── cancelling ──grace over──► off
//      ▲
//      └── the worker ended: those who wait are told so
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engines/diffusion/diffusion_engine.h"
#include "engines/diffusion/drawing_plan.h"
#include "engines/diffusion/messages.h"
#include "engines/diffusion/worker_process.h"
#include "engines/inbox.h"
#include "engines/load_state.h"
#include "metrics/instruments.h"

namespace craton::engines::diffusion {

/// A request as a caller leaves it. It has passed check().
struct Asked {
  DrawingRequest request;
  Limits limits;
  SteadyTime arrived;
  std::shared_ptr<Drawing> drawing;
  std::shared_ptr<void> place;
};

/// What the loop tells of itself. Any thread may read.
struct DrawingNumbers {
  std::atomic<int> running = 0;
  std::atomic<double> drawn = 0;  ///< Of the picture in progress: 0 to 1.
  metrics::Histogram steps;       ///< How long each took.
};

class DrawingLoop {
 public:
  /// `bell`: a descriptor that is readable when the inbox has news, an eventfd.
  DrawingLoop(const DiffusionOptions& options, const DrawingDefaults& defaults, Inbox<Asked>& inbox,
              int bell, LoadState& load, DrawingNumbers& numbers);

  /// Until `stop`, or until the model turns out not to load.
  void run(const std::atomic<bool>& stop);

 private:
  enum class State { off, loading, idle, drawing, cancelling };

  struct Current {
    Asked asked;
    DrawingPlan plan;
    Drawings drawings;
    SteadyTime began;
    SteadyTime step_began;
    SteadyTime told;  ///< Of its progress, in the log.
    std::uint32_t steps_done = 0;
  };

  bool live() const;
  void look_after_requests(SteadyTime now);
  void look_after_worker(SteadyTime now);
  void begin_next(SteadyTime now);
  void send_draw(SteadyTime now);
  void leave_current();
  void finish_current(Drawing::Outcome outcome);
  void fail_all(const Error& error);

  void start_worker(SteadyTime now);
  bool ended_too_often(SteadyTime now);
  void worker_failed(const std::string& reason, SteadyTime now);
  void worker_ended(const std::string& what, bool at_once, SteadyTime now);

  void wait(SteadyTime now);
  std::optional<SteadyTime> next_deadline() const;
  void take_messages(SteadyTime now);

  void take(const Ready&, SteadyTime now);
  void take(const Failed& failed, SteadyTime now);
  void take(const Progress& progress, SteadyTime now);
  void take(Finished& finished, SteadyTime now);
  void take(const Undone& undone, SteadyTime now);
  void take(const Said& said, SteadyTime now);
  void take(const auto& senseless, SteadyTime now);

  const DiffusionOptions& options_;
  const DrawingDefaults defaults_;
  Inbox<Asked>& inbox_;
  const int bell_;
  LoadState& load_;
  DrawingNumbers& numbers_;

  std::optional<WorkerProcess> worker_;
  State state_ = State::off;
  std::optional<SteadyTime> state_deadline_;  ///< Of loading, or of cancelling.
  SteadyTime started_{};                      ///< The worker.
  bool ready_once_ = false;
  bool over_ = false;  ///< The model does not load.
  std::vector<Asked> waiting_;
  std::optional<Current> current_;
  std::uint32_t id_ = 0;         ///< Of the drawing that the worker is at, or was last.
  std::deque<SteadyTime> ends_;  ///< When workers ended that nobody had ended.
};

}  // namespace craton::engines::diffusion
