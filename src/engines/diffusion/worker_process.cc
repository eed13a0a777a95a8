#include "engines/diffusion/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

namespace craton::engines::diffusion {
namespace {

constexpr std::string_view name = "craton-diffusion";
constexpr std::chrono::seconds own_end_max{1};
constexpr std::chrono::milliseconds look_again{5};
constexpr std::size_t read_bytes = 256 << 10;

void unblock(const Descriptor& end) {
  fcntl(end.get(), F_SETFL, fcntl(end.get(), F_GETFL) | O_NONBLOCK);
}

std::string told(int status) {
  if (WIFEXITED(status)) return "with status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const char* words = sigdescr_np(signal);
  return "by signal " + std::to_string(signal) + " (" + (words ? words : "unknown") + ")";
}

Error cannot_start(const std::string& program, int problem) {
  if (problem == ENOENT) {
    return {
        ErrorCode::model_error,
        "there is no " + program +
            ", which draws. Build Craton with -DCRATON_DIFFUSION=ON, and keep it beside craton"};
  }
  return {ErrorCode::model_error,
          program + " cannot be run: " + std::system_category().message(problem)};
}

}  // namespace

std::string worker_program() {
  std::error_code error;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const auto installed = here.parent_path() / "libexec" / "craton" / name;
  const bool there = std::filesystem::exists(installed, error);
  return (there ? installed : here / name).string();
}

Result<WorkerProcess> WorkerProcess::start(const std::string& program) {
  WorkerProcess worker;
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  if (!in.write || !out.write) return cannot_start(program, EMFILE);
  const std::array command{program};
  const int problem =
      start_child(command, {in.read.get(), out.write.get(), STDERR_FILENO}, worker.child_);
  if (problem != 0) return cannot_start(program, problem);
  worker.input_ = std::move(in.write);
  worker.output_ = std::move(out.read);
  unblock(worker.input_);
  unblock(worker.output_);
  return worker;
}

WorkerProcess::WorkerProcess(WorkerProcess&& other) noexcept
    : child_(std::exchange(other.child_, 0)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)),
      unsent_(std::move(other.unsent_)),
      sent_(other.sent_),
      decoder_(std::move(other.decoder_)) {}

WorkerProcess::~WorkerProcess() { end(true); }

Result<void> WorkerProcess::send(const Message& message) { return encode(message, unsent_); }

bool WorkerProcess::write_some() {
  while (sent_ < unsent_.size()) {
    const ssize_t size = write(input_.get(), unsent_.data() + sent_, unsent_.size() - sent_);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    sent_ += static_cast<std::size_t>(size);
  }
  std::exchange(unsent_, {});  // gives the memory of a picture back
  sent_ = 0;
  return true;
}

bool WorkerProcess::read_some() {
  std::array<char, read_bytes> piece;
  for (;;) {
    const ssize_t size = read(output_.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    decoder_.feed({piece.data(), static_cast<std::size_t>(size)});
    return true;
  }
}

std::string WorkerProcess::end(bool at_once) {
  if (child_ == 0) return "before";
  const auto deadline = std::chrono::steady_clock::now() + own_end_max;
  bool killed = false;
  int status = 0;
  for (;;) {
    if (!killed && (at_once || std::chrono::steady_clock::now() >= deadline)) {
      kill(child_, SIGKILL);
      killed = true;
    }
    const pid_t ended = waitpid(child_, &status, killed ? 0 : WNOHANG);
    if (ended == child_) break;
    if (ended < 0 && errno != EINTR) break;  // somebody else has waited for it
    if (ended == 0) std::this_thread::sleep_for(look_again);
  }
  child_ = 0;
  return told(status);
}

}  // namespace craton::engines::diffusion
