// What `craton serve` was told, by flags, variables and craton.yaml; settings.h has the table of
// them. Flags win over variables, variables over the file, the file over the defaults.
//
//   model: qwen2.5-coder-0.5b-instruct     # answers what is bound to no other
//   memory: 6G
//   models:
//     small: {file: smollm2-135m-instruct, context: 2048}
//     large: {file: /models/llama-3-8b.gguf, kv-type: q8_0}
//     cluster: {upstream: [http://10.0.0.2:8000, http://10.0.0.3:8000]}
//   bind:
//     "amazon.titan-*": small
//     "anthropic.*": large
//     "cohere.*": script:rules.yaml
//   quotas:
//     "anthropic.*": 10rpm,20000tpm
//     "amazon.*": {requests-per-minute: 60, tokens-per-day: 1000000}
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/quota.h"
#include "base/log.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "engines/faults/fault.h"
#include "engines/llama/llama_engine.h"
#include "engines/rules/json_path.h"
#include "service/model_access.h"
#include "service/retry_after.h"

namespace craton::server {

inline constexpr std::uint16_t default_port = 8420;
inline constexpr std::string_view default_model = "qwen2.5-coder-0.5b-instruct";

/// Who may call: anybody, or who holds a key.
enum class Auth { open, verify };

enum class Tls { off, files, self_signed };

/// What a model's file holds.
enum class ModelKind {
  automatic,  ///< As the file itself says.
  diffusion,  ///< A model that draws.
};

/// What is said of one model.
struct ModelConfig {
  std::string file;        ///< A name that `craton pull` knows, or a GGUF file. Empty: no model.
  std::string script;      ///< In its place: a file of rules that answers.
  std::string projector;   ///< GGUF file by which the model sees; empty: it does not.
  std::string draft;       ///< A name or file as `file`: guesses ahead; empty: none does.
  int threads = 0;         ///< That compute; 0: one per physical core.
  int context_tokens = 0;  ///< Of one conversation; 0: the engine's default.
  int kv_cells = 0;        ///< Tokens of all answers and kept prompts; 0: the engine's default.
  engines::llama::KvType kv_type = engines::llama::KvType::f16;
  engines::llama::FlashAttention flash_attention = engines::llama::FlashAttention::automatic;
  int gpu_layers = -1;  ///< Computed by a GPU, where the build has one, or by `rpc`; -1: all.
  std::vector<std::string> rpc;  ///< Machines that compute too: "host:port".
  bool prefix_cache = true;      ///< Prompts are kept for those that begin alike.
  bool speculation = true;       ///< Answers that repeat something are guessed ahead.
  int parallel = 0;              ///< Answers made at once; 0: the engine's default.
  int queue = 64;                ///< Requests that may wait beyond those.
  bool keep = false;             ///< Loaded at the start, and never unloaded.

  // Of a model that other servers answer for.
  std::vector<std::string> upstream;  ///< Their addresses, in a file's place; empty: none do.
  std::string upstream_model;         ///< Its name there; empty: the first that they serve.
  std::string upstream_kind;          ///< Which program they are; empty: as they say themselves.
  std::string api_key_env;            ///< Variable that holds the key to them; empty: none.
  std::string api_key_file;           ///< File that does.
  std::string ca_file;                ///< PEM file of who is trusted there; empty: the system's.
  int idle_limit_s = 300;             ///< Without a byte of an answer.

  // Of what Amazon Bedrock itself answers.
  bool aws = false;
  std::string aws_profile;  ///< Empty: as AWS's own variables say.
  std::string aws_region;   ///< The same, or the profile's.

  ModelKind kind = ModelKind::automatic;
  // Of a model that draws: files of weights beside `file`, or in its place; empty: none.
  std::string diffusion_model;
  std::string vae;
  std::string taesd;
  std::string clip_l;
  std::string clip_g;
  std::string t5xxl;
  int steps = 0;        ///< Where a request names none; 0: the engine's default.
  std::string sampler;  ///< The same; empty: the model's own.

