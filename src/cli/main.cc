// craton: the command line.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/version.h"

namespace craton::cli {
namespace {

/// Every name that could have been meant where `app` was given something it does not know.
std::vector<std::string> known_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) names.push_back(option->get_name());
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// The subcommand that was being read when reading failed.
const CLI::App& active(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app : active(*given.back());
}

std::string suggestion(const CLI::App& app, const std::string& unknown) {
  const std::vector<std::string> names = known_names(app);
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = nearest(unknown, views);
  return near.empty() ? std::string() : " Did you mean '" + std::string(near) + "'?";
}

/// One line that names what was wrong and the nearest right thing.
int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = active(app);
  std::string message = error.what();
  if (const auto unknown = command.remaining(); !unknown.empty()) {
    const std::string name = unknown.front().substr(0, unknown.front().find('='));
    message =
        "'" + name + "' is not known to '" + command.get_name() + "'." + suggestion(command, name);
  }
  std::fprintf(stderr, "craton: %s Run '%s --help' for what there is.\n", message.c_str(),
               (&command == &app ? std::string("craton") : "craton " + command.get_name()).c_str());
  return exit_usage;
}

int run(int argc, char** argv) {
  CLI::App app("Amazon Bedrock's API, anywhere: served by a real local model.", "craton");
  app.set_version_flag("--version", version_text());
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  int exit_code = exit_ok;
  add_serve(app, exit_code);
  add_ask(app, exit_code);
  add_chat(app, exit_code);
  add_models(app, exit_code);
  add_invoke(app, exit_code);
  add_embed(app, exit_code);
  add_image(app, exit_code);
  add_count_tokens(app, exit_code);
  add_pull(app, exit_code);
  add_doctor(app, exit_code);
  add_operations(app, exit_code);
  add_keys(app, exit_code);
  add_script(app, exit_code);
  add_cassette(app, exit_code);
  add_top(app, exit_code);
  add_worker(app, exit_code);
  add_completion(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {  // --help, --version
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    if (argc == 1) {
      std::fputs(app.help().c_str(), stdout);
      return exit_usage;
    }
    return usage_error(app, error);
  }
  return exit_code;
}

}  // namespace

int fail(const std::string& message) {
  std::fprintf(stderr, "craton: %s\n", message.c_str());
  return exit_failed;
}

}  // namespace craton::cli

int main(int argc, char** argv) {
  try {
    return craton::cli::run(argc, argv);
  } catch (const std::exception& error) {
    return craton::cli::fail(error.what());
  }
}
