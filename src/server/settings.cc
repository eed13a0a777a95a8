#include "server/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <type_traits>
#include <vector>

#include "base/nearest.h"
#include "engines/diffusion/prompt.h"
#include "engines/upstream/upstream_engine.h"

namespace craton::server {
namespace {

using engines::llama::FlashAttention;
using engines::llama::KvType;

Error expected(std::string_view what, std::string_view found) {
  return {ErrorCode::validation,
          "expected " + std::string(what) + ", found '" + std::string(found) + "'"};
}

/// `text` as a whole number within the bounds.
template <class Integer>
Result<Integer> whole_number(std::string_view text, Integer least, Integer most) {
  Integer number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most),
                    text);
  }
  return number;
}

template <auto member, class Told>
Result<void> set_text(Told& told, std::string_view text) {
  told.*member = std::string(text);
  return {};
}

template <auto member, auto least, auto most, class Told>
Result<void> set_number(Told& told, std::string_view text) {
  using Number = std::remove_reference_t<decltype(told.*member)>;
  CRATON_TRY_ASSIGN(told.*member, whole_number<Number>(text, least, most));
  return {};
}

Result<void> set_model_file(Config& config, std::string_view text) {
  config.model.file = text == "none" ? std::string_view() : text;
  config.model_told = true;
  return {};
}

/// Adds those that `text` names, one or several behind commas.
Result<void> add_faults(Config& config, std::string_view text) {
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    CRATON_TRY_ASSIGN(engines::faults::Fault fault,
                      engines::faults::read_fault_words(one, "'" + std::string(one) + "'"));
    config.faults.push_back(std::move(fault));
  }
  return {};
}

/// "host:port", and more behind commas.
Result<void> set_machines(ModelConfig& model, std::string_view text) {
  model.rpc.clear();
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t colon = one.find(':');
    if (colon == one.npos || colon == 0 || !whole_number(one.substr(colon + 1), 1, 65535)) {
      return expected("HOST:PORT, such as 10.0.0.2:50052", one);
    }
    model.rpc.emplace_back(one);
  }
  return {};
}

Result<void> set_memory(Config& config, std::string_view text) {
  constexpr std::string_view wanted = "bytes, or a number with M or G behind it, such as 6G";
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return expected(wanted, text);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr std::array<std::pair<std::string_view, int>, 3> units{{{"", 0}, {"M", 20}, {"G", 30}}};
  const auto row = std::ranges::find(units, unit, [](const auto& pair) { return pair.first; });
  if (row == units.end() || number == 0 || number > (std::uint64_t{1} << 50) >> row->second) {
    return expected(wanted, text);
  }
  config.memory = number << row->second;
  return {};
}

