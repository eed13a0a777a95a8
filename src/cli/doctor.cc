// craton doctor: what could keep this machine from serving, and the cure.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/progress_bar.h"
#include "documents/document_text.h"
#include "engines/llama/cpu.h"
#include "engines/llama/model_file.h"
#include "models/index.h"
#include "models/pull.h"
#include "server/config.h"
#include "server/environment.h"
#include "server/model_checks.h"

namespace craton::cli {
namespace {

enum class Verdict { ok, warning, failed };

constexpr std::array<std::string_view, 3> verdict_names{"ok", "warn", "FAIL"};

struct Finding {
  Verdict verdict;
  std::string subject;
  std::string text;  ///< What was found; where it is not well, what to do.
};

struct DoctorFlags {
  int port = server::default_port;
  std::string data;
  std::string config_file;
  bool verify = false;
  std::string output = "table";
};

/// The value behind `key` and a colon in a file of /proc; empty when there is none.
std::string proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon != line.npos) return line.substr(line.find_first_not_of(" \t", colon + 1));
  }
  return {};
}

// What llama.cpp's kernels use, best last; Linux's names of them.
constexpr std::array<std::string_view, 9> features{
    "avx", "f16c", "fma", "avx2", "avx512f", "avx512_vnni", "amx_int8", "asimddp", "i8mm"};

Finding look_at_cpu() {
  std::string flags = proc_value("/proc/cpuinfo", "flags");
  if (flags.empty()) flags = proc_value("/proc/cpuinfo", "Features");
  std::istringstream words(flags);
  std::vector<std::string> has;
  for (std::string word; words >> word;) {
    if (std::ranges::find(features, word) != features.end()) has.push_back(word);
  }
  std::string text = fmt::format("{} core(s) to compute on;", engines::llama::usable_cores());
  for (const std::string& feature : has) text += " " + feature;
  const bool fast =
      std::ranges::find(has, "avx2") != has.end() || std::ranges::find(has, "asimddp") != has.end();
  if (fast) return {Verdict::ok, "CPU", text};
  return {
      Verdict::warning, "CPU",
      text +
          " no AVX2 or dot product: answers will be slow. Use a newer machine or a smaller model."};
}

std::uint64_t memory_bytes(std::string_view key) {
  std::istringstream value(proc_value("/proc/meminfo", key));
  std::uint64_t kib = 0;
  value >> kib;
  return kib * 1024;
}

Finding look_at_memory() {
  constexpr std::uint64_t beside_weights = 300'000'000;  // KV cache, batches, the server
  const std::uint64_t available = memory_bytes("MemAvailable");
  const models::Model& model = models::default_model();
  const std::uint64_t needed = model.bytes + beside_weights;
  const std::string text =
      fmt::format("{} available of {}; {} needs {}", megabytes(available),
                  megabytes(memory_bytes("MemTotal")), model.name, megabytes(needed));
  if (available >= needed) return {Verdict::ok, "memory", text};
  return {
      Verdict::warning, "memory",
      text + ". Free some, or serve a smaller model: craton serve --model smollm2-135m-instruct."};
}

Finding look_at_folder(const models::Store& store) {
  std::error_code error;
  const auto folder = store.models_folder();
  std::filesystem::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK) == 0) {
    const auto space = std::filesystem::space(folder, error);
    return {Verdict::ok, "folder",
            folder.string() + " can be written, " + megabytes(space.available) + " free"};
  }
  const std::string reason = error ? error.message() : std::string(std::strerror(errno));
  return {Verdict::failed, "folder",
          folder.string() + " cannot be written: " + reason +
              ". Choose another with --data or CRATON_CACHE_DIR."};
}

std::string checksum_note(const models::ModelFile& file) {
  const models::Model* model = models::find_model(file.name);
  if (!model) return "not in the index: nothing to check it against";
  const Result<std::string> found = models::file_sha256(file.path);
  if (!found) return found.error().message;
  return *found == model->sha256 ? "its SHA-256 is right" : "";
}

Finding look_at_model(const models::ModelFile& file, bool verify) {
  if (const auto reason = engines::llama::why_no_model(file.path)) {
    return {Verdict::failed, "model", *reason};
  }
  if (!verify) return {Verdict::ok, "model", file.name + " in " + file.path.string()};
  const std::string note = checksum_note(file);
  if (!note.empty()) return {Verdict::ok, "model", file.name + ": " + note};
  return {
      Verdict::failed, "model",
      file.path.string() + ": its SHA-256 is wrong. Delete it and run: craton pull " + file.name};
}

void look_at_models(const models::Store& store, bool verify, std::vector<Finding>& findings) {
  for (const models::ModelFile& file : store.found()) {
    findings.push_back(look_at_model(file, verify));
  }
}

