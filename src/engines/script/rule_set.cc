#include "engines/script/rule_set.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "engines/canvas/canvas_engine.h"
#include "engines/script/late.h"
#include "engines/script/performance.h"
#include "engines/script/tokens.h"

namespace craton::engines::script {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

FilledBlock filled(const SaidBlock& block, const rules::Facts& facts) {
  using Kind = FilledBlock::Kind;
  return std::visit(
      Overloaded{
          [&](const SaidText& said) { return FilledBlock{Kind::text, said.text.fill(facts), {}}; },
          [&](const SaidJson& said) { return FilledBlock{Kind::text, said.json.fill(facts), {}}; },
          [&](const ThoughtText& thought) {
            return FilledBlock{Kind::reasoning, thought.text.fill(facts), {}};
          },
          [&](const ToolCall& call) {
            return FilledBlock{Kind::tool_call, call.input.fill(facts), call.name, call.id};
          }},
      block);
}

bool counts_tokens(const Request& request) {
  return request.operation == "CountTokens" || request.operation == "anthropic.count_tokens";
}

Usage usage_of(const DeclaredUsage& declared, const Conversation& conversation) {
  Usage usage;
  usage.cache_read_tokens = declared.cache_read_tokens.value_or(0);
  usage.cache_write_tokens = declared.cache_write_tokens.value_or(0);
  usage.output_tokens = declared.output_tokens.value_or(0);
  usage.input_tokens = declared.input_tokens ? *declared.input_tokens : count_tokens(conversation);
  return usage;
}

/// Gives one answer, as often as the request wants it.
class RuleEngine : public Engine {
 public:
  RuleEngine(std::shared_ptr<RuleSet> rules, std::string name)
      : rules_(std::move(rules)), name_(std::move(name)) {}

