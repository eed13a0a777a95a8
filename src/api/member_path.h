// Where a member stands in an input, as errors name it: "messages.1.member.content".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace craton::api {

/// Made for every member that is looked at, and written out only for those that are told of.
/// Refers to its parent and its name.
class MemberPath {
 public:
  /// The input itself, which has no name.
  MemberPath() = default;

  MemberPath(const MemberPath& parent, std::string_view name, std::string_view suffix = {})
      : parent_(&parent), name_(name), suffix_(suffix) {}

  /// Of a list, from 1.
  MemberPath(const MemberPath& parent, std::size_t number, std::string_view suffix = {})
      : parent_(&parent), number_(number), suffix_(suffix) {}

  bool is_input() const { return !parent_; }

  std::string text() const {
    if (!parent_) return {};
    std::string text = parent_->text();
    if (!text.empty()) text += '.';
    text += number_ > 0 ? std::to_string(number_) : std::string(name_);
    text += suffix_;
    return text;
  }

 private:
  const MemberPath* parent_ = nullptr;
  std::string_view name_;
  std::size_t number_ = 0;
  std::string_view suffix_;
};

}  // namespace craton::api
