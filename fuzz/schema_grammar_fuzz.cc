// Any schema is a grammar or refused; what its grammar lets through byte by byte is JSON, and what
// it says of a text it says however the text is cut.
//
// Input: a schema; 0xFF; bytes that choose among what is allowed.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "engines/llama/schema_grammar.h"

using namespace craton;
using namespace craton::engines::llama;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\xFF'), input.size());
  GrammarBuilder builder;
  JsonGrammar json(builder);
  const auto rule = add_schema(json, input.substr(0, end), SchemaRoot::any);
  if (!rule) return 0;
  const auto grammar = builder.finish();
  if (!grammar) return 0;
  Matcher matcher({*grammar, *rule});
  std::string text;
  for (std::size_t at = end + 1; at < size && !matcher.must_end(); ++at) {
    char byte = input[at];
    for (int tries = 0; tries < 256 && !matcher.allows({&byte, 1}); ++tries) ++byte;
    if (!matcher.allows({&byte, 1})) return 0;  // only past a bound of readings or depth
    matcher.advance({&byte, 1});
    text += byte;
  }
  if (matcher.may_end() && !json::parse(text)) std::abort();
  if (!Matcher({*grammar, *rule}).allows(text)) std::abort();
  return 0;
}
