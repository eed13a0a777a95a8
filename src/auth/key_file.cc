#include "auth/key_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <ctime>
#include <system_error>

#include "base/dates.h"
#include "base/files.h"
#include "base/json.h"
#include "base/nearest.h"

namespace craton::auth {
namespace {

constexpr std::size_t file_bytes_max = 16 << 20;

Error wrong(std::string message) { return {ErrorCode::validation, std::move(message)}; }

/// A member of a key: as text, which an empty one is not.
struct TextMember {
  std::string_view name;
  std::string Identity::* field;
};

constexpr std::array texts{
    TextMember{"name", &Identity::name},
    TextMember{"accessKeyId", &Identity::key_id},
    TextMember{"secretAccessKey", &Identity::secret},
    TextMember{"sessionTokenSha256", &Identity::token_hash},
    TextMember{"bearerKeyId", &Identity::key_id},
    TextMember{"sha256", &Identity::key_hash},
};

Result<std::string> text_in(std::string_view name, const json::value& value) {
  if (!value.is_string() || value.get_string().empty()) {
    return wrong(fmt::format("{} must be text", name));
  }
  return std::string(value.get_string());
}

Result<void> read_member(std::string_view name, const json::value& value, Identity& key) {
  for (const TextMember& member : texts) {
    if (member.name != name) continue;
    CRATON_TRY_ASSIGN(key.*member.field, text_in(name, value));
    return {};
  }
  for (const LimitShape& shape : limit_shapes) {
    if (shape.json_name != name) continue;
    if (!value.is_int64() || value.get_int64() < 1 || value.get_int64() > limit_max) {
      return wrong(fmt::format("{} must be a whole number from 1", name));
    }
    key.quota.*shape.field = value.get_int64();
    return {};
  }
  if (name == "created" || name == "expires") {
    CRATON_TRY_ASSIGN(const std::string text, text_in(name, value));
    CRATON_TRY_ASSIGN(const WallTime time, date_of(text));
    name == "created" ? (void)(key.created = time) : (void)(key.expires = time);
    return {};
  }
  if (name == "allow") {
    if (!value.is_array()) return wrong("allow must be a list");
    for (const json::value& one : value.get_array()) {
      CRATON_TRY_ASSIGN(const std::string text, text_in(name, one));
      CRATON_TRY_ASSIGN(Allow allow, read_allow(text));
      key.allow.push_back(std::move(allow));
    }
    return {};
  }
  return wrong(fmt::format("unknown member '{}'", name));
}

Result<Identity> key_of(const json::value& value) {
  if (!value.is_object()) return wrong("it must be an object");
  Identity key;
  for (const auto& [name, member] : value.get_object()) {
    CRATON_TRY(read_member(name, member, key));
  }
  if (key.name.empty() || key.key_id.empty()) return wrong("it has no name or no id");
  if (key.secret.empty() == key.key_hash.empty()) {
    return wrong("it must have either secretAccessKey or sha256");
  }
  return key;
}

json::object object_of(const Identity& key) {
  json::object object;
  const bool bearer = key.is_bearer();
  for (const TextMember& member : texts) {
    const std::string& text = key.*member.field;
    const bool others =
        member.field == &Identity::key_id && (member.name == "bearerKeyId") != bearer;
    if (!text.empty() && !others) object[member.name] = text;
  }
  if (!key.allow.empty()) {
    json::array allow;
    for (const Allow& one : key.allow) allow.emplace_back(text_of(one));
    object["allow"] = std::move(allow);
  }
  for (const LimitShape& shape : limit_shapes) {
    if (const auto number = key.quota.*shape.field) object[shape.json_name] = *number;
  }
  object["created"] = date_text(key.created);
  if (key.expires) object["expires"] = date_text(*key.expires);
  return object;
}

}  // namespace

Result<WallTime> date_of(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* end = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  constexpr int first_year = 70,
                last_year = 300;  // from 1900: a clock of nanoseconds has no others
  const bool in_range = parts.tm_year >= first_year && parts.tm_year <= last_year;
  if (!end || *end != '\0' || !in_range) {
    return wrong(fmt::format("'{}' is no time such as 2026-11-26T12:00:00Z", text));
  }
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

Result<std::vector<Identity>> keys_of(std::string_view text) {
  CRATON_TRY_ASSIGN(const json::value value, json::parse(text));
  const json::value* list = value.is_object() ? value.get_object().if_contains("keys") : nullptr;
  if (!list || !list->is_array() || value.get_object().size() != 1) {
    return wrong("it must be an object with 'keys', a list");
  }
  std::vector<Identity> keys;
  for (const json::value& one : list->get_array()) {
    Result<Identity> key = key_of(one);
    if (!key) return wrong(fmt::format("key {}: {}", keys.size() + 1, key.error().message));
    keys.push_back(std::move(*key));
  }
  return keys;
}

std::string text_of(const std::vector<Identity>& keys) {
  std::string text = "{\"keys\": [";
  for (const Identity& key : keys) {
    text += &key == keys.data() ? "\n  " : ",\n  ";
    json::append_text(object_of(key), text);
  }
  return text + "\n]}\n";
}

Result<std::vector<Identity>> read_key_file(const std::filesystem::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::vector<Identity>();
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return wrong(path.string() + ": others may read it. Run chmod 600 on it.");
  }
  CRATON_TRY_ASSIGN(const std::string text, read_file(path, file_bytes_max));
  Result<std::vector<Identity>> keys = keys_of(text);
  if (!keys) return wrong(path.string() + ": " + keys.error().message + ".");
  return keys;
}

Result<void> write_key_file(const std::filesystem::path& path, const std::vector<Identity>& keys) {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  return replace_file(path, text_of(keys), S_IRUSR | S_IWUSR);
}

}  // namespace craton::auth
