#include "server/binding_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/glob.h"

namespace craton::server {

bool Bound::fits(std::string_view model_id, std::string_view asked_id) const {
  return glob_matches(pattern, model_id) || (!asked_id.empty() && glob_matches(pattern, asked_id));
}

std::shared_ptr<const BindingTable::Rows> BindingTable::rows() const {
  const std::lock_guard lock(mutex_);
  return rows_;
}

/// With the mutex held. What it returns is to be let go without: an answerer may take its time to
/// end.
std::shared_ptr<const BindingTable::Rows> BindingTable::publish(Rows rows) {
  forwards_ = std::ranges::any_of(
      rows, [](const auto& row) { return row->answerer->forwarder() != nullptr; });
  return std::exchange(rows_, std::make_shared<const Rows>(std::move(rows)));
}

void BindingTable::start_with(Rows rows) {
  std::shared_ptr<const Rows> before;
  for (const auto& row : rows) row->id = new_id();
  const std::lock_guard lock(mutex_);
  start_.swap(rows);
  Rows all;
  std::ranges::copy_if(*rows_, std::back_inserter(all), &Bound::added);
  all.insert(all.end(), start_.begin(), start_.end());
  before = publish(std::move(all));
}

void BindingTable::add(std::shared_ptr<Bound> bound) {
  std::shared_ptr<const Rows> before;
  const std::lock_guard lock(mutex_);
  bound->added = true;
  Rows all = *rows_;
  all.insert(all.begin(), std::move(bound));
  before = publish(std::move(all));
}

bool BindingTable::remove(std::string_view id) {
  std::shared_ptr<const Rows> before;
  const std::lock_guard lock(mutex_);
  Rows all = *rows_;
  if (std::erase_if(all, [&](const auto& row) { return row->id == id; }) == 0) return false;
  before = publish(std::move(all));
  return true;
}

void BindingTable::reset() {
  std::shared_ptr<const Rows> before;
  const std::lock_guard lock(mutex_);
  for (const auto& row : start_) row->answered = 0;
  before = publish(start_);
}

std::string BindingTable::new_id() { return "b" + std::to_string(++named_); }

}  // namespace craton::server
