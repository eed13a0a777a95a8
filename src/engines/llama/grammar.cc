#include "engines/llama/grammar.h"

#include <algorithm>
#include <map>
#include <utility>

namespace craton::engines::llama {
namespace {

// Returns that are kept before those that no reading needs are thrown away.
constexpr std::size_t returns_max = 1 << 16;

Error refused(std::string why) { return {ErrorCode::validation, std::move(why)}; }

}  // namespace

Sequence& Sequence::literal(std::string_view text) {
  for (const char byte : text) bytes(ByteSet::of({&byte, 1}));
  return *this;
}

Sequence& Sequence::bytes(const ByteSet& set) {
  steps_.push_back({set, {.kind = GrammarElement::Kind::bytes}});
  return *this;
}

Sequence& Sequence::repeated(RuleId rule, std::uint32_t least, std::uint32_t most) {
  if (most == 0) return *this;
  steps_.push_back({{}, {GrammarElement::Kind::rule, rule, least, most}});
  return *this;
}

RuleId GrammarBuilder::rule() {
  grammar_.rules_.emplace_back();
  return static_cast<RuleId>(grammar_.rules_.size() - 1);
}

RuleId GrammarBuilder::rule(const Sequence& only) {
  const RuleId made = rule();
  add(made, only);
  return made;
}

void GrammarBuilder::add(RuleId rule, const Sequence& alternative) {
  if (full()) return;
  grammar_.rules_[rule].push_back(static_cast<std::uint32_t>(grammar_.elements_.size()));
  for (const Sequence::Step& step : alternative.steps_) {
    GrammarElement element = step.element;
    if (element.kind == GrammarElement::Kind::bytes) {
      element.index = static_cast<std::uint32_t>(grammar_.sets_.size());
      grammar_.sets_.push_back(step.set);
    }
    grammar_.elements_.push_back(element);
  }
  grammar_.elements_.push_back({});
}

/// By the usual fixpoint: a rule may be empty when all of one alternative may.
std::vector<char> GrammarBuilder::rules_that_may_be_empty() const {
  std::vector<char> empty(grammar_.rules_.size());
  const auto may_be_empty = [&](std::uint32_t at) {
    for (;; ++at) {
      const GrammarElement& element = grammar_.elements_[at];
      if (element.kind == GrammarElement::Kind::end) return true;
      if (element.kind == GrammarElement::Kind::bytes) return false;
      if (element.least > 0 && !empty[element.index]) return false;
    }
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t rule = 0; rule < empty.size(); ++rule) {
      if (empty[rule] || !std::ranges::any_of(grammar_.rules_[rule], may_be_empty)) continue;
      empty[rule] = 1;
      changed = true;
    }
  }
  return empty;
}

bool GrammarBuilder::every_rule_ends() const {
  std::vector<char> ends(grammar_.rules_.size());
  const auto comes_to_an_end = [&](std::uint32_t at) {
    for (;; ++at) {
      const GrammarElement& element = grammar_.elements_[at];
      if (element.kind == GrammarElement::Kind::end) return true;
      if (element.kind == GrammarElement::Kind::bytes) {
        if (grammar_.sets_[element.index].empty()) return false;
      } else if (element.least > 0 && !ends[element.index]) {
        return false;
      }
    }
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t rule = 0; rule < ends.size(); ++rule) {
      if (ends[rule] || !std::ranges::any_of(grammar_.rules_[rule], comes_to_an_end)) continue;
      ends[rule] = 1;
      changed = true;
    }
  }
  return std::ranges::all_of(ends, [](char end) { return end != 0; });
}

/// Looks for a circle among "this rule may begin with that one", without recursion: rules are
/// taken off once everything they may begin with is off.
bool GrammarBuilder::some_rule_begins_with_itself(const std::vector<char>& empty) const {
  const std::size_t count = grammar_.rules_.size();
  std::vector<std::vector<RuleId>> begins(count);  // by the rule that comes first
  std::vector<std::size_t> open(count);
  for (RuleId rule = 0; rule < count; ++rule) {
    for (std::uint32_t at : grammar_.rules_[rule]) {
      for (; grammar_.elements_[at].kind == GrammarElement::Kind::rule; ++at) {
        const GrammarElement& element = grammar_.elements_[at];
        begins[element.index].push_back(rule);
        ++open[rule];
        if (element.least > 0 && !empty[element.index]) break;
      }
    }
  }
  std::vector<RuleId> off;
  for (RuleId rule = 0; rule < count; ++rule) {
    if (open[rule] == 0) off.push_back(rule);
  }
  for (std::size_t i = 0; i < off.size(); ++i) {
    for (const RuleId rule : begins[off[i]]) {
      if (--open[rule] == 0) off.push_back(rule);
    }
  }
  return off.size() < count;
}

Result<void> GrammarBuilder::check() const {
  if (full()) return refused("it is too large");
  const std::vector<char> empty = rules_that_may_be_empty();
  for (const GrammarElement& element : grammar_.elements_) {
    const bool repeats = element.kind == GrammarElement::Kind::rule && element.most > 1;
    if (repeats && empty[element.index]) return refused("it repeats what may be nothing");
  }
  if (some_rule_begins_with_itself(empty)) return refused("a part of it begins with itself");
  if (!every_rule_ends()) return refused("a part of it can never be complete");
  return {};
}

