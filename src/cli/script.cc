// craton script lint: what is wrong with files of rules, without a server.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "engines/script/rules_file.h"

namespace craton::cli {
namespace {

/// exit_failed when any file is wrong; each wrong file is told of, with the first thing wrong in
/// it.
int lint(const std::vector<std::string>& paths) {
  int exit_code = exit_ok;
  for (const std::string& path : paths) {
    const auto file = engines::script::read_rules_file(path);
    if (!file) {
      std::fprintf(stderr, "%s\n", file.error().message.c_str());
      exit_code = exit_failed;
      continue;
    }
    std::printf("%s: ok, %zu rule(s), %zu fault(s)\n", path.c_str(), file->rules.size(),
                file->faults.size());
  }
  return exit_code;
}

}  // namespace

void add_script(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("script", "Work on files of rules");
  command->require_subcommand(1);
  CLI::App* check = command->add_subcommand("lint", "Say what is wrong with files of rules");
  auto paths = std::make_shared<std::vector<std::string>>();
  check->add_option("FILE", *paths, "Files of rules, YAML")->required();
  check->callback([paths, &exit_code] { exit_code = lint(*paths); });
}

}  // namespace craton::cli
