// craton keys: who may call a server that looks at who calls.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/key_file.h"
#include "auth/new_key.h"
#include "base/dates.h"
#include "base/json.h"
#include "catalog/catalog.h"
#include "cli/commands.h"
#include "server/config.h"
#include "server/environment.h"

namespace craton::cli {
namespace {

struct Place {
  std::map<std::string, std::string> flags;  ///< data and keys, where they are given.
};

struct Wanted {
  std::string name;
  bool bearer = false;
  bool temporary = false;
  std::string expires_in;
  std::vector<std::string> allow;
  auth::Quota quota;
  std::string output = "text";
};

/// "90s", "30m", "12h" or "7d".
Result<std::chrono::seconds> duration_of(const std::string& text) {
  constexpr std::pair<char, int> units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}};
  const std::string_view digits = std::string_view(text).substr(0, text.size() - !text.empty());
  const bool number = !digits.empty() && digits.size() <= 6 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos;
  for (const auto& [unit, seconds] : units) {
    if (number && text.back() == unit) {
      return std::chrono::seconds(std::stoll(std::string(digits)) * seconds);
    }
  }
  return Error{ErrorCode::validation, "'" + text + "' is no time such as 90s, 30m, 12h or 7d"};
}

/// As IAM names users.
Result<void> check_name(const std::string& name) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+=,.@_-";
  if (name.size() <= 64 && name.find_first_not_of(allowed) == std::string::npos) return {};
  return Error{ErrorCode::validation,
               "'" + name + "' is no name: up to 64 letters, digits and +=,.@_-"};
}

Result<std::filesystem::path> key_file(const Place& place) {
  CRATON_TRY_ASSIGN(const server::Config config,
                    server::read_config({place.flags, server::process_environment, {}}));
  return server::key_file_of(config);
}

/// In seconds: what the file says is what is held against the clock.
WallTime now() { return std::chrono::floor<std::chrono::seconds>(system_now()); }

Result<auth::NewKey> make(const Wanted& wanted) {
  CRATON_TRY(check_name(wanted.name));
  if (wanted.bearer && wanted.temporary) {
    return Error{ErrorCode::validation, "--bearer and --temporary exclude each other"};
  }
  auth::NewKey key = wanted.bearer ? auth::new_bearer_key(wanted.name, catalog::default_account)
                     : wanted.temporary ? auth::new_temporary_key(wanted.name)
                                        : auth::new_access_key(wanted.name);
  for (const std::string& text : wanted.allow) {
    CRATON_TRY_ASSIGN(auth::Allow allow, auth::read_allow(text));
    key.identity.allow.push_back(std::move(allow));
  }
  key.identity.quota = wanted.quota;
  key.identity.created = now();
  const std::string life = wanted.expires_in.empty() && wanted.temporary ? "1h" : wanted.expires_in;
  if (!life.empty()) {
    CRATON_TRY_ASSIGN(const std::chrono::seconds seconds, duration_of(life));
    key.identity.expires = key.identity.created + seconds;
  }
  return key;
}

/// What is shown once: name, as JSON has it, as a shell exports it, value.
struct Shown {
  const char* json;
  const char* variable;
  const std::string& value;
};

void print(const auth::NewKey& key, const std::string& output) {
  const Shown all[] = {
      {"accessKeyId", "AWS_ACCESS_KEY_ID", key.access_key_id},
      {"secretAccessKey", "AWS_SECRET_ACCESS_KEY", key.secret},
      {"sessionToken", "AWS_SESSION_TOKEN", key.session_token},
      {"bearerToken", "AWS_BEARER_TOKEN_BEDROCK", key.bearer},
  };
  if (output == "json") {
    json::object object{{"name", key.identity.name}, {"keyId", key.identity.key_id}};
    for (const Shown& one : all) {
      if (!one.value.empty()) object[one.json] = one.value;
    }
    if (key.identity.expires) object["expires"] = date_text(*key.identity.expires);
    std::puts(json::to_text(object).c_str());
    return;
  }
  for (const Shown& one : all) {
    if (!one.value.empty()) std::printf("export %s=%s\n", one.variable, one.value.c_str());
  }
  std::fflush(stdout);
  std::fprintf(stderr, "This is shown once. craton keys revoke %s takes it back.\n",
               key.identity.key_id.c_str());
}

Result<void> create(const Place& place, const Wanted& wanted) {
  CRATON_TRY_ASSIGN(const std::filesystem::path file, key_file(place));
  CRATON_TRY_ASSIGN(const auth::NewKey key, make(wanted));
  CRATON_TRY_ASSIGN(std::vector<auth::Identity> keys, auth::read_key_file(file));
  keys.push_back(key.identity);
  CRATON_TRY(auth::write_key_file(file, keys));
  print(key, wanted.output);
  return {};
}

std::string allowed_text(const auth::Identity& key) {
  if (key.allow.empty()) return "everything";
  std::string text;
  for (const auth::Allow& allow : key.allow) {
    text += (text.empty() ? "" : " ") + auth::text_of(allow);
  }
  return text;
}

std::string quota_text(const auth::Quota& quota) {
  return quota.empty() ? "none" : auth::text_of(quota);
}

json::object listed(const auth::Identity& key) {
  json::array allow;
  for (const auth::Allow& one : key.allow) allow.emplace_back(auth::text_of(one));
  json::object object{{"name", key.name},
                      {"keyId", key.key_id},
                      {"bearer", key.is_bearer()},
                      {"allow", std::move(allow)},
                      {"created", date_text(key.created)}};
  if (key.expires) object["expires"] = date_text(*key.expires);
  for (const auth::LimitShape& shape : auth::limit_shapes) {
    if (const auto number = key.quota.*shape.field) object[shape.json_name] = *number;
  }
  return object;
}

