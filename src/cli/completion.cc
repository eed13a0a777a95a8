// craton completion: what shells need to complete craton's commands, flags and model ids.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "base/json.h"
#include "catalog/catalog.h"
#include "cli/commands.h"
#include "cli/table.h"

namespace craton::cli {
namespace {

std::vector<std::string> model_ids() {
  const catalog::Catalog catalog(catalog::View::all);
  const auto listing = catalog.list_models("us-east-1", {});
  const Result<json::value> value = json::parse(*listing);
  std::vector<std::string> ids;
  if (!value) return ids;
  for (const json::value& model : value->at("modelSummaries").as_array()) {
    ids.emplace_back(model.at("modelId").as_string());
  }
  return ids;
}

/// "--model -m --region …"
std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    for (const std::string& name : option->get_snames()) flags.push_back("-" + name);
  }
  return flags;
}

std::vector<std::string> commands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* one : command.get_subcommands({})) {
    if (!one->get_group().empty()) names.push_back(one->get_name());
  }
  return names;
}

/// A shell word: of help texts, which may hold anything.
std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != text.npos; at += 4) {
    text.replace(at, 1, "'\\''");
  }
  return "'" + text + "'";
}

/// Calls `visit` with "models show" and its App, for every command.
template <class Visit>
void for_each_command(const CLI::App& app, const std::string& path, const Visit& visit) {
  visit(path, app);
  for (const CLI::App* one : app.get_subcommands({})) {
    if (one->get_group().empty()) continue;
    for_each_command(*one, path.empty() ? one->get_name() : path + " " + one->get_name(), visit);
  }
}

void print_bash(const CLI::App& app) {
  std::puts(
      "# bash completion of craton: eval \"$(craton completion bash)\"\n"
      "_craton() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path= i\n"
      "  # ':' of model ids breaks words: take the id together again\n"
      "  if declare -F _get_comp_words_by_ref >/dev/null; then\n"
      "    local words cword\n"
      "    _get_comp_words_by_ref -n : -c word -p before\n"
      "  fi\n"
      "  if [[ $before == -m || $before == --model ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$(craton completion models)\" -- \"$word\"))\n"
      "    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions \"$word\"\n"
      "    return\n"
      "  fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${COMP_WORDS[i]}\" in");
  std::string words;
  for_each_command(app, "", [&](const std::string& path, const CLI::App& command) {
    if (!path.empty()) {
      fmt::print("      \" {0}\") path=\" {0}\" ;;\n", path);
    }
    std::vector<std::string> all = commands_of(command);
    std::ranges::copy(flags_of(command), std::back_inserter(all));
    words += fmt::format("    \"{}\") words=\"{}\" ;;\n", path.empty() ? "" : " " + path,
                         joined(all, " "));
  });
  std::puts("    esac\n  done\n  local words=\n  case \"$path\" in");
  std::fputs(words.c_str(), stdout);
  std::puts(
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
      "  [[ $word != -* ]] && COMPREPLY+=($(compgen -f -- \"$word\"))\n"
      "}\n"
      "complete -F _craton craton");
}

void print_zsh(const CLI::App& app) {
  std::puts(
      "#compdef craton\n# zsh completion of craton: source <(craton completion zsh)\n"
      "_craton() {\n"
      "  local path= i\n"
      "  if [[ ${words[CURRENT-1]} == (-m|--model) ]]; then\n"
      "    compadd -- ${(f)\"$(craton completion models)\"}\n"
      "    return\n"
      "  fi\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"$path ${words[i]}\" in");
  std::string cases;
  for_each_command(app, "", [&](const std::string& path, const CLI::App& command) {
    if (!path.empty()) fmt::print("      \" {0}\") path=\" {0}\" ;;\n", path);
    cases += fmt::format("    \"{}\")\n", path.empty() ? "" : " " + path);
    cases += "      compadd -- " + joined(commands_of(command), " ") + "\n";
    cases += "      [[ ${words[CURRENT]} == -* ]] && compadd -- " + joined(flags_of(command), " ") +
             "\n";
    cases += "      ;;\n";
  });
  std::puts("    esac\n  done\n  case \"$path\" in");
  std::fputs(cases.c_str(), stdout);
  std::puts("  esac\n  [[ ${words[CURRENT]} != -* ]] && _files\n}\ncompdef _craton craton");
}

void print_fish(const CLI::App& app) {
  std::puts("# fish completion of craton: craton completion fish | source");
  for_each_command(app, "", [&](const std::string& path, const CLI::App& command) {
    std::string condition = "__fish_use_subcommand";
    if (!path.empty()) {
      condition = "__fish_seen_subcommand_from " + path.substr(path.rfind(' ') + 1);
    }
    for (const CLI::App* one : command.get_subcommands({})) {
      if (one->get_group().empty()) continue;
      fmt::print("complete -c craton -n {} -a {} -d {}\n", quoted(condition), one->get_name(),
                 quoted(one->get_description()));
    }
    if (path.empty()) return;
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        const bool takes = option->get_items_expected_max() > 0;
        fmt::print("complete -c craton -n {} -l {} {}-d {}{}\n", quoted(condition), name,
                   takes ? "-r " : "", quoted(option->get_description()),
                   name == "model" && path != "serve" ? " -xa '(craton completion models)'" : "");
      }
    }
  });
}

struct Shell {
  std::string_view name;
  void (*print)(const CLI::App& app);
};
constexpr Shell shells[] = {
    {"bash", print_bash},
    {"zsh", print_zsh},
    {"fish", print_fish},
    {"models", [](const CLI::App&) { std::puts(joined(model_ids(), "\n").c_str()); }},
};

}  // namespace

void add_completion(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("completion", "Print what a shell needs to complete craton");
  auto name = std::make_shared<std::string>();
  std::vector<std::string> names;
  for (const Shell& shell : shells) names.emplace_back(shell.name);
  command->add_option("SHELL", *name, "bash, zsh or fish; models lists the ids that are completed")
      ->required()
      ->check(CLI::IsMember(names));
  command->callback([&app, name, &exit_code] {
    std::ranges::find(shells, std::string_view(*name), &Shell::name)->print(app);
    exit_code = exit_ok;
  });
}

}  // namespace craton::cli
