#include "converse/additional_fields.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "converse/refusals.h"
#include "families/schema.h"

namespace craton::converse {
namespace {

using Tokens = std::vector<std::string>;

/// A token of a pointer, with `~1` for a slash and `~0` for a tilde; nullopt for another escape.
std::optional<std::string> unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      text += token[i];
      continue;
    }
    if (++i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
    text += token[i] == '0' ? '~' : '/';
  }
  return text;
}

/// The tokens of a JSON pointer; nullopt when it is none.
std::optional<Tokens> tokens_of(std::string_view pointer) {
  Tokens tokens;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return std::nullopt;
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    std::optional<std::string> text = unescaped(token);
    if (!text) return std::nullopt;
    tokens.push_back(*std::move(text));
    pointer.remove_prefix(token.size());
  }
  return tokens;
}

std::optional<std::size_t> index_of(std::string_view token) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool whole = error == std::errc() && end == token.data() + token.size();
  return whole ? std::optional(index) : std::nullopt;
}

const json::value* find(const json::value& root, std::span<const std::string> tokens) {
  const json::value* at = &root;
  for (const std::string& token : tokens) {
    if (const auto* members = at->if_object()) {
      at = members->if_contains(token);
    } else if (const auto* items = at->if_array()) {
      const std::optional<std::size_t> index = index_of(token);
      at = index ? items->if_contains(*index) : nullptr;
    } else {
      return nullptr;
    }
    if (!at) return nullptr;
  }
  return at;
}

void put(json::object& root, const Tokens& tokens, const json::value& value) {
  json::object* at = &root;
  for (const std::string& token : std::span(tokens).first(tokens.size() - 1)) {
    json::value& next = at->emplace(token, json::object()).first->value();
    if (!next.is_object()) return;  // a shorter pointer has already put the whole there
    at = &next.get_object();
  }
  (*at)[tokens.back()] = value;
}

/// `fields` against a schema that knows none of them.
Result<void> refuse_all(const Provider& provider, const json::object& fields) {
  static constexpr families::Schema nothing{.type = families::JsonType::object};
  CRATON_TRY(families::read_body(json::to_text(fields), nothing, provider.model));
  return {};
}

}  // namespace

Result<void> apply_additional_fields(const Provider& provider, Request& request) {
  if (request.additional_fields.empty()) return {};
  const bool taken = provider.family && provider.family->apply_additional;
  const Result<void> applied = taken
                                   ? provider.family->apply_additional(
                                         provider.model, request.additional_fields, request.native)
                                   : refuse_all(provider, request.additional_fields);
  if (!applied) return of_the_model(applied.error());
  return {};
}

Result<void> check_paths(const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (tokens_of(paths[i])) continue;
    return refused("The value at additionalModelResponseFieldPaths." + std::to_string(i) +
                   " is not a valid JSON pointer. Provide a JSON pointer, such as "
                   "/stop_sequence, and try again.");
  }
  return {};
}

json::object additional_response_fields(const Provider& provider, const Request& request,
                                        const Answer& answer) {
  json::object fields;
  if (request.response_paths.empty() || !provider.family) return fields;
  const std::string text =
      provider.family->render({provider.model, request.native, {&answer, 1}, provider.request_id});
  const Result<json::value> reply = json::parse(text);
  if (!reply) return fields;
  for (const std::string& path : request.response_paths) {
    const Tokens tokens = *tokens_of(path);
    const bool of_delta = tokens.size() > 1 && tokens.front() == "delta";
    const json::value* value = find(*reply, std::span(tokens).subspan(of_delta ? 1 : 0));
    if (value) put(fields, tokens, *value);
  }
  return fields;
}

}  // namespace craton::converse
