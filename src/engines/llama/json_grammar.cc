#include "engines/llama/json_grammar.h"

#include <utility>

namespace craton::engines::llama {
namespace {

constexpr std::uint32_t indent_max = 20;  // so that a model cannot answer with blanks for ever
constexpr std::uint32_t digits_max = 16;  // what a double holds
constexpr std::uint32_t exponent_digits_max = 2;

constexpr ByteSet digits = ByteSet::range('0', '9');
constexpr ByteSet hex_digits = digits | ByteSet::range('a', 'f') | ByteSet::range('A', 'F');
constexpr ByteSet following = ByteSet::range(0x80, 0xBF);

/// ASCII without control characters, quote and backslash.
constexpr ByteSet plain() {
  ByteSet set = ByteSet::range(0x20, 0x7E);
  set.remove('"');
  set.remove('\\');
  return set;
}

}  // namespace

JsonGrammar::JsonGrammar(GrammarBuilder& builder) : builder_(builder) {}

template <class Make>
RuleId JsonGrammar::once(std::string_view name, int level, Make make) {
  const auto [at, is_new] = rules_.try_emplace({name, level}, 0);
  if (!is_new) return at->second;
  const RuleId rule = builder_.rule();
  at->second = rule;
  make(rule);
  return rule;
}

RuleId JsonGrammar::space() {
  return once("space", 0, [&](RuleId rule) {
    const RuleId indent = builder_.rule(Sequence().bytes(ByteSet::of(" \t")));
    builder_.add(rule, Sequence());
    builder_.add(rule, Sequence().literal(" "));
    builder_.add(rule, Sequence().literal("\n").repeated(indent, 0, indent_max));
  });
}

RuleId JsonGrammar::digit() {
  return once("digit", 0, [&](RuleId rule) { builder_.add(rule, Sequence().bytes(digits)); });
}

RuleId JsonGrammar::hex() {
  return once("hex", 0, [&](RuleId rule) { builder_.add(rule, Sequence().bytes(hex_digits)); });
}

/// Source: the table of well-formed byte sequences in The Unicode Standard, 3.9.
RuleId JsonGrammar::beyond_ascii() {
  return once("beyond", 0, [&](RuleId rule) {
    struct Row {
      ByteSet first, second;
      int more;
    };
    const Row rows[] = {
        {ByteSet::range(0xC2, 0xDF), following, 0},
        {ByteSet::range(0xE0, 0xE0), ByteSet::range(0xA0, 0xBF), 1},
        {ByteSet::range(0xE1, 0xEC) | ByteSet::range(0xEE, 0xEF), following, 1},
        {ByteSet::range(0xED, 0xED), ByteSet::range(0x80, 0x9F), 1},
        {ByteSet::range(0xF0, 0xF0), ByteSet::range(0x90, 0xBF), 2},
        {ByteSet::range(0xF1, 0xF3), following, 2},
        {ByteSet::range(0xF4, 0xF4), ByteSet::range(0x80, 0x8F), 2},
    };
    for (const Row& row : rows) {
      Sequence character;
      character.bytes(row.first).bytes(row.second);
      for (int i = 0; i < row.more; ++i) character.bytes(following);
      builder_.add(rule, character);
    }
  });
}

RuleId JsonGrammar::escaped() {
  return once("escaped", 0, [&](RuleId rule) {
    const RuleId any = hex();
    builder_.add(rule, Sequence().literal("\\").bytes(ByteSet::of("\"\\/bfnrt")));
    // \uXXXX outside the surrogates, and a pair of them: one character either way.
    ByteSet but_d = hex_digits;
    but_d.remove('d');
    but_d.remove('D');
    builder_.add(rule, Sequence().literal("\\u").bytes(but_d).repeated(any, 3, 3));
    builder_.add(rule, Sequence()
                           .literal("\\u")
                           .bytes(ByteSet::of("dD"))
                           .bytes(ByteSet::range('0', '7'))
                           .repeated(any, 2, 2));
    builder_.add(rule, Sequence()
                           .literal("\\u")
                           .bytes(ByteSet::of("dD"))
                           .bytes(ByteSet::of("89abAB"))
                           .repeated(any, 2, 2)
                           .literal("\\u")
                           .bytes(ByteSet::of("dD"))
                           .bytes(ByteSet::of("cdefCDEF"))
                           .repeated(any, 2, 2));
  });
}

RuleId JsonGrammar::character() {
  return once("character", 0, [&](RuleId rule) {
    builder_.add(rule, Sequence().bytes(plain()));
    builder_.add(rule, Sequence().rule(beyond_ascii()));
    builder_.add(rule, Sequence().rule(escaped()));
  });
}

RuleId JsonGrammar::string() {
  return once("string", 0, [&](RuleId rule) {
    builder_.add(
        rule, Sequence().literal("\"").repeated(character(), 0, Grammar::unbounded).literal("\""));
  });
}

RuleId JsonGrammar::integer() {
  return once("integer", 0, [&](RuleId rule) {
    const RuleId minus = builder_.rule(Sequence().literal("-"));
    builder_.add(rule, Sequence().optional(minus).literal("0"));
    builder_.add(rule, Sequence()
                           .optional(minus)
                           .bytes(ByteSet::range('1', '9'))
                           .repeated(digit(), 0, digits_max - 1));
  });
}

RuleId JsonGrammar::number() {
  return once("number", 0, [&](RuleId rule) {
    const RuleId fraction = builder_.rule(Sequence().literal(".").repeated(digit(), 1, digits_max));
    const RuleId sign = builder_.rule(Sequence().bytes(ByteSet::of("+-")));
    const RuleId exponent = builder_.rule(Sequence()
                                              .bytes(ByteSet::of("eE"))
                                              .optional(sign)
                                              .repeated(digit(), 1, exponent_digits_max));
    builder_.add(rule, Sequence().rule(integer()).optional(fraction).optional(exponent));
  });
}

/// `open`, any number of `item`s with commas between them, `close`.
RuleId JsonGrammar::list(char open, RuleId item, char close) {
  const RuleId more = builder_.rule(Sequence().literal(",").rule(space()).rule(item));
  const RuleId items =
      builder_.rule(Sequence().rule(item).repeated(more, 0, Grammar::unbounded).rule(space()));
  return builder_.rule(
      Sequence().literal({&open, 1}).rule(space()).optional(items).literal({&close, 1}));
}

RuleId JsonGrammar::object(int levels) {
  return once("object", levels, [&](RuleId rule) {
    const RuleId member =
        builder_.rule(Sequence().rule(string()).literal(":").rule(space()).rule(value(levels - 1)));
    builder_.add(rule, Sequence().rule(list('{', member, '}')));
  });
}

RuleId JsonGrammar::array(int levels) {
  return once("array", levels, [&](RuleId rule) {
    builder_.add(rule, Sequence().rule(list('[', value(levels - 1), ']')));
  });
}

RuleId JsonGrammar::value(int levels) {
  return once("value", levels, [&](RuleId rule) {
    builder_.add(rule, Sequence().rule(string()));
    builder_.add(rule, Sequence().rule(number()));
    for (const char* word : {"true", "false", "null"}) {
      builder_.add(rule, Sequence().literal(word));
    }
    if (levels <= 0) return;
    builder_.add(rule, Sequence().rule(object(levels)));
    builder_.add(rule, Sequence().rule(array(levels)));
  });
}

}  // namespace craton::engines::llama
