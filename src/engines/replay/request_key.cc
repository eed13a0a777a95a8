#include "engines/replay/request_key.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>
#include <utility>

#include "base/base64.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "engines/rules/request_view.h"

namespace craton::engines::replay {
namespace {

constexpr std::size_t shown_bytes = 60;  // of a value that differs

std::string hash_of(std::string_view bytes) { return hex_of(bytes_of(sha256(bytes))); }

/// Converse's form has no place for some of what matters.
void add_rest(const Conversation& conversation, json::object& form) {
  const Sampling& sampling = conversation.sampling;
  json::object rest;
  if (sampling.frequency_penalty) rest["frequencyPenalty"] = *sampling.frequency_penalty;
  if (sampling.presence_penalty) rest["presencePenalty"] = *sampling.presence_penalty;
  if (sampling.likelihoods != Likelihoods::none) {
    rest["likelihoods"] = sampling.likelihoods == Likelihoods::all ? "all" : "generated";
  }
  if (conversation.reasoning.wanted) {
    rest["reasoning"] = conversation.reasoning.budget_tokens.value_or(0);
  }
  if (!conversation.tools.parallel) rest["parallelToolCalls"] = false;
  if (conversation.raw_completion) rest["completion"] = true;
  json::array files;
  const auto add_file = [&](const auto& block) {
    using Block = std::decay_t<decltype(block)>;
    if constexpr (std::is_same_v<Block, ImageBlock> || std::is_same_v<Block, DocumentBlock>) {
      files.push_back(json::value(hash_of(block.bytes)));
    }
  };
  for (const Turn& turn : conversation.turns) {
    for (const ContentBlock& block : turn.content) {
      std::visit(add_file, block);
      const auto* result = std::get_if<ToolResultBlock>(&block);
      if (!result) continue;
      for (const ToolResultPart& part : result->content) std::visit(add_file, part);
    }
  }
  if (!files.empty()) rest["files"] = std::move(files);
  if (!rest.empty()) form["beside"] = std::move(rest);
}

/// Calls by their number.
class CallNumbers {
 public:
  void put_into(json::value& value) {
    if (value.is_array()) {
      for (json::value& item : value.get_array()) put_into(item);
    } else if (value.is_object()) {
      for (auto& [key, member] : value.get_object()) {
        if (key == "toolUseId" && member.is_string()) {
          member = number_of(std::string(member.get_string()));
        } else if (key != "input") {  // what a model said may hold anything
          put_into(member);
        }
      }
    }
  }

 private:
  int number_of(const std::string& id) {
    return numbers_.try_emplace(id, static_cast<int>(numbers_.size()) + 1).first->second;
  }

  std::map<std::string, int> numbers_;
};

/// Keys in order, whatever they were put in.
json::value sorted(const json::value& value) {
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) items.push_back(sorted(item));
    return items;
  }
  if (!value.is_object()) return value;
  std::map<std::string_view, const json::value*> members;
  for (const auto& [key, member] : value.get_object()) members[key] = &member;
  json::object object;
  for (const auto& [key, member] : members) object[key] = sorted(*member);
  return object;
}

/// The base64 that `text` is, or is a data URI of; empty when it is none that is worth a hash.
std::string_view file_in(std::string_view text) {
  constexpr std::size_t least = 512;  // of bytes; whatever is shorter stays legible
  constexpr std::string_view mark = ";base64,";
  if (text.size() < least) return {};
  if (text.starts_with("data:")) {
    const std::size_t at = text.substr(0, 100).find(mark);
    if (at != text.npos) text.remove_prefix(at + mark.size());
  }
  return is_base64(text) ? text : std::string_view();
}

/// Without what is null, and with files as their hashes.
void shorten(json::value& value) {
  if (json::array* items = value.if_array()) {
    for (json::value& item : *items) shorten(item);
  } else if (json::object* members = value.if_object()) {
    for (auto member = members->begin(); member != members->end();) {
      if (member->value().is_null()) {
        member = members->erase(member);
      } else {
        shorten(member++->value());
      }
    }
  } else if (const auto* text = value.if_string()) {
    const std::string_view file = file_in(*text);
    if (!file.empty()) value = json::object{{"sha256", hash_of(file)}};
  }
}

std::string shown(const json::value* value) {
  if (!value) return "nothing";
  const std::string text = json::to_text(*value);
  if (text.size() <= shown_bytes) return text;
  return mended_utf8(std::string_view(text).substr(0, shown_bytes)) + "…";
}

class Differences {
 public:
  explicit Differences(std::size_t most) : most_(most) {}

  void compare(const std::string& place, const json::value* there, const json::value* asked) {
    if (lines_.size() >= most_) return;
    if (there && asked && there->is_object() && asked->is_object()) {
      std::set<std::string> keys;
      for (const auto& [key, _] : there->get_object()) keys.emplace(key);
      for (const auto& [key, _] : asked->get_object()) keys.emplace(key);
      for (const std::string& key : keys) {
        compare(place.empty() ? key : place + "." + key, there->get_object().if_contains(key),
                asked->get_object().if_contains(key));
      }
      return;
    }
    if (there && asked && there->is_array() && asked->is_array()) {
      const json::array& old = there->get_array();
      const json::array& fresh = asked->get_array();
      for (std::size_t i = 0; i < std::max(old.size(), fresh.size()); ++i) {
        compare(place + "[" + std::to_string(i) + "]", i < old.size() ? &old[i] : nullptr,
                i < fresh.size() ? &fresh[i] : nullptr);
      }
      return;
    }
    if (there && asked && *there == *asked) return;
    lines_.push_back(place + ": " + shown(there) + " recorded, " + shown(asked) + " asked");
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  const std::size_t most_;
  std::vector<std::string> lines_;
};

}  // namespace

json::value canonical_request(std::string_view model_id, const Conversation& conversation,
                              const std::vector<rules::JsonPath>& ignored) {
  json::value form = rules::converse_form(conversation);
  form.get_object()["model"] = model_id;
  add_rest(conversation, form.get_object());
  CallNumbers().put_into(form);
  for (const rules::JsonPath& path : ignored) path.erase(form);
  return sorted(form);
}

json::value canonical_request(std::string_view model_id, const NativeCall& native,
                              const std::vector<rules::JsonPath>& ignored) {
  Result<json::value> body = json::parse(native.body);
  json::value read = body ? std::move(*body) : json::value(native.body);
  shorten(read);
  json::object object{{"model", model_id}};
  object["body"] = std::move(read);
  if (native.accept.starts_with("image/")) object["accept"] = native.accept;
  json::value form(std::move(object));
  for (const rules::JsonPath& path : ignored) path.erase(form);
  return sorted(form);
}

std::string key_of(const json::value& canonical) {
  return hash_of(json::to_text(sorted(canonical)));
}

std::vector<std::string> differences(const json::value& there, const json::value& asked,
                                     std::size_t most) {
  Differences found(most);
  found.compare("", &there, &asked);
  return found.take();
}

}  // namespace craton::engines::replay
