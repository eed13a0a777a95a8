#include "service/merged_stream.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace craton::service {
namespace {

/// Blocks by their index; more than any answer has are no answer's.
constexpr std::size_t blocks_max = 4096;

class Merger {
 public:
  void take(const StreamEvent& event) {
    Result<json::value> read = json::parse(event.text);
    json::object* members = read ? read->if_object() : nullptr;
    if (!members || event.exception) return;
    for (const Row& row : rows) {
      if (row.type == event.type) (this->*row.take)(*members);
    }
  }

  json::value result() {
    for (json::value& block : content_) read_input(block.as_object());
    json::object message{{"role", std::move(role_)}, {"content", std::move(content_)}};
    json::object whole{{"output", {{"message", std::move(message)}}}};
    for (auto& member : rest_) whole[member.key()] = std::move(member.value());
    return whole;
  }

 private:
  struct Row {
    std::string_view type;
    void (Merger::*take)(json::object& members);
  };
  static const std::array<Row, 5> rows;

  void message_start(json::object& members) {
    if (const auto* role = members.if_contains("role")) role_ = *role;
  }

  json::object* block(const json::object& members) {
    const auto* index = members.if_contains("contentBlockIndex");
    const std::int64_t at = index && index->is_int64() ? index->get_int64() : -1;
    if (at < 0 || static_cast<std::size_t>(at) >= blocks_max) return nullptr;
    while (content_.size() <= static_cast<std::size_t>(at)) content_.push_back(json::object());
    return &content_[static_cast<std::size_t>(at)].as_object();
  }

  void block_start(json::object& members) {
    json::object* into = block(members);
    auto* start = members.if_contains("start");
    if (into && start && start->is_object()) *into = std::move(start->get_object());
  }

  void block_delta(json::object& members) {
    json::object* into = block(members);
    auto* delta = members.if_contains("delta");
    if (into && delta && delta->is_object()) append(*into, delta->get_object());
  }

  /// Text is continued, and so are the members of objects.
  static void append(json::object& into, json::object& delta) {
    for (auto& member : delta) {
      json::value& there = into[member.key()];
      if (there.is_string() && member.value().is_string()) {
        there.get_string().append(member.value().get_string());
      } else if (there.is_object() && member.value().is_object()) {
        append(there.get_object(), member.value().get_object());
      } else {
        there = std::move(member.value());
      }
    }
  }

  void rest(json::object& members) {
    members.erase("p");
    for (auto& member : members) rest_[member.key()] = std::move(member.value());
  }

  /// A call's input came as text; a thought's parts stand one level deeper in a whole answer.
  static void read_input(json::object& block) {
    if (auto* call = block.if_contains("toolUse"); call && call->is_object()) {
      auto* input = call->get_object().if_contains("input");
      if (!input) {
        call->get_object()["input"] = json::object();
      } else if (input->is_string()) {
        Result<json::value> read = json::parse(input->get_string());
        if (read) *input = std::move(*read);
      }
    }
    auto* thought = block.if_contains("reasoningContent");
    if (thought && thought->is_object() && thought->get_object().contains("text")) {
      json::object parts = std::move(thought->get_object());
      *thought = json::object{{"reasoningText", std::move(parts)}};
    }
  }

  json::value role_ = "assistant";
  json::array content_;
  json::object rest_;
};

constexpr std::array<Merger::Row, 5> Merger::rows{{{"messageStart", &Merger::message_start},
                                                   {"contentBlockStart", &Merger::block_start},
                                                   {"contentBlockDelta", &Merger::block_delta},
                                                   {"messageStop", &Merger::rest},
                                                   {"metadata", &Merger::rest}}};

}  // namespace

json::value merged_converse(const std::vector<StreamEvent>& events) {
  Merger merger;
  for (const StreamEvent& event : events) merger.take(event);
  return merger.result();
}

}  // namespace craton::service