Result<std::shared_ptr<const Grammar>> GrammarBuilder::finish() {
  CRATON_TRY(check());
  return std::shared_ptr<const Grammar>(std::make_shared<Grammar>(std::move(grammar_)));
}

/// One step of a matcher: finds the readings that elements lead to.
struct Matcher::Step {
  const Grammar& grammar;
  std::vector<Return>& returns;
  std::vector<Reading>& readings;
  bool& may_end;
  std::size_t work = 0;
  std::size_t nested = 0;

  // A step that has done this much has more readings than are followed.
  static constexpr std::size_t work_max = 16 * readings_max;
  static constexpr std::size_t nested_max = 1000;  // what the stack holds with ease

  std::uint32_t depth_of(std::uint32_t parent) const {
    return parent == none ? 0 : returns[parent].depth;
  }

  /// Enters `rule`; `element` with `count` goes on when it has been read.
  void enter(RuleId rule, std::uint32_t element, std::uint32_t parent, std::uint32_t count) {
    const bool last_of_its_rule = grammar.elements_[element].most == 1 &&
                                  grammar.elements_[element + 1].kind == GrammarElement::Kind::end;
    std::uint32_t back = parent;
    if (!last_of_its_rule) {  // what is last needs no way back: loops do not grow
      const std::uint32_t depth = depth_of(parent) + 1;
      if (depth > depth_max) return;
      back = static_cast<std::uint32_t>(returns.size());
      returns.push_back({element, parent, count, depth});
    }
    for (const std::uint32_t alternative : grammar.rules_[rule]) follow(alternative, back, 0);
  }

  /// Finds what may come next from `at`, a repeated rule there having been read `count` times.
  void follow(std::uint32_t at, std::uint32_t parent, std::uint32_t count) {
    if (++work > work_max || nested > nested_max) return;
    ++nested;
    look(at, parent, count);
    --nested;
  }

  void look(std::uint32_t at, std::uint32_t parent, std::uint32_t count) {
    const GrammarElement& element = grammar.elements_[at];
    switch (element.kind) {
      case GrammarElement::Kind::bytes: readings.push_back({at, parent}); return;
      case GrammarElement::Kind::end:
        if (parent == none) {
          may_end = true;
        } else {
          const Return back = returns[parent];
          follow(back.element, back.parent, back.count);
        }
        return;
      case GrammarElement::Kind::rule: break;
    }
    if (count < element.most) {
      enter(element.index, at, parent,
            element.most == Grammar::unbounded ? std::min(count + 1, element.least) : count + 1);
    }
    if (count >= element.least) follow(at + 1, parent, 0);
  }
};

Matcher::Matcher(const GrammarRoot& root) : grammar_(root.grammar) {
  Step step{*grammar_, returns_, readings_, may_end_};
  for (const std::uint32_t alternative : grammar_->rules_[root.rule])
    step.follow(alternative, none, 0);
}

void Matcher::step(unsigned char byte, std::vector<Reading>& readings, bool& may_end) const {
  may_end = false;
  if (readings.empty()) return;
  std::vector<Reading> next;
  Step step{*grammar_, returns_, next, may_end};
  for (const Reading& reading : readings) {
    if (!grammar_->sets_[grammar_->elements_[reading.element].index].has(byte)) continue;
    step.follow(reading.element + 1, reading.parent, 0);
  }
  if (next.size() > 1) {
    std::ranges::sort(next);
    next.erase(std::ranges::unique(next).begin(), next.end());
    if (next.size() > readings_max) next.resize(readings_max);
  }
  readings.swap(next);
}

bool Matcher::leads_on(std::string_view bytes, Tail tail) const {
  std::vector<Reading> readings = readings_;
  const std::size_t before = returns_.size();
  bool may_end = may_end_;
  bool ignored = false;
  for (const char byte : bytes) {
    ignored = tail == Tail::ignored && readings.empty() && may_end;
    if (ignored) break;
    step(static_cast<unsigned char>(byte), readings, may_end);
  }
  returns_.resize(before);
  return ignored || !readings.empty() || may_end;
}

bool Matcher::allows_some(std::string_view bytes) const { return leads_on(bytes, Tail::ignored); }
bool Matcher::allows(std::string_view bytes) const { return leads_on(bytes, Tail::refused); }

bool Matcher::advance(std::string_view bytes) {
  for (const char byte : bytes) step(static_cast<unsigned char>(byte), readings_, may_end_);
  if (returns_.size() > returns_max) compact();
  return !readings_.empty() || may_end_;
}

/// Keeps the returns that readings still lead to.
void Matcher::compact() {
  std::map<std::uint32_t, std::uint32_t> moved;  // ascending: a parent comes before its children
  for (const Reading& reading : readings_) {
    for (std::uint32_t at = reading.parent; at != none && !moved.contains(at);) {
      moved[at] = 0;
      at = returns_[at].parent;
    }
  }
  std::vector<Return> kept;
  for (auto& [from, to] : moved) {
    to = static_cast<std::uint32_t>(kept.size());
    Return back = returns_[from];
    if (back.parent != none) back.parent = moved.at(back.parent);
    kept.push_back(back);
  }
  for (Reading& reading : readings_) {
    if (reading.parent != none) reading.parent = moved.at(reading.parent);
  }
  returns_ = std::move(kept);
}

}  // namespace craton::engines::llama