  bool operator==(const ModelConfig&) const = default;
};

struct NamedModel {
  std::string name;  ///< As bindings name it.
  ModelConfig config;

  bool operator==(const NamedModel&) const = default;
};

/// What names a file of rules where a model could stand: "script:rules.yaml".
inline constexpr std::string_view script_prefix = "script:";

/// What names a server that answers: "upstream:http://127.0.0.1:8000".
inline constexpr std::string_view upstream_prefix = "upstream:";

/// What names Amazon Bedrock itself: "aws", "aws:PROFILE", "aws:PROFILE@REGION".
inline constexpr std::string_view aws_name = "aws";

/// Which model ids a model answers.
struct Binding {
  std::string pattern;  ///< Of ids of the catalogue: "anthropic.claude-3-*".
  /// A name of `models`, the default model's file, "script:FILE", "upstream:URL" or "aws".
  std::string model;
};

struct Config {
  /// Answers what is bound to no other; its file may be the name of one of `models`. The others
  /// have its settings, but for those of their own.
  ModelConfig model{.file = std::string(default_model)};
  bool model_told = false;         ///< Else none is wanted where bindings name rules alone.
  std::vector<NamedModel> models;  ///< Those of craton.yaml, and what else bindings name.
  std::vector<Binding> bindings;   ///< The first that fits decides; rules may pass.
  std::vector<engines::faults::Fault> faults;  ///< For every request, whatever answers.
  std::string record;                          ///< Folder to which answers are recorded.
  std::string replay;                          ///< Folder of recordings that answer,
  bool replay_or_ask = false;  ///< and what is not there, whatever it is bound to answers.
  double replay_pace = 0;      ///< Of what was recorded; 0: at once.
  std::vector<engines::rules::JsonPath> replay_ignore;  ///< What of requests does not matter.
  std::optional<std::uint64_t> memory;  ///< Bytes of all models that are loaded at once.
  std::string host = "127.0.0.1";
  std::uint16_t port = default_port;  ///< 0 picks a free one.
  std::string region = "us-east-1";   ///< For callers whose signature names none.
  int io_threads = 0;                 ///< 0: one per core, 4 at most.
  catalog::View catalog = catalog::View::all;
  std::string data;   ///< Folder that holds models/ and tls/; empty: the cache folder.
  std::string store;  ///< File of resources, or "memory"; empty: craton.db in the data folder.
  int journal = 256;  ///< Requests that /_craton/requests shows; 0: none.
  std::string logs;   ///< Folder that stands for S3; empty: logs in the data folder.
  service::ModelAccess access = service::ModelAccess::granted;
  std::chrono::seconds model_wait{25};
  std::chrono::seconds answer_limit{3600};
  std::chrono::seconds drain_limit{30};
  std::vector<auth::QuotaRule> quotas;  ///< The first that fits a model is its quota.
  service::RetryAfter retry_after = service::RetryAfter::automatic;
  std::size_t body_bytes_max = 25'000'000;
  Tls tls = Tls::off;
  std::string tls_cert;  ///< PEM file; with tls_key in place of Tls::self_signed.
  std::string tls_key;
  Auth auth = Auth::open;
  bool auth_told = false;  ///< Else it is `verify` where others than this machine are served.
  std::string keys;        ///< File of keys; empty: keys.json in the data folder.
  log::Level log_level = log::Level::info;
};

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

/// All models that it names, each once, the default one first; that one is kept.
std::vector<NamedModel> all_models(const Config& config);

/// A model that it does not name: `name` is one as `bind:` takes it ("script:rules.yaml"), or where
/// there are `settings`, its own by their names in craton.yaml, one that is made up. The others are
/// those of the default model, as of all. Fails with `validation` as read_config().
Result<NamedModel> named_model(const Config& config, const std::string& name,
                               const std::vector<std::pair<std::string, std::string>>& settings);

}  // namespace craton::server
