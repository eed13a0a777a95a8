#include "api/pattern.h"

#include <re2/re2.h>

#include <cassert>
#include <memory>
#include <mutex>
#include <vector>

#include "api/tables.h"

namespace craton::api {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(2 << 20);  // bytes an expression; the largest needs about 300 KB
  return options;
}

class Expressions {
 public:
  Expressions() : slots_(patterns().size()) {}

  const RE2& get(int pattern) {
    Slot& slot = slots_[static_cast<std::size_t>(pattern)];
    std::call_once(slot.once, [&] {
      const std::string_view expression = patterns()[static_cast<std::size_t>(pattern)].expression;
      slot.compiled = std::make_unique<RE2>(piece(expression), options());
    });
    return *slot.compiled;
  }

 private:
  struct Slot {
    std::once_flag once;
    std::unique_ptr<RE2> compiled;
  };
  std::vector<Slot> slots_;
};

}  // namespace

bool matches_pattern(int pattern, std::string_view text) {
  static Expressions expressions;
  const RE2& compiled = expressions.get(pattern);
  assert(compiled.ok() && "every row of patterns() compiles: tables_test.cc");
  return RE2::FullMatch(piece(text), compiled);
}

}  // namespace craton::api