/// What `craton serve` would load with the flags and the craton.yaml that are there. The files in
/// the folder of models are looked at elsewhere.
Finding look_at_store(const server::Config& config) {
  const std::string name = server::resource_store_name(config);
  if (const auto problem = server::resource_store_of(config)->problem()) {
    return {Verdict::failed, "store", name + ": " + *problem + "."};
  }
  return {Verdict::ok, "store", name + " keeps what callers make"};
}

void look_at_configuration(const DoctorFlags& flags, std::vector<Finding>& findings) {
  std::map<std::string, std::string> given;
  if (!flags.data.empty()) given["data"] = flags.data;
  const auto config = server::read_config({given, server::process_environment, flags.config_file});
  if (!config) return findings.push_back({Verdict::failed, "config", config.error().message});
  findings.push_back(look_at_store(*config));
  std::uint64_t bytes = 0;
  for (const server::ModelCheck& check : server::check_models(*config)) {
    if (check.problem) {
      findings.push_back({Verdict::failed, "config", check.name + ": " + *check.problem});
    } else if (!check.where.empty()) {
      findings.push_back(
          {Verdict::ok, "config", fmt::format("{} is answered by {}", check.name, check.where)});
    } else {
      findings.push_back({Verdict::ok, "config",
                          fmt::format("{} takes about {}", check.name, megabytes(check.bytes))});
    }
    bytes += check.bytes;
  }
  const std::uint64_t most = config->memory.value_or(memory_bytes("MemAvailable"));
  if (bytes <= most) return;
  findings.push_back({Verdict::warning, "config",
                      fmt::format("all models together take {}, and may have {}: {}",
                                  megabytes(bytes), megabytes(most),
                                  config->memory ? "they are loaded and unloaded by turns."
                                                 : "give serve a bound, such as --memory 6G.")});
}

Finding look_at_port(int port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // a port just left is free
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int bound = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const std::string reason = std::strerror(errno);
  close(descriptor);
  if (bound == 0) return {Verdict::ok, "port", fmt::format("{} is free", port)};
  return {
      Verdict::failed, "port",
      fmt::format("{} cannot be had: {}. Serve on another: craton serve --port 0.", port, reason)};
}

Finding look_at_pdf() {
  const std::string reader = documents::pdf_reader_path();
  if (!reader.empty()) return {Verdict::ok, "pdf", reader + " reads PDF documents in prompts"};
  return {
      Verdict::warning, "pdf",
      "no pdftotext: PDF documents in prompts are refused. Install poppler-utils if you send any."};
}

void print_table(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    fmt::print("{:<5} {:<7} {}\n", verdict_names[static_cast<std::size_t>(finding.verdict)],
               finding.subject, finding.text);
  }
}

void print_json(const std::vector<Finding>& findings) {
  std::string text = "[";
  for (const Finding& finding : findings) {
    if (text.size() > 1) text += ",";
    text += "\n  {\"verdict\":" +
            json::quote(verdict_names[static_cast<std::size_t>(finding.verdict)]) +
            ",\"subject\":" + json::quote(finding.subject) +
            ",\"text\":" + json::quote(finding.text) + "}";
  }
  fmt::print("{}\n]\n", text);
}

int doctor(const DoctorFlags& flags) {
  const models::Store store = server::store_of(flags.data);
  std::vector<Finding> findings{look_at_cpu(), look_at_memory(), look_at_folder(store)};
  look_at_models(store, flags.verify, findings);
  look_at_configuration(flags, findings);
  findings.push_back(look_at_pdf());
  findings.push_back(look_at_port(flags.port));
  flags.output == "json" ? print_json(findings) : print_table(findings);
  const bool well = std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.verdict == Verdict::failed; });
  return well ? exit_ok : exit_failed;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("doctor", "Tell what could keep this machine from serving, and the cure");
  auto flags = std::make_shared<DoctorFlags>();
  command->add_option("--port", flags->port, "Port that serve would take")
      ->check(CLI::Range(0, 65535))
      ->type_name("PORT");
  command
      ->add_option("--data", flags->data, "Folder that holds models/ (default: the cache folder)")
      ->type_name("DIR");
  command
      ->add_option("--config", flags->config_file,
                   "File that serve would read (default ./craton.yaml)")
      ->type_name("FILE");
  command->add_flag("--verify", flags->verify,
                    "Check the SHA-256 of each model, which takes seconds");
  command->add_option("--output", flags->output, "table or json (default table)")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORM");
  command->callback([flags, &exit_code] { exit_code = doctor(*flags); });
}

}  // namespace craton::cli
