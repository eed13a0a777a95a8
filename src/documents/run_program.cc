#include "documents/run_program.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/child.h"

namespace craton::documents {
namespace {

using Clock = std::chrono::steady_clock;
using End = ProgramResult::End;

constexpr std::size_t errors_max = 4096;

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
  const int problem =
      start_child(command, {file.get(), output.write.get(), errors.write.get()}, child);
  if (problem == ENOENT || problem == EACCES) result.end = End::not_found;
  if (problem != 0) return result;
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