  std::string_view kind() const override { return "script"; }
  std::string_view model() const override { return name_; }
  Status status() const override { return {State::ready, {}}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Capabilities capabilities() const override {
    return {.images = true, .reasoning = true, .embeddings = true, .drawings = true};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation conversation,
                                               const Limits& limits) override {
    if (!declared_) return Error{ErrorCode::model_error, "Only tokens are counted here."};
    FilledAnswer answer{.content = content_,
                        .stop_reason = declared_->stop_reason,
                        .stop_sequence = declared_->stop_sequence,
                        .usage = usage_of(declared_->usage, conversation),
                        .output_declared = declared_->usage.output_tokens.has_value(),
                        .pacing = declared_->pacing,
                        .streamed = streamed_};
    return Performance::begin(std::make_unique<AnswerReader>(std::move(answer)), limits.deadline,
                              rules_->pacer());
  }

  Result<int> count_tokens(const Conversation& conversation) override {
    if (declared_) return usage_of(declared_->usage, conversation).input_tokens;
    return script::count_tokens(conversation);
  }

  Result<std::shared_ptr<Embedding>> embed(EmbeddingRequest request,
                                           const Limits& limits) override {
    const bool scores = request.task == EmbeddingTask::rank && declared_ && declared_->scores;
    if (!scores && !(declared_ && declared_->vectors)) return Engine::embed({}, limits);
    Result<Embeddings> made = scores ? scores_for(*declared_->scores, request)
                                     : vectors_for(*declared_->vectors, request);
    if (!made) return told(made.error());
    count_declared(*made);
    return given_late<Embeddings>(std::move(*made), times(limits), rules_->pacer());
  }

  Result<std::shared_ptr<Drawing>> draw(DrawingRequest request, const Limits& limits) override {
    if (!declared_ || !declared_->pictures) return Engine::draw({}, limits);
    if (declared_->pictures->drawn) return drawn_by_canvas(std::move(request), limits);
    Result<Drawings> made = pictures_for(*declared_->pictures, request);
    if (!made) return told(made.error());
    return given_late<Drawings>(std::move(*made), times(limits), rules_->pacer());
  }

  void declare(const DeclaredAnswer& answer, const rules::Facts& facts) {
    declared_ = &answer;
    streamed_ = facts.request.request().streamed;
    for (const SaidBlock& block : answer.content) content_.push_back(filled(block, facts));
  }

 private:
  /// What is wrong with the rule, for whoever wrote it.
  Error told(const Error& error) const { return {error.code, name_ + ": " + error.message}; }

  /// `usage` says how many tokens all items have together.
  void count_declared(Embeddings& made) const {
    if (!declared_->usage.input_tokens) return;
    for (EmbeddingVector& vector : made.vectors) vector.tokens = 0;
    made.vectors.front().tokens = *declared_->usage.input_tokens;
  }

  /// What is no text comes whole, when a first token would.
  LateTimes times(const Limits& limits) const {
    return {first_token_time(declared_->pacing), limits.deadline};
  }

  /// Drawn at once, and given when its time comes.
  Result<std::shared_ptr<Drawing>> drawn_by_canvas(DrawingRequest request, const Limits& limits) {
    const auto late = std::make_shared<Late<Drawings>>(times(limits), rules_->pacer());
    CRATON_TRY_ASSIGN(const std::shared_ptr<Drawing> drawing,
                      rules_->canvas().draw(std::move(request), limits));
    std::shared_ptr<Drawing> pending = late->pending([drawing] { drawing->cancel(); });
    drawing->notify([late, drawing] { late->put(*drawing->take()); });
    return pending;
  }

  const std::shared_ptr<RuleSet> rules_;  // whose answer it is
  const std::string name_;
  const DeclaredAnswer* declared_ = nullptr;
  std::vector<FilledBlock> content_;
  bool streamed_ = false;
};

}  // namespace

RuleSet::RuleSet(RulesFile file)
    : file_(std::move(file)), counts_(file_.rules.size()), faults_(file_.faults) {
  const auto drawn = [](const DeclaredAnswer& answer) {
    return answer.pictures && answer.pictures->drawn;
  };
  for (const Rule& rule : file_.rules) {
    if (std::ranges::any_of(rule.answers, drawn)) canvas_ = canvas::make_canvas_engine();
  }
}

const DeclaredAnswer* RuleSet::choose(const Rule& rule, Counts& counts, std::int64_t call,
                                      bool counting) {
  if (const auto& calls = rule.match.calls()) {
    if (call < calls->first || call > calls->last) return nullptr;
  }
  const auto size = static_cast<std::int64_t>(rule.answers.size());
  const std::int64_t before = counting ? counts.answered.load() : counts.answered.fetch_add(1);
  std::int64_t index = before;
  switch (rule.afterwards) {
    case Afterwards::repeat: index = std::min(index, size - 1); break;
    case Afterwards::loop: index %= size; break;
    case Afterwards::pass: break;
  }
  return index < size ? &rule.answers[static_cast<std::size_t>(index)] : nullptr;
}

std::shared_ptr<Engine> RuleSet::claim(rules::RequestView& request, faults::Struck& struck) {
  faults_.draw(request, struck);
  const bool counting = counts_tokens(request.request());
  std::shared_ptr<RuleEngine> engine;
  for (std::size_t i = 0; i < file_.rules.size(); ++i) {
    const Rule& rule = file_.rules[i];
    // A rule for the n-th call counts those too that a rule before it answers.
    if (engine && !rule.match.calls()) continue;
    if (!rule.gives.has(request.request().wanted)) continue;
    rules::Groups groups;
    if (!rule.match.fits(request, &groups)) continue;
    Counts& counts = counts_[i];
    const std::int64_t call =
        counting ? counts.matched.load() + 1 : counts.matched.fetch_add(1) + 1;
    if (engine) continue;
    const DeclaredAnswer* answer = choose(rule, counts, call, counting);
    if (!answer) continue;
    engine = std::make_shared<RuleEngine>(shared_from_this(), file_.name + "#" + rule.name);
    const int shown =
        static_cast<int>(std::min<std::int64_t>(call, std::numeric_limits<int>::max()));
    engine->declare(*answer, {request, groups, shown});
    if (counting) continue;
    for (const auto& fault : answer->faults) {
      if (faults::applies(*fault, request.request())) struck.push_back(fault);
    }
  }
  return engine;
}

std::shared_ptr<Engine> RuleSet::counter() {
  return std::make_shared<RuleEngine>(shared_from_this(), file_.name);
}

bool RuleSet::has_rules_for(Wanted wanted) const {
  return std::ranges::any_of(file_.rules,
                             [wanted](const Rule& rule) { return rule.gives.has(wanted); });
}

std::string RuleSet::why_none(rules::RequestView& request) const {
  const Rule* nearest = nullptr;
  rules::Matcher::Nearness best;
  for (const Rule& rule : file_.rules) {
    if (!rule.gives.has(request.request().wanted)) continue;
    rules::Matcher::Nearness one = rule.match.nearness(request);
    if (nearest && one.held <= best.held) continue;
    nearest = &rule;
    best = std::move(one);
  }
  std::string text = file_.name + " has no rule for this request";
  if (!nearest) return text + ".";
  text += "; the nearest is '" + nearest->name + "' (line " + std::to_string(nearest->line) + "), ";
  if (best.failed.empty()) return text + "which fits, but not for this call.";
  return text + "which does not fit: " + best.failed + ".";
}

void RuleSet::reset() {
  for (Counts& counts : counts_) {
    counts.matched = 0;
    counts.answered = 0;
  }
  faults_.reset();
}

}  // namespace craton::engines::script
