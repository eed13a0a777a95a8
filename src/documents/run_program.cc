#include "documents/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

namespace craton::documents {
namespace {

using Clock = std::chrono::steady_clock;
using End = ProgramResult::End;

constexpr std::size_t errors_max = 4096;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }

  void reset() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return Pipe{Descriptor(), Descriptor()};
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor file_of(std::string_view bytes) {
  Descriptor file(memfd_create("document", MFD_CLOEXEC));
  while (file && !bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Descriptor();
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (file) lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// What posix_spawn() is to do besides.
struct Preparation {
  Preparation(int input, int output, int errors) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions, "/");
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Preparation() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

/// 0, or what errno would be.
int spawn(std::span<const std::string> command, const Preparation& preparation, pid_t& child) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn() leaves them alone
  arguments.push_back(nullptr);
  const char* path = std::getenv("PATH");
  std::string search = std::string("PATH=") + (path ? path : "/usr/local/bin:/usr/bin:/bin");
  std::string locale = "LC_ALL=C.UTF-8";
  std::array<char*, 3> environment{search.data(), locale.data(), nullptr};
  return posix_spawnp(&child, arguments[0], &preparation.actions, &preparation.attributes,
                      arguments.data(), environment.data());
}

/// Bounds that hold even if this process dies.
void bound(pid_t child, const ProgramLimits& limits) {
  const rlimit memory{limits.memory_bytes_max, limits.memory_bytes_max};
  const auto seconds = static_cast<rlim_t>(limits.time_max.count() / 1000 + 1);
  const rlimit time{seconds, seconds};
  const rlimit none{0, 0};
  prlimit(child, RLIMIT_AS, &memory, nullptr);
  prlimit(child, RLIMIT_CPU, &time, nullptr);
  prlimit(child, RLIMIT_CORE, &none, nullptr);
}

/// A stream of the program, and how much of it is kept.
struct Intake {
  Descriptor from;
  std::string& to;
  std::size_t bytes_max;
  bool overflown = false;

  /// Reads what is there; closes at the end.
  void take() {
    std::array<char, 65536> piece;
    const ssize_t size = read(from.get(), piece.data(), piece.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (size <= 0) return from.reset();
    const std::size_t kept = std::min(static_cast<std::size_t>(size), bytes_max - to.size());
    to.append(piece.data(), kept);
    overflown = overflown || kept < static_cast<std::size_t>(size);
  }
};

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<long long>(left.count(), 0, 1'000'000));
}

/// Takes in both streams until they end; whether the program then ends by itself is not known yet.
End listen(Intake& output, Intake& errors, Clock::time_point deadline) {
  while (output.from || errors.from) {
    std::array<pollfd, 2> polled{pollfd{output.from.get(), POLLIN, 0},
                                 pollfd{errors.from.get(), POLLIN, 0}};
    const int ready = poll(polled.data(), polled.size(), milliseconds_until(deadline));
    if (ready < 0 && errno != EINTR) return End::failed;
    if (Clock::now() >= deadline) return End::took_too_long;
    if (ready > 0 && polled[0].revents != 0) output.take();
    if (ready > 0 && polled[1].revents != 0) errors.take();
    if (output.overflown) return End::said_too_much;
  }
  return End::exited;
}

/// Waits until `child` has ended. True when it did before the deadline; otherwise it is killed.
bool reap(pid_t child, Clock::time_point deadline, int& status) {
  constexpr useconds_t step_us = 500;
  bool in_time = true;
  for (;;) {
    const pid_t ended = waitpid(child, &status, in_time ? WNOHANG : 0);
    if (ended == child) return in_time;
    if (ended < 0 && errno != EINTR) return false;  // somebody else waited for it
    if (in_time && Clock::now() >= deadline) {
      kill(child, SIGKILL);
      in_time = false;
    } else if (in_time) {
      usleep(step_us);
    }
  }
}

}  // namespace

ProgramResult run_program(std::span<const std::string> command, std::string_view input,
                          const ProgramLimits& limits) {
  const Clock::time_point deadline = Clock::now() + limits.time_max;
  ProgramResult result;
  Descriptor file = file_of(input);
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  if (!file || !output.write || !errors.write) return result;
  pid_t child = 0;
  {
    const Preparation preparation(file.get(), output.write.get(), errors.write.get());
    const int problem = spawn(command, preparation, child);
    if (problem == ENOENT || problem == EACCES) result.end = End::not_found;
    if (problem != 0) return result;
  }
  bound(child, limits);
  output.write.reset();
  errors.write.reset();
  Intake out{std::move(output.read), result.output, limits.output_bytes_max};
  Intake err{std::move(errors.read), result.errors, errors_max};
  result.end = listen(out, err, deadline);
  int status = 0;
  const bool in_time = reap(child, result.end == End::exited ? deadline : Clock::now(), status);
  if (result.end != End::exited) return result;
  if (!in_time)
    result.end = End::took_too_long;
  else if (WIFEXITED(status))
    result.status = WEXITSTATUS(status);
  else
    result.end = End::killed;
  return result;
}

}  // namespace craton::documents
