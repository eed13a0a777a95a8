// craton-diffusion: draws for `craton serve`, which starts it and talks to it by messages.h over
// its standard input and output. Not for use by hand.
//
//   main thread ── Load, Draw ──► painting thread ──► standard output
//               ── Cancel ──► a number that the painting thread looks at after each step
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "engines/diffusion/messages.h"
#include "engines/diffusion/worker/painter.h"

namespace craton::engines::diffusion {
namespace {

constexpr std::size_t painting_stack = 512 << 20;  // of addresses; used as far as it is needed

enum Exit { done = 0, cannot_load = 1, garbage = 2, broken = 3 };

/// Nothing is left to be done in order: the server is gone, or knows.
[[noreturn]] void leave(Exit how) { _exit(how); }

/// The server's end of standard output. Any thread may send.
class Server {
 public:
  explicit Server(int pipe) : pipe_(pipe) {}

  void send(const Message& message) {
    const std::lock_guard lock(mutex_);
    wire_.clear();
    if (!encode(message, wire_)) leave(broken);
    for (std::size_t sent = 0; sent < wire_.size();) {
      const ssize_t size = write(pipe_, wire_.data() + sent, wire_.size() - sent);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) leave(done);
      sent += static_cast<std::size_t>(size);
    }
  }

 private:
  const int pipe_;
  std::mutex mutex_;
  std::string wire_;
};

/// What the server asks, between the thread that reads it and the one that does it.
class Tasks {
 public:
  void put(Message message) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(message));
    changed_.notify_one();
  }
  Message take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !tasks_.empty(); });
    Message task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }
  void cancel(std::uint32_t id) { cancelled_ = id; }
  bool is_cancelled(std::uint32_t id) const { return cancelled_ == id; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> tasks_;
  std::atomic<std::uint32_t> cancelled_ = 0;  // ids begin at 1
};

struct Work {
  Server& server;
  Tasks& tasks;
};

void draw(const Work& work, Painter& painter, const Draw& draw) {
  const auto progress = [&](int step, int steps) {
    work.server.send(Progress{.id = draw.id,
                              .step = static_cast<std::uint32_t>(step),
                              .steps = static_cast<std::uint32_t>(steps)});
    return !work.tasks.is_cancelled(draw.id);
  };
  std::visit([&](auto&& result) { work.server.send(std::move(result)); },
             painter.draw(draw, progress));
}

/// The painting thread.
void* paint(void* argument) {
  const Work& work = *static_cast<Work*>(argument);
  Painter painter(
      [&](Said::Level level, std::string text) { work.server.send(Said{level, std::move(text)}); });
  bool loaded = false;
  for (;;) {
    const Message task = work.tasks.take();
    if (const auto* load = std::get_if<Load>(&task); load && !loaded) {
      const Result<void> result = painter.load(*load);
      if (!result) {
        work.server.send(Failed{result.error().message});
        leave(cannot_load);
      }
      loaded = true;
      work.server.send(Ready{});
    } else if (const auto* asked = std::get_if<Draw>(&task); asked && loaded) {
      draw(work, painter, *asked);
    } else {
      leave(garbage);
    }
  }
}

/// Reads what the server asks until it is gone.
void listen(Tasks& tasks) {
  Decoder decoder;
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t size = read(STDIN_FILENO, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) leave(done);
    decoder.feed({piece.data(), static_cast<std::size_t>(size)});
    for (;;) {
      auto message = decoder.next();
      if (!message) leave(garbage);
      if (!*message) break;
      if (const auto* cancel = std::get_if<Cancel>(&**message)) {
        tasks.cancel(cancel->id);
      } else {
        tasks.put(**std::move(message));
      }
    }
  }
}

/// Ends with the server, is the first to go where memory is short, and leaves no gigabytes of core.
void be_a_child() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::ofstream("/proc/self/oom_score_adj") << 500;
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  setenv("GGML_NO_BACKTRACE", "1", 1);  // which would run a debugger
}

int run() {
  be_a_child();
  // The library prints: what it prints goes to standard error, never between messages.
  const int pipe = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (pipe < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return broken;
  Server server(pipe);
  Tasks tasks;
  Work work{server, tasks};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, painting_stack);
  pthread_t painting;
  if (pthread_create(&painting, &attributes, paint, &work) != 0) return broken;
  listen(tasks);
  return done;
}

}  // namespace
}  // namespace craton::engines::diffusion

int main() {
  if (isatty(STDIN_FILENO)) {
    std::fputs("craton-diffusion draws for 'craton serve', which starts it by itself.\n", stderr);
    return 1;
  }
  return craton::engines::diffusion::run();
}
