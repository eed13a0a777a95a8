// The subcommands: each adds itself to the command line and, when it was the one given, runs.
//
// Exit codes: 0 done, 1 refused or failed (one line on standard error says why and what to do),
// 2 wrong usage.
#pragma once

#include <CLI/CLI.hpp>

namespace craton::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

/// Each sets `exit_code` from a callback of its subcommand.
void add_serve(CLI::App& app, int& exit_code);
void add_keys(CLI::App& app, int& exit_code);
void add_operations(CLI::App& app, int& exit_code);
void add_pull(CLI::App& app, int& exit_code);
void add_cassette(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_script(CLI::App& app, int& exit_code);
void add_top(CLI::App& app, int& exit_code);
void add_worker(CLI::App& app, int& exit_code);

/// "craton: MESSAGE" on standard error; gives exit_failed.
int fail(const std::string& message);

}  // namespace craton::cli
