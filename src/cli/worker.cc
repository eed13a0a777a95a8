// craton worker: computes layers of a model for a server on another machine.
#include <cstdio>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "engines/llama/remote_layers.h"

namespace craton::cli {
namespace {

int run(const engines::llama::WorkerOptions& options) {
  if (options.host != "127.0.0.1" && options.host != "localhost") {
    std::fprintf(stderr,
                 "craton: whoever reaches %s:%d can use and break this process: nothing there is "
                 "encrypted, nobody is asked who they are. Only for a network of your own.\n",
                 options.host.c_str(), options.port);
  }
  return fail(engines::llama::work(options));
}

}  // namespace

void add_worker(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<engines::llama::WorkerOptions>();
  CLI::App* command = app.add_subcommand(
      "worker", "Compute layers of a model for a server on another machine (craton serve --rpc)");
  command->add_option("--host", options->host, "Address to listen on (default 127.0.0.1)");
  command->add_option("--port", options->port, "Port to listen on (default 50052)")
      ->check(CLI::Range(1, 65535));
  command
      ->add_option("--threads", options->threads, "That compute (default: one per physical core)")
      ->check(CLI::Range(0, 512));
  command
      ->add_option("--cache", options->cache,
                   "Existing folder that keeps weights which were sent, for the next time")
      ->check(CLI::ExistingDirectory);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace craton::cli
