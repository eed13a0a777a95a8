#include "engines/rules/json_path.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <functional>
#include <utility>

namespace craton::engines::rules {
namespace {

constexpr std::size_t steps_max = 32;

using Places = std::vector<const json::value*>;

void step_into(const json::value& place, const std::string& key, Places& out) {
  const auto* object = place.if_object();
  const json::value* inner = object ? object->if_contains(key) : nullptr;
  if (inner) out.push_back(inner);
}

void step_into(const json::value& place, int index, Places& out) {
  const auto* array = place.if_array();
  const int size = array ? static_cast<int>(array->size()) : 0;
  const int at = index < 0 ? size + index : index;
  if (at >= 0 && at < size) out.push_back(&(*array)[static_cast<std::size_t>(at)]);
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  const auto wrong = [whole = std::string(text)](const std::string& what) -> Error {
    return {ErrorCode::validation, "'" + whole + "' is no path: " + what};
  };
  JsonPath path;
  if (text.starts_with('$')) text.remove_prefix(text.starts_with("$.") ? 2 : 1);
  bool key_next = !text.starts_with('[');
  while (!text.empty() || (key_next && path.steps_.empty())) {
    if (path.steps_.size() == steps_max) return wrong("it has too many parts");
    if (key_next) {
      const std::string_view key = text.substr(0, std::min(text.find('.'), text.find('[')));
      if (key.empty()) return wrong("a key is empty");
      path.steps_.emplace_back(std::string(key));
      text.remove_prefix(key.size());
    } else {
      const std::size_t end = text.find(']');
      if (end == text.npos) return wrong("']' is missing");
      const std::string_view index = text.substr(1, end - 1);
      int number = 0;
      const auto [stop, error] = std::from_chars(index.data(), index.data() + index.size(), number);
      if (index == "*") {
        path.steps_.emplace_back(Every{});
      } else if (error == std::errc() && stop == index.data() + index.size()) {
        path.steps_.emplace_back(number);
      } else {
        return wrong("expected a number or * between '[' and ']'");
      }
      text.remove_prefix(end + 1);
    }
    if (text.empty()) break;
    key_next = text.front() == '.';
    if (key_next) text.remove_prefix(1);
    if (!key_next && text.front() != '[') return wrong("expected '.' or '[' behind ']'");
    if (key_next && text.empty()) return wrong("it ends with '.'");
  }
  return path;
}

std::vector<std::string> JsonPath::find(const json::value& root) const {
  Places places{&root};
  for (const Step& step : steps_) {
    Places next;
    for (const json::value* place : places) {
      if (const auto* key = std::get_if<std::string>(&step)) step_into(*place, *key, next);
      if (const auto* index = std::get_if<int>(&step)) step_into(*place, *index, next);
      if (!std::holds_alternative<Every>(step) || !place->is_array()) continue;
      for (const json::value& item : place->get_array()) next.push_back(&item);
    }
    places = std::move(next);
  }
  std::vector<std::string> texts;
  for (const json::value* place : places) {
    std::string text =
        place->is_string() ? std::string(place->get_string()) : json::to_text(*place);
    if (place->is_double() && text.ends_with(".0")) text.resize(text.size() - 2);  // 1, as written
    texts.push_back(std::move(text));
  }
  return texts;
}

void JsonPath::erase(json::value& root) const {
  const std::function<void(json::value&, std::size_t)> erase_from = [&](json::value& place,
                                                                        std::size_t at) {
    const bool last = at + 1 == steps_.size();
    const auto go_on = [&](json::value& inner) {
      last ? (void)(inner = nullptr) : erase_from(inner, at + 1);
    };
    if (const auto* key = std::get_if<std::string>(&steps_[at]); key && place.is_object()) {
      json::object& object = place.get_object();
      if (last) {
        object.erase(*key);
      } else if (json::value* inner = object.if_contains(*key)) {
        erase_from(*inner, at + 1);
      }
    } else if (place.is_array()) {
      json::array& array = place.get_array();
      const auto* index = std::get_if<int>(&steps_[at]);
      const int size = static_cast<int>(array.size());
      for (int i = 0; i < size; ++i) {
        const bool meant = index ? i == (*index < 0 ? size + *index : *index)
                                 : std::holds_alternative<Every>(steps_[at]);
        if (meant) go_on(array[static_cast<std::size_t>(i)]);
      }
    }
  };
  if (!steps_.empty()) erase_from(root, 0);
}

}  // namespace craton::engines::rules
