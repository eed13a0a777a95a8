#include "server/new_binding.h"

#include <array>
#include <boost/json.hpp>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engines/rules/value.h"

namespace craton::server {
namespace {

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

bool is_plain(const json::value& value) {
  return value.is_string() || value.is_number() || value.is_bool();
}

std::string plain_text(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::to_text(value);
}

Result<void> set_pattern(const json::value& value, NewBinding& binding) {
  if (!value.is_string() || value.get_string().empty()) {
    return refused("pattern: expected a model id, in which * is any text");
  }
  binding.pattern = value.get_string();
  return {};
}

/// A list of plain values has commas between them, as a flag has.
Result<std::string> setting_text(std::string_view name, const json::value& value) {
  if (is_plain(value)) return plain_text(value);
  std::string text;
  const bool list = value.is_array() && !value.get_array().empty();
  for (std::size_t i = 0; list && i < value.get_array().size(); ++i) {
    const json::value& item = value.get_array()[i];
    if (!is_plain(item)) break;
    if (i > 0) text += ',';
    text += plain_text(item);
    if (i + 1 == value.get_array().size()) return text;
  }
  return refused("model." + std::string(name) + ": expected a plain value, or a list of such");
}

Result<void> set_model(const json::value& value, NewBinding& binding) {
  if (value.is_string() && !value.get_string().empty()) {
    binding.model = value.get_string();
    return {};
  }
  if (!value.is_object() || value.get_object().empty()) {
    return refused(
        "model: expected a name as of --bind, or the settings of a model as in craton.yaml");
  }
  for (const auto& [name, told] : value.get_object()) {
    CRATON_TRY_ASSIGN(std::string text, setting_text(name, told));
    binding.settings.emplace_back(name, std::move(text));
  }
  return {};
}

/// A list of rules, a whole file's map, or the text of a file.
Result<void> set_rules(const json::value& value, NewBinding& binding) {
  if (value.is_array()) {
    binding.rules = "{\"rules\":" + json::to_text(value) + "}";
  } else if (value.is_object()) {
    binding.rules = json::to_text(value);
  } else if (value.is_string()) {
    binding.rules = value.get_string();
  }
  if (!binding.rules.empty()) return {};
  return refused(
      "rules: expected a list of rules, a map as of a rules file, or such a file's text");
}

struct Member {
  std::string_view name;
  Result<void> (*set)(const json::value& value, NewBinding& binding);
};
constexpr std::array members{Member{"pattern", set_pattern}, Member{"model", set_model},
                             Member{"rules", set_rules}};

Result<void> set_member(std::string_view name, const json::value& value, NewBinding& binding) {
  std::vector<std::string_view> names;
  for (const Member& member : members) {
    if (member.name == name) return member.set(value, binding);
    names.push_back(member.name);
  }
  return refused("unknown member '" + std::string(name) + "'" +
                 engines::rules::did_you_mean(name, names));
}

}  // namespace

Result<NewBinding> read_new_binding(std::string_view body) {
  const auto value = json::parse(body);
  if (!value || !value->is_object()) {
    return refused(
        "expected a JSON object such as {\"pattern\": \"anthropic.*\", \"model\": "
        "\"script:rules.yaml\"}");
  }
  NewBinding binding;
  for (const auto& [name, told] : value->get_object()) CRATON_TRY(set_member(name, told, binding));
  if (binding.pattern.empty()) return refused("a binding needs a 'pattern' of model ids");
  const bool model = !binding.model.empty() || !binding.settings.empty();
  if (model == !binding.rules.empty()) {
    return refused("a binding needs either a 'model' or 'rules'");
  }
  return binding;
}

std::string binding_text(const Bound& bound) {
  return "{\"id\":" + json::quote(bound.id) + ",\"pattern\":" + json::quote(bound.pattern) +
         ",\"model\":" + json::quote(bound.model) +
         ",\"engine\":" + json::quote(bound.answerer->kind()) +
         ",\"added\":" + (bound.added ? "true" : "false") +
         ",\"answered\":" + std::to_string(bound.answered) + "}";
}

}  // namespace craton::server
