// craton cassette: what recordings hold, whether they are right, and which of them are needed.
#include "engines/replay/cassette.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "engines/replay/request_key.h"

namespace craton::cli {
namespace {

using engines::NativeReply;
using engines::replay::Placed;

/// Where requests say what they are about: conversations, and native bodies.
constexpr std::array<std::string_view, 16> prompts{
    "messages[-1].content[*].text",
    "body.inputText",
    "body.texts[*]",
    "body.inputs[*].content[*].text",
    "body.singleEmbeddingParams.text.value",
    "body.query",
    "body.documents[*]",
    "body.prompt",
    "body.text_prompts[*].text",
    "body.taskType",
    "body.textToImageParams.text",
    "body.inPaintingParams.text",
    "body.outPaintingParams.text",
    "body.imageVariationParams.text",
    "body.colorGuidedGenerationParams.text",
    "body.virtualTryOnParams.maskType",
};

/// "Converse", the model and the beginning of what was asked last.
struct Summary {
  std::string model;
  std::string prompt;
};

Summary summary_of(const Placed& placed) {
  Summary summary;
  const Result<json::value> request = json::parse(placed.interaction.request);
  if (!request || !request->is_object()) return summary;
  const json::object& object = request->get_object();
  if (const auto* model = object.if_contains("model"); model && model->is_string()) {
    summary.model = model->get_string();
  }
  for (const std::string_view where : prompts) {
    const auto path = engines::rules::JsonPath::parse(where);
    for (const std::string& text : path->find(*request)) {
      summary.prompt += (summary.prompt.empty() ? "" : " ") + text;
    }
  }
  return summary;
}

std::string shortened(const std::string& text, std::size_t most) {
  std::string line;
  for (const char c : text) line += c == '\n' ? ' ' : c;
  if (line.size() <= most) return line;
  return mended_utf8(std::string_view(line).substr(0, most)) + "…";
}

/// Of a reply, which may be megabytes of pictures.
constexpr std::size_t reply_shown = 1000;

std::string text_of(const Placed& placed) {
  std::string text;
  if (placed.interaction.reply) {
    const NativeReply& reply = placed.interaction.reply->reply;
    const bool json = reply.content_type.starts_with("application/json");
    return json ? shortened(reply.body, reply_shown)
                : fmt::format("{} bytes of {}", reply.body.size(), reply.content_type);
  }
  for (const auto& timed : placed.interaction.events) {
    if (const auto* delta = std::get_if<TextDelta>(&timed.event)) text += delta->text;
    if (const auto* tool = std::get_if<ToolUseStart>(&timed.event)) text += "[" + tool->name + "]";
    if (const auto* failure = std::get_if<Failure>(&timed.event)) {
      text += std::string(shape_of(failure->error.code).name);
    }
  }
  return text;
}

json::object listed(const Placed& placed, const std::string& key) {
  const Summary summary = summary_of(placed);
  return {{"key", key},
          {"file", placed.file.string()},
          {"line", placed.line},
          {"operation", placed.interaction.operation},
          {"model", summary.model},
          {"prompt", summary.prompt},
          {"answer", text_of(placed)},
          {"engine", placed.interaction.engine},
          {"engineModel", placed.interaction.engine_model},
          {"recorded", placed.interaction.recorded}};
}

std::string key_of(const Placed& placed) {
  return engines::replay::key_of(*json::parse(placed.interaction.request));
}

int list(const std::string& folder, const std::string& output) {
  const auto all = engines::replay::read_cassettes(folder);
  if (!all) return fail(all.error().message);
  std::string text = "[";
  for (const Placed& placed : *all) {
    const std::string key = key_of(placed);
    if (output == "json") {
      text += text.size() > 1 ? ",\n  " : "\n  ";
      json::append_text(listed(placed, key), text);
      continue;
    }
    const Summary summary = summary_of(placed);
    fmt::print("{}  {}:{}  {}  {}\n    ? {}\n    = {}\n", key.substr(0, 8),
               placed.file.filename().string(), placed.line, placed.interaction.operation,
               summary.model, shortened(summary.prompt, 100), shortened(text_of(placed), 100));
  }
  if (output == "json") {
    std::puts((text + "\n]").c_str());
  } else {
    fmt::print("{} recorded answer(s) in {}\n", all->size(), folder);
  }
  return exit_ok;
}

int lint(const std::vector<std::string>& folders) {
  int exit_code = exit_ok;
  for (const std::string& folder : folders) {
    const auto all = engines::replay::read_cassettes(folder);
    if (!all) {
      std::fprintf(stderr, "%s\n", all.error().message.c_str());
      exit_code = exit_failed;
      continue;
    }
    std::set<std::string> keys;
    for (const Placed& placed : *all) keys.insert(key_of(placed));
    fmt::print("{}: ok, {} recorded answer(s) to {} request(s)\n", folder, all->size(),
               keys.size());
  }
  return exit_code;
}

/// Keeps of each request the newest answers, `keep` of them.
int prune(const std::string& folder, int keep) {
  const auto all = engines::replay::read_cassettes(folder);
  if (!all) return fail(all.error().message);
  std::map<std::string, int> later;
  std::vector<bool> stays(all->size());
  for (std::size_t i = all->size(); i-- > 0;) stays[i] = later[key_of((*all)[i])]++ < keep;
  std::map<std::filesystem::path, std::string> texts;
  std::size_t gone = 0;
  for (std::size_t i = 0; i < all->size(); ++i) {
    std::string& text = texts[(*all)[i].file];
    stays[i] ? (void)(text += engines::replay::line_of((*all)[i].interaction) + "\n")
             : (void)++gone;
  }
  for (const auto& [file, text] : texts) {
    const Result<void> written = replace_file(file, text, 0600);
    if (!written) return fail(written.error().message);
  }
  fmt::print("{} recorded answer(s) gone, {} left\n", gone, all->size() - gone);
  return exit_ok;
}

}  // namespace

void add_cassette(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("cassette", "Look at recordings, check them, thin them out");
  command->require_subcommand(1);
  auto folder = std::make_shared<std::string>();
  auto output = std::make_shared<std::string>("text");
  CLI::App* all = command->add_subcommand("list", "List what is recorded");
  all->add_option("DIR", *folder, "Folder of cassettes, or one")->required();
  all->add_option("--output", *output, "text or json (default text)")
      ->check(CLI::IsMember({"text", "json"}));
  all->callback([folder, output, &exit_code] { exit_code = list(*folder, *output); });

  CLI::App* check = command->add_subcommand("lint", "Say what is wrong with recordings");
  auto folders = std::make_shared<std::vector<std::string>>();
  check->add_option("DIR", *folders, "Folders of cassettes, or some")->required();
  check->callback([folders, &exit_code] { exit_code = lint(*folders); });

  CLI::App* thin = command->add_subcommand("prune", "Keep the newest answers of each request");
  auto keep = std::make_shared<int>(1);
  thin->add_option("DIR", *folder, "Folder of cassettes, or one")->required();
  thin->add_option("--keep", *keep, "How many of each (default 1)")
      ->check(CLI::Range(1, 1'000'000));
  thin->callback([folder, keep, &exit_code] { exit_code = prune(*folder, *keep); });
}

}  // namespace craton::cli
