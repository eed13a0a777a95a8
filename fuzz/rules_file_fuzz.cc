// Files of rules, and the words of faults: whatever they hold is read or refused with a place; what
// was read can be asked.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engines/faults/fault.h"
#include "engines/script/rule_set.h"

namespace {

using namespace craton;

std::shared_ptr<engines::Engine> claim(engines::script::RuleSet& set, engines::Wanted wanted) {
  Conversation conversation;
  append_turn(conversation, Role::user, "hello");
  const engines::NativeCall native{R"({"inputText":"hello"})", ""};
  const engines::Request request{.operation = "Converse",
                                 .model_id = "m",
                                 .conversation = conversation,
                                 .wanted = wanted,
                                 .native = wanted == engines::Wanted::text ? nullptr : &native};
  engines::rules::RequestView view(request);
  engines::faults::Struck struck;
  auto engine = set.claim(view, struck);
  if (!engine) (void)set.why_none(view);
  return engine;
}

void converse(engines::script::RuleSet& set) {
  const auto engine = claim(set, engines::Wanted::text);
  if (!engine) return;
  const auto generation = engine->generate({}, {});
  while ((*generation)->try_next()) {
  }
}

/// What is declared has the size that is asked for, or is refused.
void embed(engines::script::RuleSet& set, EmbeddingTask task) {
  const bool ranks = task == EmbeddingTask::rank;
  const auto engine = claim(set, ranks ? engines::Wanted::ranking : engines::Wanted::embeddings);
  if (!engine) return;
  EmbeddingRequest request{
      .items = {{.text = "hello"}, {.text = "granite"}}, .task = task, .dimension = ranks ? 0 : 8};
  const auto begun = engine->embed(request, {});
  if (!begun) return;
  const auto made = (*begun)->take();
  if (!made || !*made) std::abort();
  if ((*made)->vectors.size() != ((*made)->scores ? 1u : 2u)) std::abort();
  if (ranks) return;
  for (const EmbeddingVector& vector : (*made)->vectors) {
    if (vector.values.size() != 8) std::abort();
  }
}

void ask(std::string_view text) {
  auto file = engines::script::parse_rules(text, {"rules.yaml", {}});
  if (!file) {
    if (!file.error().message.starts_with("rules.yaml:")) std::abort();
    return;
  }
  for (auto& rule : file->rules) {
    for (auto& answer : rule.answers) answer.pacing = {};
  }
  const auto set = std::make_shared<engines::script::RuleSet>(std::move(*file));
  converse(*set);
  embed(*set, EmbeddingTask::embed);
  embed(*set, EmbeddingTask::rank);
  (void)claim(*set, engines::Wanted::drawings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ask(text);
  (void)engines::faults::read_fault_words(text, "words");
  return 0;
}
