#include "server/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>
#include <vector>

#include "server/settings.h"

namespace craton::server {
namespace {

/// A setting of one model, which is applied when those of all models are known.
struct ModelLine {
  std::string model;
  const Setting* setting;
  std::string text;
  std::string where;
};

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

/// Sets one value; the error says where it came from.
Result<void> apply(Config& config, const Setting& setting, std::string_view text,
                   const std::string& where) {
  Result<void> set =
      setting.set ? setting.set(config, text) : setting.set_model(config.model, text);
  if (set) return {};
  return refused(where + ": " + set.error().message);
}

/// Reads craton.yaml.
class FileReader {
 public:
  FileReader(std::string path, Config& config) : path_(std::move(path)), config_(config) {}

  Result<std::vector<ModelLine>> read() {
    YAML::Node root;
    try {
      root = YAML::LoadFile(path_);
    } catch (const YAML::BadFile&) {
      return refused(path_ + ": cannot be read; check that it exists");
    } catch (const YAML::ParserException& error) {
      return wrong(error.mark, error.msg);
    }
    if (!root.IsNull()) {
      CRATON_TRY(each(root, "",
                      [this](const std::string& key, const YAML::Mark& mark,
                             const YAML::Node& value) { return line(key, mark, value); }));
    }
    return std::move(lines_);
  }

 private:
  Error wrong(const YAML::Mark& mark, const std::string& what) const {
    return refused(path_ + ":" + std::to_string(mark.line + 1) + ": " + what);
  }

  /// Calls `take(key, its mark, value)` for each entry of a map.
  Result<void> each(const YAML::Node& map, const std::string& what, auto take) const {
    if (!map.IsMap()) {
      return wrong(map.Mark(), what.empty() ? "expected lines of the form 'key: value'"
                                            : what + ": expected lines of the form 'key: value'");
    }
    std::set<std::string> seen;
    for (const auto& entry : map) {
      const YAML::Mark mark = entry.first.Mark();
      if (!entry.first.IsScalar()) return wrong(mark, "expected 'key: value' with a plain key");
      const std::string& key = entry.first.Scalar();
      if (!seen.insert(key).second) return wrong(mark, "'" + key + "' is there twice");
      CRATON_TRY(take(key, mark, entry.second));
    }
    return {};
  }

  Result<const std::string*> plain(const YAML::Mark& mark, const YAML::Node& value) const {
    if (!value.IsScalar()) return wrong(mark, "expected 'key: value' with a plain value");
    return &value.Scalar();
  }

  /// The plain values of a list, with commas between them.
  Result<std::string> joined(const YAML::Node& list) const {
    std::string all;
    for (const YAML::Node& item : list) {
      CRATON_TRY_ASSIGN(const std::string* text, plain(item.Mark(), item));
      if (!all.empty()) all += ',';
      all += *text;
    }
    return all;
  }

  std::string place(const YAML::Mark& mark, const std::string& key) const {
    return path_ + ":" + std::to_string(mark.line + 1) + ": " + key;
  }

  Result<void> line(const std::string& key, const YAML::Mark& mark, const YAML::Node& value) {
    if (key == "models") {
      return each(value, key,
                  [this](const std::string& name, const YAML::Mark&, const YAML::Node& told) {
                    return model(name, told);
                  });
    }
    if (key == "bind" && value.IsMap()) {
      return each(value, key,
                  [this](const std::string& pattern, const YAML::Mark& at,
                         const YAML::Node& name) -> Result<void> {
                    CRATON_TRY_ASSIGN(const std::string* text, plain(at, name));
                    config_.bindings.push_back({pattern, *text});
                    return {};
                  });
    }
    if (key == "quotas") {
      return each(value, key,
                  [this](const std::string& models, const YAML::Mark& at, const YAML::Node& told) {
                    return quota(models, at, told);
                  });
    }
    const Setting* setting = find_setting(key);
    if (!setting) return wrong(mark, "unknown key '" + key + "'" + suggested_setting(key));
    CRATON_TRY_ASSIGN(const std::string* text, plain(mark, value));
    return apply(config_, *setting, *text, place(mark, key));
  }

