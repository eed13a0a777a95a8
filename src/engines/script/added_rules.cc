#include "engines/script/added_rules.h"

#include <algorithm>
#include <utility>

namespace craton::engines::script {
namespace {

using rules::Value;

/// A rule alone is a file of that rule.
Value as_file(Value value) {
  const bool rule = std::ranges::any_of(value.entries, [](const rules::Entry& entry) {
    return entry.key == "answer" || entry.key == "answers";
  });
  if (!rule) return value;
  Value list{.kind = Value::Kind::list, .line = value.line};
  list.items.push_back(std::move(value));
  Value file{.kind = Value::Kind::map, .line = list.line};
  file.entries.push_back({"rules", list.line, std::move(list)});
  return file;
}

Result<Value> read(std::string_view text, const rules::Source& source) {
  // YAML can nearly read JSON, but for some of its escapes.
  Result<Value> json = rules::read_json(text, source);
  return json ? json : rules::read_yaml(text, source);
}

}  // namespace

Result<void> AddedRules::add(std::string_view text) {
  const rules::Source source{"added", {}};
  CRATON_TRY_ASSIGN(Value value, read(text, source));
  CRATON_TRY_ASSIGN(RulesFile file, rules_of(as_file(std::move(value)), source));
  auto set = std::make_shared<RuleSet>(std::move(file));
  const std::lock_guard lock(mutex_);
  if (sets_.size() >= sets_max) {
    return Error{ErrorCode::validation,
                 "There are " + std::to_string(sets_max) +
                     " sets of rules; take them away with DELETE /_craton/rules."};
  }
  sets_.insert(sets_.begin(), std::move(set));
  any_.store(true, std::memory_order_relaxed);
  return {};
}

void AddedRules::clear() {
  std::vector<std::shared_ptr<RuleSet>> gone;  // goes without the lock
  const std::lock_guard lock(mutex_);
  gone.swap(sets_);
  any_.store(false, std::memory_order_relaxed);
}

std::vector<std::shared_ptr<RuleSet>> AddedRules::sets() const {
  const std::lock_guard lock(mutex_);
  return sets_;
}

std::shared_ptr<Engine> AddedRules::claim(rules::RequestView& request, faults::Struck& struck,
                                          std::shared_ptr<RuleSet>& passed) {
  if (empty()) return nullptr;
  for (const auto& set : sets()) {
    if (auto engine = set->claim(request, struck)) return engine;
    if (!passed && !set->file().rules.empty()) passed = set;
  }
  return nullptr;
}

std::vector<AddedRules::Row> AddedRules::rows() const {
  std::vector<Row> rows;
  for (const auto& set : sets()) {
    for (std::size_t i = 0; i < set->file().rules.size(); ++i) {
      rows.push_back({set->file().rules[i].name, set->answered(i)});
    }
  }
  return rows;
}

}  // namespace craton::engines::script
