// The subcommands: each adds itself to the command line and, when it was the one given, runs.
//
// Exit codes: 0 done, 1 refused or failed (one line on standard error says why and what to do),
// 2 wrong usage or configuration, 3 no server to be reached, or none that answered in time, 4 no
// credentials, 130 interrupted. docs/cli.md has them for users.
#pragma once

#include <CLI/CLI.hpp>

namespace craton::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_unreachable = 3;
inline constexpr int exit_credentials = 4;
inline constexpr int exit_interrupted = 130;

/// Each sets `exit_code` from a callback of its subcommand.
void add_serve(CLI::App& app, int& exit_code);
void add_ask(CLI::App& app, int& exit_code);
void add_chat(CLI::App& app, int& exit_code);
void add_invoke(CLI::App& app, int& exit_code);
void add_models(CLI::App& app, int& exit_code);
void add_embed(CLI::App& app, int& exit_code);
void add_image(CLI::App& app, int& exit_code);
void add_count_tokens(CLI::App& app, int& exit_code);
void add_completion(CLI::App& app, int& exit_code);
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
