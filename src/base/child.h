// Another program, started as a child of this process.
//
// No shell, and nothing of this process but PATH is seen by it: no descriptors but its three
// streams, no environment, no signal mask; the terminal's signals pass it by.
//
// No globals; any thread may call.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <utility>

namespace craton {

/// An open file, or none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }

  void reset();
  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

/// Closed on exec; without ends where the process has no descriptors left.
Pipe make_pipe();

struct ChildStreams {
  int input;
  int output;
  int errors;
};

/// Starts a program, looked for along PATH when it has no slash, with its arguments, in the root
/// folder; `child` is its process. 0, or what errno would be.
int start_child(std::span<const std::string> command, const ChildStreams& streams, pid_t& child);

}  // namespace craton
