// craton pull: fetches a model file, once a machine.
#include "models/pull.h"

#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/progress_bar.h"
#include "models/index.h"
#include "server/environment.h"

namespace craton::cli {
namespace {

struct PullFlags {
  std::string name{models::default_model().name};
  std::string data;
  bool list = false;
  std::string output = "table";
};

void print_table(const models::Store& store) {
  for (const models::Model& model : models::all_models()) {
    fmt::print("{:<30} {:>10}  {:<10}  {:<8}  {}\n", model.name, megabytes(model.bytes),
               model.license, store.has(model) ? "here" : "not here", model.about);
  }
}

void print_json(const models::Store& store) {
  std::string text = "[";
  for (const models::Model& model : models::all_models()) {
    if (text.size() > 1) text += ",";
    text +=
        "\n  {\"name\":" + json::quote(model.name) + ",\"bytes\":" + std::to_string(model.bytes) +
        ",\"license\":" + json::quote(model.license) + ",\"sha256\":" + json::quote(model.sha256) +
        ",\"file\":" + json::quote(store.path_of(model).string()) +
        ",\"here\":" + (store.has(model) ? "true" : "false") + "}";
  }
  fmt::print("{}\n]\n", text);
}

std::string unknown_model(const std::string& name) {
  std::vector<std::string_view> names;
  for (const models::Model& model : models::all_models()) names.push_back(model.name);
  const std::string_view near = nearest(name, names);
  return "there is no model '" + name + "' to pull." +
         (near.empty() ? "" : " Did you mean '" + std::string(near) + "'?") +
         " 'craton pull --list' shows what there is.";
}

int pull(const PullFlags& flags) {
  const models::Store store = server::store_of(flags.data);
  if (flags.list) {
    flags.output == "json" ? print_json(store) : print_table(store);
    return exit_ok;
  }
  const models::Model* model = models::find_model(flags.name);
  if (!model) return fail(unknown_model(flags.name));

  ProgressBar bar;
  models::PullOptions options;
  if (const auto endpoint = server::process_environment("HF_ENDPOINT");
      endpoint && !endpoint->empty()) {
    options.huggingface = *endpoint;
  }
  options.progress = [&bar](std::string_view what, std::uint64_t done, std::uint64_t total) {
    bar.show(what, done, total);
  };
  options.note = [&bar](const std::string& text) {
    bar.clear();
    std::fprintf(stderr, "%s\n", text.c_str());
  };
  const Result<models::Pulled> pulled = models::pull(*model, store, options);
  bar.clear();
  if (!pulled) return fail(pulled.error().message);
  const bool was_there = *pulled == models::Pulled::was_there;
  fmt::print("{} {}\n", store.path_of(*model).string(),
             was_there ? "was there already" : "is there, its SHA-256 right");
  return exit_ok;
}

}  // namespace

void add_pull(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("pull", "Fetch a model, checked and resumable");
  auto flags = std::make_shared<PullFlags>();
  command->add_option("name", flags->name, "Model (default " + flags->name + ")")
      ->type_name("NAME");
  command
      ->add_option("--data", flags->data, "Folder that holds models/ (default: the cache folder)")
      ->type_name("DIR");
  command->add_flag("--list", flags->list, "Print the models there are, and which are here");
  command->add_option("--output", flags->output, "Of --list: table or json (default table)")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORM");
  command->callback([flags, &exit_code] { exit_code = pull(*flags); });
}

}  // namespace craton::cli