Result<void> list(const Place& place, const std::string& output) {
  CRATON_TRY_ASSIGN(const std::filesystem::path file, key_file(place));
  CRATON_TRY_ASSIGN(const std::vector<auth::Identity> keys, auth::read_key_file(file));
  if (output == "json") {
    json::array all;
    for (const auth::Identity& key : keys) all.push_back(listed(key));
    std::puts(json::to_text(json::value(all)).c_str());
    return {};
  }
  if (keys.empty()) {
    std::printf("No keys in %s. craton keys create NAME makes one.\n", file.string().c_str());
    return {};
  }
  fmt::print("{:<20} {:<22} {:<20} {:<20} {:<28} {}\n", "NAME", "KEY", "CREATED", "EXPIRES",
             "LIMITS", "ALLOWED");
  for (const auth::Identity& key : keys) {
    const std::string expires = !key.expires         ? "never"
                                : key.expired(now()) ? "expired"
                                                     : date_text(*key.expires);
    fmt::print("{:<20} {:<22} {:<20} {:<20} {:<28} {}\n", key.name, key.key_id,
               date_text(key.created), expires, quota_text(key.quota), allowed_text(key));
  }
  return {};
}

Result<void> revoke(const Place& place, const std::string& which) {
  CRATON_TRY_ASSIGN(const std::filesystem::path file, key_file(place));
  CRATON_TRY_ASSIGN(std::vector<auth::Identity> keys, auth::read_key_file(file));
  const std::size_t gone = std::erase_if(
      keys, [&](const auth::Identity& key) { return key.key_id == which || key.name == which; });
  if (gone == 0) {
    return Error{ErrorCode::validation,
                 "no key '" + which + "' in " + file.string() + "; craton keys list shows them"};
  }
  CRATON_TRY(auth::write_key_file(file, keys));
  std::printf("%zu key(s) revoked. Servers refuse them within a second.\n", gone);
  return {};
}

int told(const Result<void>& result) { return result ? exit_ok : fail(result.error().message); }

void add_place(CLI::App& command, const std::shared_ptr<Place>& place) {
  const auto flag = [&](const std::string& name, const char* help, const char* value) {
    command
        .add_option_function<std::string>(
            "--" + name, [place, name](const std::string& text) { place->flags[name] = text; },
            help)
        ->type_name(value);
  };
  flag("keys", "The file of keys (default: keys.json in the data folder)", "FILE");
  flag("data", "The server's data folder (default: the cache folder)", "DIR");
}

void add_create(CLI::App& keys, int& exit_code) {
  CLI::App* command = keys.add_subcommand("create", "Make a key and show it, once");
  auto place = std::make_shared<Place>();
  auto wanted = std::make_shared<Wanted>();
  command->add_option("NAME", wanted->name, "Whose it is")->required();
  command->add_flag("--bearer", wanted->bearer, "An API key, for AWS_BEARER_TOKEN_BEDROCK");
  command->add_flag("--temporary", wanted->temporary,
                    "With a session token, for an hour or as --expires-in says");
  command->add_option("--expires-in", wanted->expires_in, "90s, 30m, 12h or 7d (default: never)")
      ->type_name("TIME");
  command
      ->add_option(
          "--allow", wanted->allow,
          "bedrock:OPERATION or bedrock:OPERATION:MODEL, with * for any text; may be there "
          "several times (default: everything)")
      ->type_name("RULE");
  constexpr std::array helps{"Of invocations", "Of input and answers", "The same",
                             "Streamed answers at once"};
  static_assert(helps.size() == auth::limit_shapes.size(), "one per limit, in their order");
  for (const auth::LimitShape& shape : auth::limit_shapes) {
    command
        ->add_option("--" + std::string(shape.name), wanted->quota.*shape.field,
                     helps[static_cast<std::size_t>(shape.limit)])
        ->check(CLI::Range(std::int64_t{1}, auth::limit_max))
        ->type_name("N");
  }
  command->add_option("--output", wanted->output, "text or json (default text)")
      ->check(CLI::IsMember({"text", "json"}));
  add_place(*command, place);
  command->callback([place, wanted, &exit_code] { exit_code = told(create(*place, *wanted)); });
}

}  // namespace

void add_keys(CLI::App& app, int& exit_code) {
  CLI::App* keys = app.add_subcommand("keys", "Make, list and revoke the keys of callers");
  keys->require_subcommand(1);
  add_create(*keys, exit_code);

  CLI::App* all = keys->add_subcommand("list", "List the keys, without their secrets");
  auto place = std::make_shared<Place>();
  auto output = std::make_shared<std::string>("table");
  all->add_option("--output", *output, "table or json (default table)")
      ->check(CLI::IsMember({"table", "json"}));
  add_place(*all, place);
  all->callback([place, output, &exit_code] { exit_code = told(list(*place, *output)); });

  CLI::App* gone = keys->add_subcommand("revoke", "Take a key back");
  auto which = std::make_shared<std::string>();
  gone->add_option("KEY", *which, "The key's id, or a name: all keys of it")->required();
  add_place(*gone, place);
  gone->callback([place, which, &exit_code] { exit_code = told(revoke(*place, *which)); });
}

}  // namespace craton::cli
