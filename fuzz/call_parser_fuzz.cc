// Whatever a model says: the same bytes give the same events however they are cut, nothing but
// calls of offered tools are calls, their inputs are JSON as far as they go, and where there is no
// call the text is the text.
//
// Input: one byte, the size of a piece; the bytes.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engines/llama/call_parser.h"
#include "engines/llama/json_grammar.h"

using namespace craton;
using namespace craton::engines::llama;

namespace {

std::shared_ptr<const CallPlan> made_plan() {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  const RuleId object = json.object();
  const GrammarRoot any{*builder.finish(), object};
  return std::make_shared<const CallPlan>(
      CallPlan{.tools = {{"get", any}, {"get_all", any}}, .any_input = any});
}

const std::shared_ptr<const CallPlan>& plan() {
  static const auto made = made_plan();
  return made;
}

struct Told {
  std::string text;
  std::vector<std::string> calls;
  bool half_done = false;  ///< The last call.

  friend bool operator==(const Told&, const Told&) = default;
};

Told told(std::string_view bytes, std::size_t piece) {
  CallParser parser(plan());
  std::vector<Event> events;
  for (std::size_t at = 0; at < bytes.size(); at += piece)
    parser.add(bytes.substr(at, piece), events);
  Told all{.half_done = parser.in_input()};
  parser.finish(events);
  for (const Event& event : events) {
    if (const auto* text = std::get_if<TextDelta>(&event)) all.text += text->text;
    if (const auto* start = std::get_if<ToolUseStart>(&event)) all.calls.push_back(start->name);
    if (const auto* input = std::get_if<ToolInputDelta>(&event)) all.calls.back() += input->json;
  }
  return all;
}

/// The bytes up to the first that an engine would not let through.
std::string allowed(std::string_view bytes) {
  CallParser parser(plan());
  std::vector<Event> events;
  std::string all;
  for (const char byte : bytes) {
    if (!parser.allows({&byte, 1})) break;
    parser.add({&byte, 1}, events);
    all += byte;
  }
  return all;
}

void check(const Told& all, std::string_view bytes) {
  if (all.calls.empty() && all.text != bytes) std::abort();
  for (std::size_t i = 0; i < all.calls.size(); ++i) {
    const std::string& call = all.calls[i];
    const std::size_t input = call.find('{');
    const std::string name = call.substr(0, input);
    if (name != "get" && name != "get_all") std::abort();
    const bool whole = i + 1 < all.calls.size() || !all.half_done;
    if (whole && !json::parse(call.substr(input))) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 2048) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  input.remove_prefix(1);
  const std::string bytes = allowed(input);
  const Told one_by_one = told(bytes, 1);
  check(one_by_one, bytes);
  if (told(bytes, 1 + data[0] % 16) != one_by_one) std::abort();
  if (told(bytes, bytes.size() + 1) != one_by_one) std::abort();
  return 0;
}