  /// A quota of models, as words or as a map of its limits.
  Result<void> quota(const std::string& models, const YAML::Mark& mark, const YAML::Node& told) {
    auth::QuotaRule rule{models, {}};
    if (const auto fits = auth::check_models(models); !fits) {
      return wrong(mark, fits.error().message);
    }
    if (told.IsScalar()) {
      const Result<auth::Quota> words = auth::read_quota(told.Scalar());
      if (!words) return refused(place(mark, models) + ": " + words.error().message);
      rule.quota = *words;
    } else {
      CRATON_TRY(each(told, models,
                      [&](const std::string& name, const YAML::Mark& at,
                          const YAML::Node& value) -> Result<void> {
                        const auto number = value.IsScalar() ? as_number(value) : std::nullopt;
                        if (!number) return wrong(at, name + ": expected a whole number");
                        const auto set = auth::set_limit(rule.quota, name, *number);
                        return set ? set : refused(place(at, models) + ": " + set.error().message);
                      }));
      if (rule.quota.empty()) return wrong(mark, models + ": expected limits, such as 10rpm");
    }
    config_.quotas.push_back(std::move(rule));
    return {};
  }

  static std::optional<std::int64_t> as_number(const YAML::Node& value) {
    std::int64_t number = 0;
    return YAML::convert<std::int64_t>::decode(value, number) ? std::optional(number)
                                                              : std::nullopt;
  }

  Result<void> model(const std::string& name, const YAML::Node& told) {
    config_.models.push_back({name, {}});
    if (told.IsNull()) return {};
    return each(
        told, name,
        [&](const std::string& key, const YAML::Mark& at, const YAML::Node& value) -> Result<void> {
          const Setting* setting = find_model_setting(key);
          if (!setting) {
            return wrong(at, "unknown key '" + key + "' of a model" + suggested_model_setting(key));
          }
          std::string text;
          if (setting->repeats && value.IsSequence()) {
            CRATON_TRY_ASSIGN(text, joined(value));
          } else {
            CRATON_TRY_ASSIGN(const std::string* scalar, plain(at, value));
            text = *scalar;
          }
          lines_.push_back({name, setting, std::move(text), place(at, name + "." + key)});
          return {};
        });
  }

