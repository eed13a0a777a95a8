#include "server/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <vector>

#include "base/nearest.h"

namespace craton::server {
namespace {

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

template <auto member>
Result<void> set_text(Config& config, std::string_view text) {
  config.*member = std::string(text);
  return {};
}

template <auto member, auto least, auto most>
Result<void> set_number(Config& config, std::string_view text) {
  using Number = std::remove_reference_t<decltype(config.*member)>;
  CRATON_TRY_ASSIGN(config.*member, whole_number<Number>(text, least, most));
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

template <bool Config::* Member>
Result<void> set_switch(Config& config, std::string_view text) {
  if (text != "on" && text != "off") return expected("on or off", text);
  config.*Member = text == "on";
  return {};
}

Result<void> set_tls(Config& config, std::string_view text) {
  if (text != "off" && text != "self-signed") return expected("off or self-signed", text);
  config.tls = text == "off" ? Tls::off : Tls::self_signed;
  return {};
}

struct LevelName {
  std::string_view name;
  log::Level level;
};
constexpr std::array level_names{
    LevelName{"debug", log::Level::debug}, LevelName{"info", log::Level::info},
    LevelName{"warning", log::Level::warning}, LevelName{"error", log::Level::error},
    LevelName{"off", log::Level::off}};

Result<void> set_log_level(Config& config, std::string_view text) {
  for (const LevelName& row : level_names) {
    if (row.name != text) continue;
    config.log_level = row.level;
    return {};
  }
  return expected("debug, info, warning, error or off", text);
}

constexpr std::array rows{
    Setting{"model", "PATH|NAME",
            "Model that answers: a GGUF file, a name of 'craton pull', or none",
            set_text<&Config::model>},
    Setting{"projector", "FILE",
            "Lets the model see images: the mmproj GGUF file that was made for it",
            set_text<&Config::projector>},
    Setting{"host", "ADDRESS", "Address to listen on (default 127.0.0.1)", set_text<&Config::host>},
    Setting{"port", "PORT", "Port to listen on; 0 picks a free one (default 8420)",
            set_number<&Config::port, std::uint16_t{0}, std::uint16_t{65535}>},
    Setting{"region", "REGION", "Region of callers that name none (default us-east-1)", set_region},
    Setting{"threads", "N", "Compute threads of the model (default: one per physical core)",
            set_number<&Config::threads, 0, 1024>},
    Setting{"io-threads", "N", "Threads that serve connections (default: one per core, 4 at most)",
            set_number<&Config::io_threads, 0, 256>},
    Setting{"context", "TOKENS", "Longest conversation, in tokens (default: the engine's)",
            set_number<&Config::context_tokens, 0, 10'000'000>},
    Setting{
        "kv-cells", "TOKENS",
        "Memory of conversations, in tokens: those in progress and those kept (default: --context)",
        set_number<&Config::kv_cells, 0, 16'000'000>},
    Setting{"prefix-cache", "on|off",
            "Keep what prompts begin with for others that begin alike (default on)",
            set_switch<&Config::prefix_cache>},
    Setting{"speculation", "on|off",
            "Guess ahead where an answer repeats what stands before it (default on)",
            set_switch<&Config::speculation>},
    Setting{"parallel", "N", "Answers made at once (default: the engine's)",
            set_number<&Config::parallel, 0, 256>},
    Setting{"queue", "N", "Requests that wait beyond those; the next are throttled (default 64)",
            set_number<&Config::queue, 0, 100'000>},
    Setting{"catalog", "VIEW", "Models that exist: all, seed or today (default all)", set_catalog},
    Setting{"data", "DIR", "Folder that holds models/ and tls/ (default: the cache folder)",
            set_text<&Config::data>},
    Setting{"model-wait", "SECONDS",
            "How long a call waits for a model that still loads (default 25)",
            set_seconds<&Config::model_wait>},
    Setting{"answer-limit", "SECONDS", "How long one answer may take (default 3600)",
            set_seconds<&Config::answer_limit>},
    Setting{"drain-limit", "SECONDS", "How long a stop waits for answers in progress (default 30)",
            set_seconds<&Config::drain_limit>},
    Setting{"max-body", "BYTES", "Largest request body (default 25000000)",
            set_number<&Config::body_bytes_max, std::size_t{1024}, std::size_t{4'000'000'000}>},
    Setting{"tls", "MODE", "off, or self-signed: https by a certificate of its own (default off)",
            set_tls},
    Setting{"tls-cert", "FILE", "https by this certificate, PEM, with those above it",
            set_text<&Config::tls_cert>},
    Setting{"tls-key", "FILE", "The certificate's private key, PEM", set_text<&Config::tls_key>},
    Setting{"log", "LEVEL", "debug, info, warning, error or off (default info)", set_log_level},
};

std::string suggestion(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& row : rows) names.push_back(row.name);
  const std::string_view near = nearest(name, names);
  return near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?";
}

/// Sets one value; the error says where it came from.
Result<void> apply(Config& config, const Setting& setting, std::string_view text,
                   const std::string& where) {
  Result<void> set = setting.set(config, text);
  if (set) return {};
  return Error{ErrorCode::validation, where + ": " + set.error().message};
}

Error file_error(const std::string& path, const YAML::Mark& mark, const std::string& what) {
  return {ErrorCode::validation, path + ":" + std::to_string(mark.line + 1) + ": " + what};
}

Result<void> apply_file(Config& config, const std::string& path) {
  YAML::Node root;
  try {
    root = YAML::LoadFile(path);
  } catch (const YAML::BadFile&) {
    return Error{ErrorCode::validation, path + ": cannot be read; check that it exists"};
  } catch (const YAML::ParserException& error) {
    return file_error(path, error.mark, error.msg);
  }
  if (root.IsNull()) return {};
  if (!root.IsMap())
    return file_error(path, root.Mark(), "expected lines of the form 'key: value'");
  std::set<std::string> seen;
  for (const auto& entry : root) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) {
      return file_error(path, entry.first.Mark(), "expected 'key: value' with a plain value");
    }
    const std::string& name = entry.first.Scalar();
    const Setting* setting = find_setting(name);
    if (!setting) {
      return file_error(path, entry.first.Mark(), "unknown key '" + name + "'" + suggestion(name));
    }
    if (!seen.insert(name).second) {
      return file_error(path, entry.first.Mark(), "'" + name + "' is there twice");
    }
    const std::string where =
        path + ":" + std::to_string(entry.first.Mark().line + 1) + ": " + name;
    CRATON_TRY(apply(config, *setting, entry.second.Scalar(), where));
  }
  return {};
}

/// What settings mean together.
Result<void> settle(Config& config) {
  if (config.tls_cert.empty() && config.tls_key.empty()) return {};
  if (config.tls_cert.empty()) {
    return Error{ErrorCode::validation, "tls-key needs tls-cert, the certificate's file"};
  }
  if (config.tls_key.empty()) {
    return Error{ErrorCode::validation, "tls-cert needs tls-key, the private key's file"};
  }
  if (config.tls == Tls::self_signed) {
    return Error{ErrorCode::validation, "tls-cert and 'tls: self-signed' exclude each other"};
  }
  config.tls = Tls::files;
  return {};
}

}  // namespace

std::span<const Setting> settings() { return rows; }

const Setting* find_setting(std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const Setting& setting) { return setting.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

std::string variable_of(const Setting& setting) {
  std::string name = "CRATON_";
  for (const char c : setting.name) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Result<Config> read_config(const Sources& sources) {
  Config config;
  std::string file = sources.file;
  if (file.empty() && std::filesystem::exists("craton.yaml")) file = "craton.yaml";
  if (!file.empty()) CRATON_TRY(apply_file(config, file));
  for (const Setting& setting : rows) {
    const std::string variable = variable_of(setting);
    if (const auto value = sources.environment(variable)) {
      CRATON_TRY(apply(config, setting, *value, variable));
    }
  }
  for (const auto& [name, text] : sources.flags) {
    const Setting* setting = find_setting(name);
    if (!setting) {
      return Error{ErrorCode::validation, "unknown flag '--" + name + "'" + suggestion(name)};
    }
    CRATON_TRY(apply(config, *setting, text, "--" + name));
  }
  CRATON_TRY(settle(config));
  return config;
}

}  // namespace craton::server
