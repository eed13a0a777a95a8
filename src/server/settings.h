// The table of what `craton serve` can be told: a row is a flag (`--port`), a variable
// (`CRATON_PORT`) and a key of craton.yaml (`port:`) at once. Rows that say something of a model
// may also stand under a model of craton.yaml, for that model alone.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/config.h"

namespace craton::server {

struct Setting {
  std::string_view name;   ///< As a flag and key; the variable is CRATON_ and capitals.
  std::string_view value;  ///< What to put there, for the help: "PORT"
  std::string_view help;
  /// Fails with `validation`; the message says what was expected. Null in rows of a model.
  Result<void> (*set)(Config& config, std::string_view text) = nullptr;
  /// The same of a model; as a flag it is said of all models. Null in all other rows.
  Result<void> (*set_model)(ModelConfig& model, std::string_view text) = nullptr;
  /// As a flag it may be there several times, under a model it may be a list; the values are joined
  /// by ','.
  bool repeats = false;
};

/// Every flag.
std::span<const Setting> settings();

/// The setting of that name; null when there is none.
const Setting* find_setting(std::string_view name);

/// What may stand under a model of craton.yaml, by that name; null when there is none.
const Setting* find_model_setting(std::string_view name);

/// "; did you mean 'model'?", or nothing.
std::string suggested_setting(std::string_view name);
std::string suggested_model_setting(std::string_view name);

/// "CRATON_DRAIN_LIMIT" for "drain-limit".
std::string variable_of(const Setting& setting);

/// Sets the addresses of the servers that answer for a model: one, or several behind commas.
/// Fails with `validation` as Setting::set_model.
Result<void> set_upstream(ModelConfig& model, std::string_view text);

/// Has Amazon Bedrock answer for a model: "PROFILE", "PROFILE@REGION", "@REGION" or nothing.
Result<void> set_aws(ModelConfig& model, std::string_view text);

/// Adds quotas of models, in front of those that are there: "PATTERN=10rpm,20000tpm", and more
/// behind commas.
Result<void> add_quotas(Config& config, std::string_view text);

/// Adds the bindings that `text` names, in front of those that are there: "PATTERN=MODEL", and more
/// behind commas.
Result<void> add_bindings(Config& config, std::string_view text);

}  // namespace craton::server
