// craton-diffusion as this process runs it: messages in and out of a child that may crash, hang or
// talk nonsense.
//
// Never blocks, but for end(). The child is killed when this is destroyed, and by the kernel when
// the thread that started it ends. One thread uses it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/child.h"
#include "base/result.h"
#include "engines/diffusion/messages.h"

namespace craton::engines::diffusion {

/// The program's path: beside the one that runs, or in ../libexec/craton.
std::string worker_program();

class WorkerProcess {
 public:
  /// Fails with `model_error`, for an operator.
  static Result<WorkerProcess> start(const std::string& program);
  WorkerProcess(WorkerProcess&& other) noexcept;
  WorkerProcess& operator=(WorkerProcess&&) = delete;
  ~WorkerProcess();

  int input() const { return input_.get(); }    ///< To poll for writing while has_output().
  int output() const { return output_.get(); }  ///< To poll for reading.
  bool has_output() const { return !unsent_.empty(); }

  /// Sent as the child takes it, by write_some(). Fails as encode() does.
  Result<void> send(const Message& message);

  /// What the pipe takes now, or has now. False when the child has closed it.
  bool write_some();
  bool read_some();

  /// The next message that was read. Fails as Decoder::next().
  Result<std::optional<Message>> next() { return decoder_.next(); }

  /// Ends the child and says how it ended: "by signal 6 (Aborted)". One that is at it by itself is
  /// given a second, unless `at_once`.
  std::string end(bool at_once);

 private:
  WorkerProcess() = default;

  pid_t child_ = 0;  ///< 0: none any more.
  Descriptor input_;
  Descriptor output_;
  std::string unsent_;
  std::size_t sent_ = 0;  ///< Bytes of it.
  Decoder decoder_;
};

}  // namespace craton::engines::diffusion