  const std::string path_;
  Config& config_;
  std::vector<ModelLine> lines_;
};

NamedModel* find_model(Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.models, name, &NamedModel::name);
  return found == config.models.end() ? nullptr : &*found;
}

/// Flash attention is what a cache of small numbers is computed with.
Result<void> check_model(const std::string& name, const ModelConfig& model) {
  using engines::llama::FlashAttention;
  using engines::llama::KvType;
  if (model.kv_type == KvType::f16 || model.flash_attention != FlashAttention::off) return {};
  return refused((name.empty() ? std::string() : name + ": ") +
                 "a kv-type beside f16 needs flash-attention; leave it auto or on");
}

bool names_aws(std::string_view name) {
  return name == aws_name ||
         (name.starts_with(aws_name) && name.substr(aws_name.size()).starts_with(':'));
}

/// What a name says by itself: "script:rules.yaml", "upstream:http://127.0.0.1:8000", "aws:work".
Result<void> read_prefix(std::string_view name, ModelConfig& model) {
  if (names_aws(name)) {
    name.remove_prefix(std::min(name.size(), aws_name.size() + 1));
    return set_aws(model, name);
  }
  if (name.starts_with(script_prefix)) model.script = name.substr(script_prefix.size());
  if (!name.starts_with(upstream_prefix)) return {};
  const Result<void> set = set_upstream(model, name.substr(upstream_prefix.size()));
  return set ? set : refused(std::string(name) + ": " + set.error().message);
}

/// What a model has before its own settings: those of all, and what its name says.
Result<ModelConfig> shared_settings(const Config& config, const std::string& name) {
  ModelConfig shared = config.model;
  shared.file = name;
  shared.projector.clear();  // these were made for the default model
  shared.draft.clear();
  shared.script.clear();
  shared.upstream.clear();
  shared.aws = false;
  CRATON_TRY(read_prefix(name, shared));
  return shared;
}

/// The named models have the settings of all, and their own; what bindings name beside them is a
/// model as well.
Result<void> settle_models(Config& config, const std::vector<ModelLine>& lines) {
  const auto needs_no_file = [&](const Binding& binding) {
    const NamedModel* model = find_model(config, binding.model);
    const bool told = std::ranges::any_of(lines, [&](const ModelLine& line) {
      const std::string_view name = line.setting->name;
      return model && line.model == model->name &&
             (name == "script" || name == "upstream" || name == "aws");
    });
    return told || binding.model.starts_with(script_prefix) ||
           binding.model.starts_with(upstream_prefix) || names_aws(binding.model);
  };
  const bool others_alone =
      !config.bindings.empty() && std::ranges::all_of(config.bindings, needs_no_file);
  const bool recordings_alone = !config.replay.empty() && !config.replay_or_ask;
  if (!config.model_told && (others_alone || recordings_alone)) config.model.file.clear();
  CRATON_TRY(read_prefix(config.model.file, config.model));
  for (const Binding& binding : config.bindings) {
    const bool known = binding.model == config.model.file || find_model(config, binding.model);
    if (!known) config.models.push_back({binding.model, {}});
  }
  for (NamedModel& model : config.models) {
    CRATON_TRY_ASSIGN(model.config, shared_settings(config, model.name));
  }
  for (const ModelLine& line : lines) {
    const Result<void> set =
        line.setting->set_model(find_model(config, line.model)->config, line.text);
    if (!set) return refused(line.where + ": " + set.error().message);
  }
  CRATON_TRY(check_model("", config.model));
  for (const NamedModel& model : config.models) CRATON_TRY(check_model(model.name, model.config));
  return {};
}

/// What settings of TLS mean together.
Result<void> settle_tls(Config& config) {
  if (config.tls_cert.empty() && config.tls_key.empty()) return {};
  if (config.tls_cert.empty()) {
    return refused("tls-key needs tls-cert, the certificate's file");
  }
  if (config.tls_key.empty()) {
    return refused("tls-cert needs tls-key, the private key's file");
  }
  if (config.tls == Tls::self_signed) {
    return refused("tls-cert and 'tls: self-signed' exclude each other");
  }
  config.tls = Tls::files;
  return {};
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// Who can be reached by others serves those alone who hold a key.
Result<void> settle_auth(Config& config) {
  if (is_loopback(config.host)) return {};
  if (config.auth_told && config.auth == Auth::open) {
    return refused("--auth open would serve anybody who reaches " + config.host +
                   ". Leave it out, and make keys with craton keys create NAME; or serve this "
                   "machine alone, on 127.0.0.1.");
  }
  config.auth = Auth::verify;
  return {};
}

}  // namespace

Result<Config> read_config(const Sources& sources) {
  Config config;
  std::vector<ModelLine> lines;
  std::string file = sources.file;
  if (file.empty() && std::filesystem::exists("craton.yaml")) file = "craton.yaml";
  if (!file.empty()) {
    CRATON_TRY_ASSIGN(lines, FileReader(file, config).read());
  }
  for (const Setting& setting : settings()) {
    const std::string variable = variable_of(setting);
    if (const auto value = sources.environment(variable)) {
      CRATON_TRY(apply(config, setting, *value, variable));
    }
  }
  for (const auto& [name, text] : sources.flags) {
    const Setting* setting = find_setting(name);
    if (!setting) return refused("unknown flag '--" + name + "'" + suggested_setting(name));
    CRATON_TRY(apply(config, *setting, text, "--" + name));
  }
  CRATON_TRY(settle_models(config, lines));
  CRATON_TRY(settle_tls(config));
  CRATON_TRY(settle_auth(config));
  return config;
}

std::vector<NamedModel> all_models(const Config& config) {
  std::vector<NamedModel> all = config.models;
  if (config.model.file.empty()) return all;
  const auto found = std::ranges::find(all, config.model.file, &NamedModel::name);
  if (found == all.end()) {
    all.insert(all.begin(), {config.model.file, config.model});
  } else {
    std::rotate(all.begin(), found, found + 1);
  }
  all.front().config.keep = true;
  return all;
}

Result<NamedModel> named_model(const Config& config, const std::string& name,
                               const std::vector<std::pair<std::string, std::string>>& settings) {
  NamedModel named{name, {}};
  CRATON_TRY_ASSIGN(named.config, shared_settings(config, name));
  const bool made_up = !settings.empty();
  if (made_up) named.config.file.clear();
  for (const auto& [key, text] : settings) {
    const Setting* setting = find_model_setting(key);
    if (!setting) {
      return refused("unknown key '" + key + "' of a model" + suggested_model_setting(key));
    }
    const Result<void> set = setting->set_model(named.config, text);
    if (!set) return refused(key + ": " + set.error().message);
  }
  const ModelConfig& set = named.config;
  if (made_up && set.file.empty() && set.script.empty() && set.upstream.empty() && !set.aws &&
      set.diffusion_model.empty()) {
    return refused("a model needs one of file, script, upstream, aws and diffusion-model");
  }
  CRATON_TRY(check_model(name, named.config));
  return named;
}

}  // namespace craton::server
