#include "documents/run_program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

namespace craton::documents {
namespace {

using End = ProgramResult::End;
using namespace std::chrono_literals;

constexpr ProgramLimits limits{
    .time_max = 20s, .output_bytes_max = 10'000'000, .memory_bytes_max = 1u << 30};

ProgramResult run(const std::vector<std::string>& command, std::string_view input = "",
                  const ProgramLimits& bounds = limits) {
  return run_program(command, input, bounds);
}

int open_descriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

TEST(RunProgram, PassesBytesThrough) {
  const std::string input(3'000'000, '\xFE');  // more than a pipe holds
  const ProgramResult result = run({"cat"}, input);
  EXPECT_EQ(result.end, End::exited);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, input);
}

TEST(RunProgram, TellsStatusAndErrors) {
  const ProgramResult result = run({"cat", "/nowhere"});
  EXPECT_EQ(result.end, End::exited);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.errors.find("No such file"), std::string::npos);
}

TEST(RunProgram, ProgramsThatAreNotThereAreNotFound) {
  EXPECT_EQ(run({"craton-no-such-program"}).end, End::not_found);
  EXPECT_EQ(run({"/etc/passwd"}).end, End::not_found);
}

TEST(RunProgram, TheSlowAreKilled) {
  const auto begin = std::chrono::steady_clock::now();
  ProgramLimits hasty = limits;
  hasty.time_max = 200ms;
  EXPECT_EQ(run({"sleep", "100"}, "", hasty).end, End::took_too_long);
  // One that closes its output and goes on.
  EXPECT_EQ(run({"sh", "-c", "exec >&- 2>&-; sleep 100"}, "", hasty).end, End::took_too_long);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST(RunProgram, TheTalkativeAreKilled) {
  ProgramLimits brief = limits;
  brief.output_bytes_max = 1000;
  const ProgramResult result = run({"yes"}, "", brief);
  EXPECT_EQ(result.end, End::said_too_much);
  EXPECT_EQ(result.output.size(), 1000u);
}

TEST(RunProgram, TheCrashedAreTold) {
  EXPECT_EQ(run({"sh", "-c", "kill -SEGV $$"}).end, End::killed);
}

TEST(RunProgram, SeesNothingOfThisProcess) {
  setenv("CRATON_TEST_SECRET", "secret", 1);
  const ProgramResult environment = run({"env"});
  EXPECT_EQ(environment.output.find("secret"), std::string::npos);
  EXPECT_NE(environment.output.find("PATH="), std::string::npos);
  const ProgramResult descriptors = run({"ls", "/proc/self/fd"});
  EXPECT_EQ(descriptors.output, "0\n1\n2\n3\n") << "3 is the folder that ls reads";
}

TEST(RunProgram, LeavesNothingOpen) {
  run({"cat"}, "x");
  const int before = open_descriptors();
  for (int i = 0; i < 20; ++i) run({"cat"}, "x");
  run({"craton-no-such-program"});
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace craton::documents
