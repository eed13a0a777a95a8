// Files of rules, and the words of faults: whatever they hold is read or refused with a place; what
// was read can be asked.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "engines/faults/fault.h"
#include "engines/script/rule_set.h"

namespace {

using namespace craton;

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
  Conversation conversation;
  append_turn(conversation, Role::user, "hello");
  const engines::Request request{
      .operation = "Converse", .model_id = "m", .conversation = conversation};
  engines::rules::RequestView view(request);
  engines::faults::Struck struck;
  const auto engine = set->claim(view, struck);
  if (!engine) return (void)set->why_none(view);
  const auto generation = engine->generate(conversation, {});
  while ((*generation)->try_next()) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ask(text);
  (void)engines::faults::read_fault_words(text, "words");
  return 0;
}
