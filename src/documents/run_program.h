// Runs another program over bytes in memory: its input is a file without a name, its output is
// taken in, and it is killed when it takes too long, says too much or wants too much memory.
//
// No shell, and nothing of this process but PATH is seen by it: no descriptors, no environment, no
// signal mask. Blocks the calling thread. No globals; any thread may call it.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace craton::documents {

struct ProgramLimits {
  std::chrono::milliseconds time_max;
  std::size_t output_bytes_max;
  std::size_t memory_bytes_max;  ///< Of address space.
};

struct ProgramResult {
  enum class End {
    exited,
    not_found,  ///< No such program, or it may not be run.
    took_too_long,
    said_too_much,
    killed,  ///< By a signal: a crash, or out of memory.
    failed,  ///< This process lacked what it takes to run another.
  };

  End end = End::failed;
  int status = 0;      ///< Exit status.
  std::string output;  ///< What it wrote on its standard output,
  std::string errors;  ///< and the beginning of what it wrote on its standard error.
};

/// `command`: the program, looked for along PATH when it has no slash, and its arguments.
ProgramResult run_program(std::span<const std::string> command, std::string_view input,
                          const ProgramLimits& limits);

}  // namespace craton::documents