template <auto member>
Result<void> set_seconds(Config& config, std::string_view text) {
  CRATON_TRY_ASSIGN(const int seconds, whole_number<int>(text, 0, 86'400));
  config.*member = std::chrono::seconds(seconds);
  return {};
}

Result<void> set_catalog(Config& config, std::string_view text) {
  const auto view = catalog::view_of(text);
  if (!view) return expected("all, seed or today", text);
  config.catalog = *view;
  return {};
}

Result<void> set_region(Config& config, std::string_view text) {
  const bool fits = !text.empty() && text.size() <= 32 &&
                    std::all_of(text.begin(), text.end(), [](unsigned char c) {
                      return std::islower(c) || std::isdigit(c) || c == '-';
                    });
  if (!fits) return expected("the name of an AWS Region, such as us-east-1", text);
  config.region = text;
  return {};
}

template <bool ModelConfig::* member>
Result<void> set_switch(ModelConfig& model, std::string_view text) {
  if (text != "on" && text != "off") return expected("on or off", text);
  model.*member = text == "on";
  return {};
}

template <class Value>
struct Choice {
  std::string_view name;
  Value value;
};
constexpr std::array kv_types{Choice{"f16", KvType::f16}, Choice{"q8_0", KvType::q8_0},
                              Choice{"q4_0", KvType::q4_0}};
constexpr std::array attentions{Choice{"auto", FlashAttention::automatic},
                                Choice{"on", FlashAttention::on},
                                Choice{"off", FlashAttention::off}};

/// "a, b or c"
template <std::size_t size, class Value>
std::string listed(const std::array<Choice<Value>, size>& choices) {
  std::string names;
  for (std::size_t i = 0; i < size; ++i) {
    if (i > 0) names += i + 1 < size ? ", " : " or ";
    names += choices[i].name;
  }
  return names;
}

template <auto member, const auto& choices>
Result<void> set_choice(auto& told, std::string_view text) {
  for (const auto& choice : choices) {
    if (choice.name != text) continue;
    told.*member = choice.value;
    return {};
  }
  return expected(listed(choices), text);
}

Result<void> set_sampler(ModelConfig& model, std::string_view text) {
  if (!engines::diffusion::find_sampler(text)) {
    return expected("one of " + engines::diffusion::sampler_names() +
                        ", or a sampler of stable-diffusion.cpp's, such as euler_a",
                    text);
  }
  model.sampler = text;
  return {};
}

Result<void> set_upstream_kind(ModelConfig& model, std::string_view text) {
  if (!engines::upstream::find_server_kind(text)) {
    return expected("vllm, sglang, llama-server, ollama or openai", text);
  }
  model.upstream_kind = text;
  return {};
}

Result<void> set_tls(Config& config, std::string_view text) {
  if (text != "off" && text != "self-signed") return expected("off or self-signed", text);
  config.tls = text == "off" ? Tls::off : Tls::self_signed;
  return {};
}

Result<void> set_replay(Config& config, std::string_view text) {
  config.replay = text;
  config.replay_or_ask = false;
  return {};
}

Result<void> set_replay_or_record(Config& config, std::string_view text) {
  config.replay = text;
  config.record = text;
  config.replay_or_ask = true;
  return {};
}

Result<void> set_replay_pace(Config& config, std::string_view text) {
  const std::string copy(text);
  char* end = nullptr;
  const double pace = std::strtod(copy.c_str(), &end);
  if (text.empty() || *end != '\0' || !(pace >= 0) || pace > 1e6) {
    return expected("a number from 0: 1 as recorded, 2 twice as fast, 0 at once", text);
  }
  config.replay_pace = pace;
  return {};
}

/// Adds those that `text` names, one or several behind commas.
Result<void> add_ignored(Config& config, std::string_view text) {
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    CRATON_TRY_ASSIGN(engines::rules::JsonPath path, engines::rules::JsonPath::parse(one));
    config.replay_ignore.push_back(std::move(path));
  }
  return {};
}

Result<void> set_auth(Config& config, std::string_view text) {
  if (text != "open" && text != "verify") return expected("open or verify", text);
  config.auth = text == "open" ? Auth::open : Auth::verify;
  config.auth_told = true;
  return {};
}

constexpr std::array accesses{Choice{"granted", service::ModelAccess::granted},
                              Choice{"on-request", service::ModelAccess::on_request}};

constexpr std::array retry_afters{Choice{"auto", service::RetryAfter::automatic},
                                  Choice{"on", service::RetryAfter::on},
                                  Choice{"off", service::RetryAfter::off}};

constexpr std::array kinds{Choice{"auto", ModelKind::automatic},
                           Choice{"diffusion", ModelKind::diffusion}};

constexpr std::array levels{Choice{"debug", log::Level::debug}, Choice{"info", log::Level::info},
                            Choice{"warning", log::Level::warning},
                            Choice{"error", log::Level::error}, Choice{"off", log::Level::off}};

using Model = ModelConfig;

constexpr std::array rows{
    Setting{.name = "model",
            .value = "PATH|NAME",
            .help = "Model that answers: a GGUF file, a name of 'craton pull', "
                    "'upstream:http://HOST:PORT', or none",
            .set = set_model_file},
    Setting{.name = "bind",
            .value = "PATTERN=MODEL",
            .help = "Ids that another model, file of rules, server, AWS or 'canvas' answers: "
                    "'amazon.*=smollm2-135m-instruct', 'cohere.*=script:rules.yaml', "
                    "'meta.*=upstream:http://10.0.0.2:8000', '*=aws'; repeatable",
            .set = add_bindings,
            .repeats = true},
    Setting{.name = "fault",
            .value = "FAULT",
            .help = "What is to go wrong: 'ThrottlingException;count=2', 'stall;at=3;for=5s'; "
                    "repeatable",
            .set = add_faults,
            .repeats = true},
    Setting{.name = "quota",
            .value = "PATTERN=QUOTA",
            .help = "What all callers together may ask of a model: 'anthropic.*=10rpm,20000tpm', "
                    "also tpd (a day) and streams; repeatable",
            .set = add_quotas,
            .repeats = true},
    Setting{.name = "retry-after",
            .value = "auto|on|off",
            .help = "Whether refusals by quotas say when to come again (default auto: in OpenAI's "
                    "and Anthropic's forms, which do)",
            .set = set_choice<&Config::retry_after, retry_afters>},
    Setting{
        .name = "memory",
        .value = "SIZE",
        .help = "Of all models loaded at once, such as 6G; the least used go (default: no limit)",
        .set = set_memory},
    Setting{.name = "projector",
            .value = "FILE",
            .help = "Lets the model see images: the mmproj GGUF file that was made for it",
            .set_model = set_text<&Model::projector>},
    Setting{.name = "draft",
            .value = "PATH|NAME",
            .help = "A smaller model of the same family that guesses ahead, where that wins time",
            .set_model = set_text<&Model::draft>},
    Setting{.name = "upstream-model",
            .value = "NAME",
            .help = "Of 'upstream' models: the name there (default: the first that is served)",
            .set_model = set_text<&Model::upstream_model>},
    Setting{.name = "upstream-kind",
            .value = "KIND",
            .help = "The same: vllm, sglang, llama-server, ollama or openai (default: as it says)",
            .set_model = set_upstream_kind},
    Setting{.name = "api-key-env",
            .value = "VARIABLE",
            .help = "The same: the variable that holds the key to the server",
            .set_model = set_text<&Model::api_key_env>},
    Setting{.name = "api-key-file",
            .value = "FILE",
            .help = "The same: the file that holds it",
            .set_model = set_text<&Model::api_key_file>},
    Setting{.name = "ca-file",
            .value = "FILE",
            .help = "The same: whom to trust there, PEM (default: whom the system trusts)",
            .set_model = set_text<&Model::ca_file>},
    Setting{.name = "idle-limit",
            .value = "SECONDS",
            .help = "The same: how long it may send nothing while it answers (default 300)",
            .set_model = set_number<&Model::idle_limit_s, 1, 86'400>},
    Setting{.name = "host",
            .value = "ADDRESS",
            .help = "Address to listen on (default 127.0.0.1)",
            .set = set_text<&Config::host>},
    Setting{.name = "port",
            .value = "PORT",
            .help = "Port to listen on; 0 picks a free one (default 8420)",
            .set = set_number<&Config::port, std::uint16_t{0}, std::uint16_t{65535}>},
    Setting{.name = "region",
            .value = "REGION",
            .help = "Region of callers that name none (default us-east-1)",
            .set = set_region},
    Setting{.name = "threads",
            .value = "N",
            .help = "Compute threads of a model (default: one per physical core)",
            .set_model = set_number<&Model::threads, 0, 1024>},
    Setting{.name = "io-threads",
            .value = "N",
            .help = "Threads that serve connections (default: one per core, 4 at most)",
            .set = set_number<&Config::io_threads, 0, 256>},
    Setting{.name = "context",
            .value = "TOKENS",
            .help = "Longest conversation, in tokens (default: the engine's)",
            .set_model = set_number<&Model::context_tokens, 0, 10'000'000>},
    Setting{.name = "kv-cells",
            .value = "TOKENS",
            .help =
                "Memory of conversations, in tokens: those in progress and those kept (default: "
                "--context)",
            .set_model = set_number<&Model::kv_cells, 0, 16'000'000>},
    Setting{.name = "kv-type",
            .value = "TYPE",
            .help = "Numbers of that memory: f16, q8_0 (half of it) or q4_0 (default f16)",
            .set_model = set_choice<&Model::kv_type, kv_types>},
    Setting{.name = "flash-attention",
            .value = "auto|on|off",
            .help = "How attention is computed; a kv-type beside f16 needs it (default auto)",
            .set_model = set_choice<&Model::flash_attention, attentions>},
    Setting{
        .name = "gpu-layers",
        .value = "N",
        .help =
            "Layers that a GPU computes, where the build has one, or machines of --rpc; -1: all",
        .set_model = set_number<&Model::gpu_layers, -1, 100'000>},
    Setting{.name = "rpc",
            .value = "HOST:PORT,...",
            .help = "Machines that compute layers too, each by 'craton worker'",
            .set_model = set_machines},
    Setting{.name = "prefix-cache",
            .value = "on|off",
            .help = "Keep what prompts begin with for others that begin alike (default on)",
            .set_model = set_switch<&Model::prefix_cache>},
    Setting{.name = "speculation",
            .value = "on|off",
            .help = "Guess ahead where an answer repeats what stands before it (default on)",
            .set_model = set_switch<&Model::speculation>},
    Setting{.name = "parallel",
            .value = "N",
            .help = "Answers made at once (default: the engine's)",
            .set_model = set_number<&Model::parallel, 0, 256>},
    Setting{.name = "queue",
            .value = "N",
            .help = "Requests that wait beyond those; the next are throttled (default 64)",
            .set_model = set_number<&Model::queue, 0, 100'000>},
    Setting{.name = "catalog",
            .value = "VIEW",
            .help = "Models that exist: all, seed or today (default all)",
            .set = set_catalog},
    Setting{.name = "data",
            .value = "DIR",
            .help = "Folder that holds models/ and tls/ (default: the cache folder)",
            .set = set_text<&Config::data>},
    Setting{.name = "store",
            .value = "FILE|memory",
            .help = "What keeps what callers make (default: craton.db in the data folder)",
            .set = set_text<&Config::store>},
    Setting{.name = "journal",
            .value = "N",
            .help = "Requests that are kept for /_craton/requests (default 256; 0 keeps none)",
            .set = set_number<&Config::journal, 0, 100'000>},
    Setting{.name = "logs",
            .value = "DIR",
            .help = "Folder that stands for S3, where model calls are logged when a caller has "
                    "configured it (default: logs in the data folder)",
            .set = set_text<&Config::logs>},
    Setting{.name = "access",
            .value = "MODE",
            .help = "granted, or on-request: models of others than Amazon need an agreement "
                    "(default granted)",
            .set = set_choice<&Config::access, accesses>},
    Setting{.name = "model-wait",
            .value = "SECONDS",
            .help = "How long a call waits for a model that still loads (default 25)",
            .set = set_seconds<&Config::model_wait>},
    Setting{.name = "answer-limit",
            .value = "SECONDS",
            .help = "How long one answer may take (default 3600)",
            .set = set_seconds<&Config::answer_limit>},
    Setting{.name = "drain-limit",
            .value = "SECONDS",
            .help = "How long a stop waits for answers in progress (default 30)",
            .set = set_seconds<&Config::drain_limit>},
    Setting{
        .name = "max-body",
        .value = "BYTES",
        .help = "Largest request body (default 25000000)",
        .set = set_number<&Config::body_bytes_max, std::size_t{1024}, std::size_t{4'000'000'000}>},
    Setting{.name = "tls",
            .value = "MODE",
            .help = "off, or self-signed: https by a certificate of its own (default off)",
            .set = set_tls},
    Setting{.name = "tls-cert",
            .value = "FILE",
            .help = "https by this certificate, PEM, with those above it",
            .set = set_text<&Config::tls_cert>},
    Setting{.name = "tls-key",
            .value = "FILE",
            .help = "The certificate's private key, PEM",
            .set = set_text<&Config::tls_key>},
    Setting{.name = "record",
            .value = "DIR",
            .help = "Write what is asked and answered to a folder of cassettes",
            .set = set_text<&Config::record>},
    Setting{.name = "replay",
            .value = "DIR",
            .help = "Answer from a folder of cassettes, and refuse what is not there",
            .set = set_replay},
    Setting{.name = "replay-or-record",
            .value = "DIR",
            .help = "The same, but what is not there is asked, and recorded",
            .set = set_replay_or_record},
    Setting{.name = "replay-pace",
            .value = "N",
            .help = "1: as recorded, 2: twice as fast, 0: at once (default 0)",
            .set = set_replay_pace},
    Setting{.name = "replay-ignore",
            .value = "PATHS",
            .help = "What of a request does not matter: inferenceConfig.temperature",
            .set = add_ignored,
            .repeats = true},
    Setting{.name = "auth",
            .value = "MODE",
            .help = "open, or verify: who calls must hold a key of 'craton keys' (default open on "
                    "loopback, else verify)",
            .set = set_auth},
    Setting{.name = "keys",
            .value = "FILE",
            .help = "The file of keys (default: keys.json in the data folder)",
            .set = set_text<&Config::keys>},
    Setting{.name = "log",
            .value = "LEVEL",
            .help = "debug, info, warning, error or off (default info)",
            .set = set_choice<&Config::log_level, levels>},
};

// Of one model alone.
constexpr std::array rows_of_a_model{
    Setting{.name = "file",
            .value = "PATH|NAME",
            .help = "A GGUF file, or a name of 'craton pull' (default: the model's name)",
            .set_model = set_text<&Model::file>},
    Setting{.name = "script",
            .value = "FILE",
            .help = "A file of rules that answers in the model's place",
            .set_model = set_text<&Model::script>},
    Setting{.name = "upstream",
            .value = "URL,...",
            .help = "Servers that answer in its place, OpenAI-compatible: http://10.0.0.2:8000",
            .set_model = set_upstream,
            .repeats = true},
    Setting{.name = "aws",
            .value = "PROFILE[@REGION]",
            .help = "Amazon Bedrock itself answers in its place, asked as that AWS profile",
            .set_model = set_aws},
    Setting{.name = "keep",
            .value = "on|off",
            .help = "Load it at the start, and never unload it (default off)",
            .set_model = set_switch<&Model::keep>},
    Setting{.name = "kind",
            .value = "KIND",
            .help = "diffusion: a model that draws, whose file does not say so (default auto)",
            .set_model = set_choice<&Model::kind, kinds>},
    Setting{.name = "diffusion-model",
            .value = "FILE",
            .help = "Of a model that draws: what denoises, where 'file' does not hold it",
            .set_model = set_text<&Model::diffusion_model>},
    Setting{.name = "vae",
            .value = "FILE",
            .help = "Of a model that draws: its VAE, where 'file' holds none",
            .set_model = set_text<&Model::vae>},
    Setting{.name = "taesd",
            .value = "FILE",
            .help = "The same: a small, quick stand-in for the VAE",
            .set_model = set_text<&Model::taesd>},
    Setting{.name = "clip-l",
            .value = "FILE",
            .help = "The same: the text encoder CLIP-L",
            .set_model = set_text<&Model::clip_l>},
    Setting{.name = "clip-g",
            .value = "FILE",
            .help = "The same: the text encoder CLIP-G",
            .set_model = set_text<&Model::clip_g>},
    Setting{.name = "t5xxl",
            .value = "FILE",
            .help = "The same: the text encoder T5-XXL",
            .set_model = set_text<&Model::t5xxl>},
    Setting{.name = "steps",
            .value = "N",
            .help = "Of a model that draws, where a request names none (default 20)",
            .set_model = set_number<&Model::steps, 0, 1000>},
    Setting{.name = "sampler",
            .value = "NAME",
            .help = "The same: K_EULER, or stable-diffusion.cpp's euler_a (default: the model's)",
            .set_model = set_sampler},
};

std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& names) {
  const std::string_view near = nearest(name, names);
  return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

}  // namespace

Result<void> set_aws(ModelConfig& model, std::string_view text) {
  const std::size_t at = std::min(text.rfind('@'), text.size());
  model.aws = true;
  model.aws_profile = text.substr(0, at);
  model.aws_region = text.substr(std::min(at + 1, text.size()));
  return {};
}

Result<void> set_upstream(ModelConfig& model, std::string_view text) {
  model.upstream.clear();
  do {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    CRATON_TRY_ASSIGN(std::string url, engines::upstream::replica_url(one));
    if (std::ranges::find(model.upstream, url) != model.upstream.end()) {
      return expected("each address once", url);
    }
    model.upstream.push_back(std::move(url));
  } while (!text.empty());
  return {};
}

Result<void> add_quotas(Config& config, std::string_view text) {
  CRATON_TRY_ASSIGN(std::vector<auth::QuotaRule> rules, auth::read_quota_rules(text));
  std::ranges::move(config.quotas, std::back_inserter(rules));
  config.quotas = std::move(rules);
  return {};
}

Result<void> add_bindings(Config& config, std::string_view text) {
  auto place = config.bindings.begin();
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t sign = one.find('=');
    if (sign == one.npos || sign == 0 || sign + 1 == one.size()) {
      return expected("PATTERN=MODEL, such as 'amazon.*=smollm2-135m-instruct'", one);
    }
    place = config.bindings.insert(
        place, {std::string(one.substr(0, sign)), std::string(one.substr(sign + 1))});
    ++place;
  }
  return {};
}

std::span<const Setting> settings() { return rows; }

const Setting* find_setting(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Setting::name);
  return row == rows.end() ? nullptr : &*row;
}

const Setting* find_model_setting(std::string_view name) {
  const auto row = std::ranges::find(rows_of_a_model, name, &Setting::name);
  if (row != rows_of_a_model.end()) return &*row;
  const Setting* setting = find_setting(name);
  return setting && setting->set_model ? setting : nullptr;
}

std::string suggested_setting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& row : rows) names.push_back(row.name);
  names.push_back("models");
  names.push_back("quotas");
  return did_you_mean(name, names);
}

std::string suggested_model_setting(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& row : rows_of_a_model) names.push_back(row.name);
  for (const Setting& row : rows) {
    if (row.set_model) names.push_back(row.name);
  }
  return did_you_mean(name, names);
}

std::string variable_of(const Setting& setting) {
  std::string name = "CRATON_";
  for (const char c : setting.name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

}  // namespace craton::server
