// What `craton serve` can be told, in one table: a row is a flag (`--port`), a variable
// (`CRATON_PORT`) and a key of craton.yaml (`port:`) at once. Flags win over variables, variables
// over the file, the file over the defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/result.h"
#include "catalog/catalog.h"

namespace craton::server {

inline constexpr std::uint16_t default_port = 8420;
inline constexpr std::string_view default_model = "qwen2.5-coder-0.5b-instruct";

enum class Tls { off, files, self_signed };

struct Config {
  std::string model{default_model};  ///< A name that `craton pull` knows, a GGUF file, or "none".
  std::string projector;             ///< GGUF file by which the model sees; empty: it does not.
  std::string host = "127.0.0.1";
  std::uint16_t port = default_port;  ///< 0 picks a free one.
  std::string region = "us-east-1";   ///< For callers whose signature names none.
  int threads = 0;                    ///< Compute threads of a model; 0: one per physical core.
  int io_threads = 0;                 ///< 0: one per core, 4 at most.
  int context_tokens = 0;             ///< Of one conversation; 0: the engine's default.
  int kv_cells = 0;          ///< Tokens of all answers and kept prompts; 0: the engine's default.
  bool prefix_cache = true;  ///< Prompts are kept for those that begin alike.
  bool speculation = true;   ///< Answers that repeat something are guessed ahead.
  int parallel = 0;          ///< Answers made at once; 0: the engine's default.
  int queue = 64;            ///< Requests that may wait beyond those.
  catalog::View catalog = catalog::View::all;
  std::string data;  ///< Folder that holds models/ and tls/; empty: the cache folder.
  std::chrono::seconds model_wait{25};
  std::chrono::seconds answer_limit{3600};
  std::chrono::seconds drain_limit{30};
  std::size_t body_bytes_max = 25'000'000;
  Tls tls = Tls::off;
  std::string tls_cert;  ///< PEM file; with tls_key in place of Tls::self_signed.
  std::string tls_key;
  log::Level log_level = log::Level::info;
};

struct Setting {
  std::string_view name;   ///< As a flag and key; the variable is CRATON_ and capitals.
  std::string_view value;  ///< What to put there, for the help: "PORT"
  std::string_view help;
  /// Fails with `validation`; the message says what was expected.
  Result<void> (*set)(Config& config, std::string_view text);
};

std::span<const Setting> settings();

/// The setting of that name; null when there is none.
const Setting* find_setting(std::string_view name);

/// "CRATON_DRAIN_LIMIT" for "drain-limit".
std::string variable_of(const Setting& setting);

/// A variable's value; nullopt when unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Sources {
  std::map<std::string, std::string> flags;  ///< By setting name.
  Environment environment;
  std::string file;  ///< Path of the YAML file; empty: ./craton.yaml where there is one.
};

/// The configuration that the sources make together.
/// Fails with `validation` and one line that names the flag, variable, or file and line, what was
/// found, and the nearest right name.
Result<Config> read_config(const Sources& sources);

}  // namespace craton::server
