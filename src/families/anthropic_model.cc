#include "families/anthropic_model.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace craton::families {
namespace {

constexpr std::string_view provider = "anthropic.";

struct Name {
  std::string_view model_id;
  std::string_view name;
};

// Ids that hold another version than the name. Source: recorded replies.
constexpr std::array names{
    Name{"claude-instant-v1", "claude-instant-1.2"},
    Name{"claude-v1", "claude-1.3"},
    Name{"claude-v2", "claude-2.0"},
    Name{"claude-v2:0", "claude-2.0"},
    Name{"claude-v2:1", "claude-2.1"},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "claude-v2:1" of "anthropic.claude-v2:1:200k": an id ends after its version's revision.
std::string_view without_context_suffix(std::string_view id) {
  const std::size_t revision = id.find(':');
  if (revision == id.npos) return id;
  return id.substr(0, id.find(':', revision + 1));
}

/// "claude-3-haiku-20240307-v1:0" of "anthropic.claude-3-haiku-20240307-v1:0:48k".
std::string_view bare_id(std::string_view model_id) {
  if (model_id.starts_with(provider)) model_id.remove_prefix(provider.size());
  return without_context_suffix(model_id);
}

struct Version {
  int major;
  int minor;

  friend auto operator<=>(const Version&, const Version&) = default;
};

/// Takes a number of one or two digits off the front of `text`: a longer one is a date.
int take_number(std::string_view& text) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(read.ptr - text.data());
  if (digits == 0 || digits > 2) return 0;
  text.remove_prefix(digits);
  if (text.starts_with('-')) text.remove_prefix(1);
  return number;
}

/// 3.5 of "claude-3-5-haiku-20241022-v1:0", 4.5 of "claude-haiku-4-5-20251001-v1:0", 5.0 of
/// "claude-opus-5". A name without a number is newer than all that have one.
Version version_of(std::string_view id) {
  const auto digit = std::ranges::find_if(id, is_digit);
  std::string_view rest = id.substr(static_cast<std::size_t>(digit - id.begin()));
  if (rest.empty()) return {100, 0};
  const int major = take_number(rest);
  return {major, take_number(rest)};
}

/// False for Claude 2, Instant and older, whose ids are numbered in another way.
bool is_at_least(std::string_view model_id, Version version) {
  return !is_completion_claude(model_id) && version_of(bare_id(model_id)) >= version;
}

}  // namespace

std::string anthropic_name(std::string_view model_id) {
  const std::string_view id = bare_id(model_id);
  const auto row = std::ranges::find(names, id, &Name::model_id);
  if (row != names.end()) return std::string(row->name);
  const std::size_t version = id.rfind("-v");
  const bool versioned = version != id.npos && version + 2 < id.size() && is_digit(id[version + 2]);
  return std::string(versioned ? id.substr(0, version) : id);
}

bool is_completion_claude(std::string_view model_id) {
  const std::string_view id = bare_id(model_id);
  return id.starts_with("claude-v") || id.starts_with("claude-instant-");
}

bool counts_cached_tokens(std::string_view model_id) {
  return bare_id(model_id).starts_with("claude-3-5-haiku-") || is_at_least(model_id, {3, 7});
}

bool splits_cached_tokens(std::string_view model_id) { return is_at_least(model_id, {4, 5}); }

bool takes_one_of_temperature_and_top_p(std::string_view model_id) {
  return is_at_least(model_id, {4, 5});
}

bool takes_tools(std::string_view model_id) { return is_at_least(model_id, {3, 0}); }

bool reads_large_documents(std::string_view model_id) { return is_at_least(model_id, {4, 0}); }

bool thinks(std::string_view model_id) { return is_at_least(model_id, {3, 7}); }

bool thinks_adaptively(std::string_view model_id) { return is_at_least(model_id, {4, 6}); }

bool takes_output_config(std::string_view model_id) { return is_at_least(model_id, {4, 5}); }

bool tells_full_context(std::string_view model_id) { return is_at_least(model_id, {4, 5}); }

Error anthropic_too_long(const InputTooLong&) {
  return {ErrorCode::validation, "Input is too long for requested model."};
}

}  // namespace craton::families
