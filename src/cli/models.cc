// craton models: what models there are, and what one of them can do.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cctype>
#include <cstdio>

#include "base/json.h"
#include "catalog/catalog.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/table.h"

namespace craton::cli {
namespace {

struct ListFlags {
  ModelFilter filter;
  std::vector<std::string> can;
  std::string text;  ///< Part of an id or name.
};

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

/// What a listing says, and what it does not: that comes from Craton's own catalogue.
struct Ability {
  std::string_view name;
  bool (*listed)(const ModelSummary& model) = nullptr;
  bool catalog::Capabilities::* known = nullptr;
};
constexpr Ability abilities[] = {
    {.name = "text",
     .listed = [](const ModelSummary& m) { return has(m.output_modalities, "TEXT"); }},
    {.name = "image",
     .listed = [](const ModelSummary& m) { return has(m.output_modalities, "IMAGE"); }},
    {.name = "embed",
     .listed = [](const ModelSummary& m) { return has(m.output_modalities, "EMBEDDING"); }},
    {.name = "stream", .listed = [](const ModelSummary& m) { return m.streaming; }},
    {.name = "vision",
     .listed = [](const ModelSummary& m) { return has(m.input_modalities, "IMAGE"); }},
    {.name = "on-demand",
     .listed = [](const ModelSummary& m) { return has(m.inference_types, "ON_DEMAND"); }},
    {.name = "converse", .known = &catalog::Capabilities::chat},
    {.name = "system", .known = &catalog::Capabilities::system},
    {.name = "tools", .known = &catalog::Capabilities::tools},
    {.name = "documents", .known = &catalog::Capabilities::documents},
    {.name = "cache", .known = &catalog::Capabilities::prompt_caching},
    {.name = "reasoning", .known = &catalog::Capabilities::reasoning},
    {.name = "structured-output", .known = &catalog::Capabilities::structured_output},
    {.name = "count-tokens", .known = &catalog::Capabilities::count_tokens},
};

std::vector<std::string> ability_names() {
  std::vector<std::string> names;
  for (const Ability& ability : abilities) names.emplace_back(ability.name);
  return names;
}

class Abilities {
 public:
  bool has(const ModelSummary& model, const Ability& ability) const {
    if (ability.listed) return ability.listed(model);
    const auto found = catalog_.resolve("us-east-1", model.id, catalog::Use::count_tokens);
    return found && found->model->converse.*ability.known;
  }

  bool has_all(const ModelSummary& model, const std::vector<std::string>& names) const {
    return std::ranges::all_of(names, [&](const std::string& name) {
      return has(model, *std::ranges::find(abilities, name, &Ability::name));
    });
  }

  std::vector<std::string> of(const ModelSummary& model) const {
    std::vector<std::string> names;
    for (const Ability& ability : abilities) {
      if (has(model, ability)) names.emplace_back(ability.name);
    }
    return names;
  }

 private:
  const catalog::Catalog catalog_{catalog::View::all};
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool fits(const ModelSummary& model, const std::string& text) {
  const std::string part = lower(text);
  return lower(model.id).find(part) != std::string::npos ||
         lower(model.name).find(part) != std::string::npos;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::object json_of(const ModelSummary& model, const Abilities& abilities_of) {
  return {{"modelId", model.id},
          {"modelArn", model.arn},
          {"modelName", model.name},
          {"providerName", model.provider},
          {"inputModalities", array_of(model.input_modalities)},
          {"outputModalities", array_of(model.output_modalities)},
          {"responseStreamingSupported", model.streaming},
          {"customizationsSupported", array_of(model.customizations)},
          {"inferenceTypesSupported", array_of(model.inference_types)},
          {"modelLifecycle", json::object{{"status", model.status}}},
          {"can", array_of(abilities_of.of(model))}};
}

int list(const ConnectionFlags& where, const ListFlags& flags) {
  const bool json = where.output == "json";
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  auto models = connection->client().list_foundation_models(flags.filter).get();
  if (!models) return fail(models.error(), json);
  const Abilities abilities_of;
  std::erase_if(*models, [&](const ModelSummary& model) {
    return !abilities_of.has_all(model, flags.can) || !fits(model, flags.text);
  });
  if (json) {
    json::array all;
    for (const ModelSummary& model : *models) all.emplace_back(json_of(model, abilities_of));
    std::puts(json::to_text(json::value(std::move(all))).c_str());
    return exit_ok;
  }
  if (where.output == "text") {
    for (const ModelSummary& model : *models) std::puts(model.id.c_str());
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows;
  for (const ModelSummary& model : *models) {
    rows.push_back({model.id, model.name, model.provider, joined(model.input_modalities, "+"),
                    joined(model.output_modalities, "+"), model.streaming ? "yes" : "no",
                    model.status});
  }
  print_table({"ID", "NAME", "PROVIDER", "IN", "OUT", "STREAM", "STATUS"}, rows);
  std::fprintf(stderr, "%zu models\n", rows.size());
  return exit_ok;
}

int show(const ConnectionFlags& where, const std::string& id) {
  const bool json = where.output == "json";
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  const auto model = connection->client().get_foundation_model(id).get();
  if (!model) return fail(model.error(), json);
  const Abilities abilities_of;
  if (json) {
    std::puts(json::to_text(json_of(*model, abilities_of)).c_str());
    return exit_ok;
  }
  const catalog::Catalog catalog(catalog::View::all);
  const auto known = catalog.resolve("us-east-1", model->id, catalog::Use::count_tokens);
  const auto number = [&](std::optional<int> catalog::Model::* member) {
    return known && known->model->*member ? std::to_string(*(known->model->*member))
                                          : std::string("not known");
  };
  print_table({"OF", model->id}, {{"name", model->name},
                                  {"provider", model->provider},
                                  {"ARN", model->arn},
                                  {"takes", joined(model->input_modalities)},
                                  {"gives", joined(model->output_modalities)},
                                  {"streams", model->streaming ? "yes" : "no"},
                                  {"invoked", joined(model->inference_types)},
                                  {"customized by", joined(model->customizations)},
                                  {"state", model->status},
                                  {"can", joined(abilities_of.of(*model))},
                                  {"context tokens", number(&catalog::Model::context_tokens)},
                                  {"output tokens", number(&catalog::Model::output_tokens_max)}});
  return exit_ok;
}

}  // namespace

void add_models(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("models", "List the models that there are");
  const auto where = add_connection(*command, {"table", "json", "text"});
  auto flags = std::make_shared<ListFlags>();
  command->add_option("TEXT", flags->text, "Part of an id or name");
  command->add_option("--provider", flags->filter.provider, "Of this provider alone")
      ->type_name("NAME");
  command->add_option("--modality", flags->filter.output_modality, "TEXT, IMAGE or EMBEDDING")
      ->type_name("OUTPUT");
  command->add_option("--inference-type", flags->filter.inference_type, "ON_DEMAND or PROVISIONED")
      ->type_name("TYPE");
  command->add_option("--can", flags->can, "All of: " + joined(ability_names()))
      ->delimiter(',')
      ->check(CLI::IsMember(ability_names()))
      ->type_name("WHAT");

  CLI::App* one = command->add_subcommand("show", "Tell all of one model");
  const auto where_one = add_connection(*one, {"table", "json"});
  auto id = std::make_shared<std::string>();
  one->add_option("ID", *id, "Its id or ARN")->required();
  one->callback([=, &exit_code] { exit_code = show(*where_one, *id); });
  command->callback([=, &exit_code] {
    if (command->get_subcommands().empty()) exit_code = list(*where, *flags);
  });
}

}  // namespace craton::cli
