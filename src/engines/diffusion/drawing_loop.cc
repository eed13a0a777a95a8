#include "engines/diffusion/drawing_loop.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <utility>
#include <variant>

#include "base/log.h"
#include "engines/refusals.h"
#include "engines/turn.h"

namespace craton::engines::diffusion {
namespace {

constexpr std::chrono::seconds progress_told_every{5};
constexpr std::chrono::minutes sleep_max{1};

double ms(SteadyTime::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

bool expired(const Asked& asked, SteadyTime now) {
  return asked.limits.deadline && *asked.limits.deadline <= now;
}

}  // namespace

DrawingLoop::DrawingLoop(const DiffusionOptions& options, const DrawingDefaults& defaults,
                         Inbox<Asked>& inbox, int bell, LoadState& load, DrawingNumbers& numbers)
    : options_(options),
      defaults_(defaults),
      inbox_(inbox),
      bell_(bell),
      load_(load),
      numbers_(numbers) {}

void DrawingLoop::run(const std::atomic<bool>& stop) {
  start_worker(std::chrono::steady_clock::now());
  while (!stop && !over_) {
    const SteadyTime now = std::chrono::steady_clock::now();
    try {
      look_after_requests(now);
      look_after_worker(now);
      if (over_) break;
      wait(now);
    } catch (const std::exception& exception) {  // out of memory, mostly
      log::error("draw_failed", {{"model", options_.name}, {"reason", exception.what()}});
      // What it was to be told may have been cut.
      if (worker_) worker_ended("is given up", true, now);
      fail_all(model_broke());
    }
  }
  worker_.reset();
  for (Asked& asked : inbox_.take()) waiting_.push_back(std::move(asked));
  fail_all(engine_stops());
}

bool DrawingLoop::live() const {
  return state_ == State::idle || state_ == State::drawing || state_ == State::cancelling;
}

/// Takes the new ones in, and lets those go that nobody waits for any more, or for too long.
void DrawingLoop::look_after_requests(SteadyTime now) {
  for (Asked& asked : inbox_.take()) waiting_.push_back(std::move(asked));
  std::erase_if(waiting_, [now](const Asked& asked) {
    if (asked.drawing->cancelled()) return true;
    if (!expired(asked, now)) return false;
    asked.drawing->finish(tl::unexpected(Failure{timed_out(), {}}));
    return true;
  });
  if (!current_) return;
  const bool late = expired(current_->asked, now);
  if (!late && !current_->asked.drawing->cancelled()) return;
  if (late) {
    finish_current(tl::unexpected(Failure{timed_out(), {}}));
  } else {
    leave_current();
  }
  if (state_ != State::drawing) return;
  if (!worker_->send(Cancel{id_})) return worker_ended("cannot be told anything", true, now);
  state_ = State::cancelling;
  state_deadline_ = now + options_.cancel_grace;
}

void DrawingLoop::look_after_worker(SteadyTime now) {
  if (state_deadline_ && *state_deadline_ <= now) {
    if (state_ == State::loading) {
      worker_ended("takes too long to load", true, now);
    } else {  // it does not stop: its weights are loaded anew, and those who wait go on waiting
      log::warning("diffusion_worker_stopped",
                   {{"model", options_.name}, {"reason", "a cancelled drawing goes on"}});
      worker_.reset();
      state_ = State::off;
      state_deadline_.reset();
      ends_.push_back(now);
    }
  }
  if (state_ == State::off && !over_ && !waiting_.empty()) {
    if (ended_too_often(now)) {
      log::error("diffusion_worker_ends",
                 {{"model", options_.name}, {"reason", "it ended too often to be started again"}});
      fail_all(model_broke());
    } else {
      start_worker(now);
    }
  }
  while (state_ == State::idle && !current_ && !waiting_.empty()) begin_next(now);
}

/// The one whose turn it is.
void DrawingLoop::begin_next(SteadyTime now) {
  const auto next = std::ranges::min_element(waiting_, {}, [](const Asked& asked) {
    return turn_of(asked.limits.priority, asked.arrived);
  });
  Asked asked = std::move(*next);
  waiting_.erase(next);
  const std::shared_ptr<Drawing> drawing = asked.drawing;
  try {
    auto plan = DrawingPlan::make(std::move(asked.request), defaults_);
    if (!plan) return drawing->finish(tl::unexpected(Failure{std::move(plan.error()), {}}));
    if (const auto picture = plan->undrawn()) {
      const auto count = static_cast<std::size_t>(plan->count());
      return drawing->finish(
          Drawings{.pictures = std::vector<Picture>(count, *picture), .mask = plan->mask()});
    }
    current_.emplace(Current{.asked = std::move(asked), .plan = std::move(*plan)});
  } catch (const std::exception& exception) {  // out of memory
    log::error("draw_failed", {{"model", options_.name}, {"reason", exception.what()}});
    return drawing->finish(tl::unexpected(Failure{model_broke(), {}}));
  }
  numbers_.running = 1;
  current_->began = now;
  send_draw(now);
}

/// Asks for the picture that is missing next.
void DrawingLoop::send_draw(SteadyTime now) {
  const int n = static_cast<int>(current_->drawings.pictures.size());
  if (const auto sent = worker_->send(current_->plan.draw(n, ++id_)); !sent) {
    log::error("draw_failed", {{"model", options_.name}, {"reason", sent.error().message}});
    return finish_current(tl::unexpected(Failure{model_broke(), {}}));
  }
  current_->step_began = current_->told = now;
  current_->steps_done = 0;
  state_ = State::drawing;
}

void DrawingLoop::leave_current() {
  current_.reset();
  numbers_.running = 0;
  numbers_.drawn = 0;
}

void DrawingLoop::finish_current(Drawing::Outcome outcome) {
  const std::shared_ptr<Drawing> drawing = current_->asked.drawing;
  leave_current();  // first: who is told may look at the numbers
  drawing->finish(std::move(outcome));
}

void DrawingLoop::fail_all(const Error& error) {
  if (current_) finish_current(tl::unexpected(Failure{error, {}}));
  for (Asked& asked : std::exchange(waiting_, {})) {
    asked.place.reset();
    asked.drawing->finish(tl::unexpected(Failure{error, {}}));
  }
}

void DrawingLoop::start_worker(SteadyTime now) {
  started_ = now;
  auto worker = WorkerProcess::start(options_.program);
  if (!worker) return worker_failed(worker.error().message, now);
  worker_.emplace(std::move(*worker));
  const auto sent = worker_->send(Load{.threads = static_cast<std::uint32_t>(options_.threads),
                                       .model = options_.path,
                                       .diffusion_model = options_.diffusion_model,
                                       .vae = options_.vae,
                                       .taesd = options_.taesd,
                                       .clip_l = options_.clip_l,
                                       .clip_g = options_.clip_g,
                                       .t5xxl = options_.t5xxl});
  if (!sent) return worker_failed(sent.error().message, now);
  state_ = State::loading;
  state_deadline_ = now + options_.load_limit;
}

bool DrawingLoop::ended_too_often(SteadyTime now) {
  while (!ends_.empty() && ends_.front() + options_.ends_window <= now) ends_.pop_front();
  return static_cast<int>(ends_.size()) >= options_.ends_max;
}

/// There is no worker, or it has no weights.
void DrawingLoop::worker_failed(const std::string& reason, SteadyTime now) {
  log::error("load_failed", {{"model", options_.name}, {"reason", reason}});
  worker_.reset();
  state_ = State::off;
  state_deadline_.reset();
  if (!ready_once_) {
    over_ = true;
    load_.publish({engines::State::failed, reason});
    return;
  }
  ends_.push_back(now);
  fail_all(not_loaded(reason));
}

/// The worker is gone, or has to go; those who wait are told.
void DrawingLoop::worker_ended(const std::string& what, bool at_once, SteadyTime now) {
  const std::string how = worker_->end(at_once);
  if (state_ == State::loading) {
    return worker_failed("craton-diffusion " + what + "; it ended " + how, now);
  }
  log::error("diffusion_worker_ended",
             {{"model", options_.name}, {"reason", what}, {"ended", how}});
  worker_.reset();
  state_ = State::off;
  state_deadline_.reset();
  ends_.push_back(now);
  fail_all(model_broke());
}

std::optional<SteadyTime> DrawingLoop::next_deadline() const {
  std::optional<SteadyTime> next = state_deadline_;
  const auto count_in = [&](const std::optional<SteadyTime>& deadline) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  };
  for (const Asked& asked : waiting_) count_in(asked.limits.deadline);
  if (current_) count_in(current_->asked.limits.deadline);
  return next;
}

void DrawingLoop::wait(SteadyTime now) {
  const SteadyTime until = std::min(next_deadline().value_or(now + sleep_max), now + sleep_max);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  std::array polled{pollfd{bell_, POLLIN, 0}, pollfd{worker_ ? worker_->output() : -1, POLLIN, 0},
                    pollfd{worker_ && worker_->has_output() ? worker_->input() : -1, POLLOUT, 0}};
  if (poll(polled.data(), polled.size(), static_cast<int>(std::max<long long>(0, left))) <= 0) {
    return;
  }
  const SteadyTime then = std::chrono::steady_clock::now();
  if (polled[0].revents != 0) {
    std::uint64_t rung = 0;
    (void)!read(bell_, &rung, sizeof rung);
  }
  // What it said last comes first: a worker may say why and end.
  bool open = true;
  if (polled[1].revents != 0) {
    open = worker_->read_some();
    take_messages(then);
  }
  if (open && worker_ && polled[2].revents != 0) open = worker_->write_some();
  if (!open && worker_) worker_ended("has ended", false, then);
}

void DrawingLoop::take_messages(SteadyTime now) {
  while (worker_) {
    auto message = worker_->next();
    if (!message) return worker_ended("says what makes no sense", true, now);
    if (!*message) return;
    std::visit([&](auto& m) { take(m, now); }, **message);
  }
}

void DrawingLoop::take(const Ready&, SteadyTime now) {
  if (state_ != State::loading) return worker_ended("says what makes no sense", true, now);
  state_ = State::idle;
  state_deadline_.reset();
  log::info("diffusion_loaded", {{"model", options_.name}, {"ms", ms(now - started_)}});
  if (!std::exchange(ready_once_, true)) load_.publish({engines::State::ready, {}});
}

void DrawingLoop::take(const Failed& failed, SteadyTime now) { worker_failed(failed.reason, now); }

void DrawingLoop::take(const Progress& progress, SteadyTime now) {
  if (!current_ || progress.id != id_ || progress.steps == 0) return;
  const std::uint32_t step = std::min(progress.step, progress.steps);
  numbers_.drawn = static_cast<double>(step) / progress.steps;
  if (step > current_->steps_done) {
    numbers_.steps.observe((now - current_->step_began).count() / (step - current_->steps_done),
                           step - current_->steps_done);
  }
  current_->steps_done = step;
  current_->step_began = now;
  if (now - current_->told < progress_told_every) return;
  current_->told = now;
  log::info("drawing",
            {{"model", options_.name},
             {"picture", static_cast<std::int64_t>(current_->drawings.pictures.size() + 1)},
             {"pictures", std::int64_t{current_->plan.count()}},
             {"step", std::int64_t{step}},
             {"steps", std::int64_t{progress.steps}}});
}

void DrawingLoop::take(Finished& finished, SteadyTime now) {
  if (finished.id != id_ || !live()) return;
  state_ = State::idle;
  state_deadline_.reset();
  if (!current_) return;  // it was cancelled too late
  auto picture = current_->plan.picture(finished);
  if (!picture) return worker_ended("draws another size", true, now);
  current_->drawings.pictures.push_back(std::move(*picture));
  if (static_cast<int>(current_->drawings.pictures.size()) < current_->plan.count()) {
    return send_draw(now);
  }
  log::info("drawn", {{"model", options_.name},
                      {"pictures", std::int64_t{current_->plan.count()}},
                      {"width", std::int64_t{current_->drawings.pictures[0].width}},
                      {"height", std::int64_t{current_->drawings.pictures[0].height}},
                      {"ms", ms(now - current_->began)}});
  current_->drawings.mask = current_->plan.mask();
  finish_current(std::move(current_->drawings));
}

void DrawingLoop::take(const Undone& undone, SteadyTime) {
  if (undone.id != id_ || !live()) return;
  state_ = State::idle;
  state_deadline_.reset();
  if (!current_) return;
  log::error("draw_failed", {{"model", options_.name}, {"reason", undone.reason}});
  finish_current(tl::unexpected(Failure{model_broke(), {}}));
}

void DrawingLoop::take(const Said& said, SteadyTime) {
  constexpr std::array levels{log::Level::debug, log::Level::debug, log::Level::warning,
                              log::Level::error};
  log::write(levels[static_cast<std::size_t>(said.level)], "diffusion",
             {{"model", options_.name}, {"says", said.text}});
}

/// What the server alone says.
void DrawingLoop::take(const auto&, SteadyTime now) {
  worker_ended("says what makes no sense", true, now);
}

}  // namespace craton::engines::diffusion
