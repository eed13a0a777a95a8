#include "engines/llama/pattern_grammar.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace craton::engines::llama {
namespace {

constexpr int groups_deep_max = 50;
constexpr std::size_t pattern_bytes_max = 4096;

/// Which characters may stand at one place.
struct CharacterSet {
  std::bitset<128> ascii;
  bool beyond = false;                ///< Every character beyond ASCII,
  std::vector<std::string> single{};  ///< or these.

  void add_range(unsigned first, unsigned last) {
    for (unsigned c = first; c <= last; ++c) ascii.set(c);
  }
  void add(const CharacterSet& other) {
    ascii |= other.ascii;
    beyond = beyond || other.beyond;
    single.insert(single.end(), other.single.begin(), other.single.end());
  }
  CharacterSet opposite() const { return {.ascii = ~ascii, .beyond = !beyond, .single = {}}; }
};

CharacterSet all_but_line_ends() {
  CharacterSet set;
  set.ascii.set('\n').set('\r');
  return set.opposite();
}

/// \d, \w, \s; in upper case the opposite.
std::optional<CharacterSet> class_of(char letter) {
  CharacterSet set;
  switch (letter) {
    case 'd':
    case 'D': set.add_range('0', '9'); break;
    case 'w':
    case 'W':
      set.add_range('0', '9');
      set.add_range('a', 'z');
      set.add_range('A', 'Z');
      set.ascii.set('_');
      break;
    case 's':
    case 'S':
      for (const char blank : {' ', '\t', '\n', '\r', '\f', '\v'}) set.ascii.set(blank);
      break;
    default: return std::nullopt;
  }
  return letter < 'a' ? set.opposite() : set;
}

struct ShortEscape {
  char letter;
  char means;
};
constexpr ShortEscape regex_escapes[] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'},
                                         {'f', '\f'}, {'v', '\v'}, {'0', '\0'}};
constexpr ShortEscape json_escapes[] = {{'"', '"'},  {'\\', '\\'}, {'b', '\b'}, {'f', '\f'},
                                        {'n', '\n'}, {'r', '\r'},  {'t', '\t'}};

Error unsupported(std::string_view what) {
  return {ErrorCode::validation, "the keyword 'pattern' with " + std::string(what)};
}

class PatternParser {
 public:
  PatternParser(JsonGrammar& json, std::string_view pattern) : json_(json), rest_(pattern) {}

  Result<RuleId> parse() {
    CRATON_TRY_ASSIGN(const RuleId rule, alternatives(0));
    if (!rest_.empty()) return unsupported("an unmatched ')'");
    return rule;
  }

 private:
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  bool branch_ends() const { return rest_.empty() || rest_.front() == '|' || rest_.front() == ')'; }

  Result<RuleId> alternatives(int depth) {
    if (depth > groups_deep_max) return unsupported("groups nested this deep");
    const RuleId rule = json_.builder().rule();
    do {
      CRATON_TRY_ASSIGN(const Sequence branch, one_branch(depth));
      json_.builder().add(rule, branch);
    } while (take("|"));
    return rule;
  }

  Result<Sequence> one_branch(int depth) {
    Sequence branch;
    const auto anything = [&] { branch.repeated(json_.character(), 0, Grammar::unbounded); };
    if (depth == 0 && !take("^")) anything();
    bool closed = depth > 0;
    while (!branch_ends()) {
      if (depth == 0 && take("$")) {
        if (!branch_ends()) return unsupported("'$' in the middle");
        closed = true;
        break;
      }
      CRATON_TRY_ASSIGN(const RuleId atom, one_atom(depth));
      CRATON_TRY(repeat(atom, branch));
    }
    if (!closed) anything();
    return branch;
  }

  Result<RuleId> one_atom(int depth) {
    const char first = rest_.front();
    if (first == '(') return group(depth);
    CRATON_TRY_ASSIGN(const CharacterSet set, character_set());
    return rule_of(set);
  }

  Result<RuleId> group(int depth) {
    rest_.remove_prefix(1);
    if (rest_.starts_with("?") && !take("?:")) return unsupported("'(?'");
    CRATON_TRY_ASSIGN(const RuleId inside, alternatives(depth + 1));
    if (!take(")")) return unsupported("an unmatched '('");
    return inside;
  }

  Result<CharacterSet> character_set() {
    if (take(".")) return all_but_line_ends();
    if (take("[")) return bracket();
    if (std::string_view("*+?{}^$])").find(rest_.front()) != std::string_view::npos) {
      return unsupported("'" + std::string(1, rest_.front()) + "' where it stands");
    }
    return one_character();
  }

  /// One character, or a class such as \d.
  Result<CharacterSet> one_character() {
    CharacterSet set;
    if (rest_.front() != '\\') {
      const std::size_t size = std::max<std::size_t>(1, first_characters(rest_, 4).size());
      std::size_t end = 1;
      while (end < size && !begins_character(rest_[end])) ++end;
      const std::string_view character = rest_.substr(0, end);
      rest_.remove_prefix(end);
      if (end > 1) {
        set.single.emplace_back(character);
      } else {
        set.ascii.set(static_cast<unsigned char>(character[0]) % 128);
      }
      return set;
    }
    if (rest_.size() < 2) return unsupported("a lone '\\'");
    const char letter = rest_[1];
    rest_.remove_prefix(2);
    if (const auto known = class_of(letter)) return *known;
    for (const ShortEscape& row : regex_escapes) {
      if (row.letter != letter) continue;
      set.ascii.set(static_cast<unsigned char>(row.means));
      return set;
    }
    const bool plain = static_cast<unsigned char>(letter) < 128 && !std::isalnum(letter);
    if (!plain)
      return unsupported("'\\" + std::string(begins_character(letter) ? 1 : 0, letter) + "'");
    set.ascii.set(static_cast<unsigned char>(letter));
    return set;
  }

  Result<CharacterSet> bracket() {
    const bool negated = take("^");
    CharacterSet all;
    bool first = true;
    while (first || !take("]")) {
      first = false;
      if (rest_.empty()) return unsupported("an unmatched '['");
      CRATON_TRY_ASSIGN(CharacterSet one, one_character());
      const bool range = rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']';
      if (range) {
        rest_.remove_prefix(1);
        CRATON_TRY_ASSIGN(const CharacterSet last, one_character());
        CRATON_TRY_ASSIGN(one, range_of(one, last));
      }
      all.add(one);
    }
    if (!negated) return all;
    if (!all.single.empty()) return unsupported("a negated class of characters beyond ASCII");
    return all.opposite();
  }

  static Result<CharacterSet> range_of(const CharacterSet& first, const CharacterSet& last) {
    const auto only = [](const CharacterSet& set) -> std::optional<unsigned> {
      if (set.ascii.count() != 1 || set.beyond || !set.single.empty()) return std::nullopt;
      unsigned c = 0;
      while (!set.ascii.test(c)) ++c;
      return c;
    };
    const auto from = only(first);
    const auto to = only(last);
    if (!from || !to || *from > *to) return unsupported("this range of a class");
    CharacterSet set;
    set.add_range(*from, *to);
    return set;
  }

  Result<void> repeat(RuleId atom, Sequence& branch) {
    std::uint32_t least = 1;
    std::uint32_t most = 1;
    if (take("*")) {
      least = 0;
      most = Grammar::unbounded;
    } else if (take("+")) {
      most = Grammar::unbounded;
    } else if (take("?")) {
      least = 0;
    } else if (take("{")) {
      CRATON_TRY(bounds(least, most));
    } else {
      branch.rule(atom);
      return {};
    }
    take("?");
    if (rest_.starts_with("*") || rest_.starts_with("+") || rest_.starts_with("{")) {
      return unsupported("a repeated repetition");
    }
    branch.repeated(atom, least, most);
    return {};
  }

  Result<void> bounds(std::uint32_t& least, std::uint32_t& most) {
    const auto number = [&](std::uint32_t& into) {
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), into);
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      return error == std::errc();
    };
    if (!number(least)) return unsupported("such bounds of a repetition");
    most = least;
    if (take(",")) {
      most = Grammar::unbounded;
      if (!rest_.starts_with("}") && !number(most)) {
        return unsupported("such bounds of a repetition");
      }
    }
    if (!take("}") || least > most) return unsupported("such bounds of a repetition");
    return {};
  }

  /// How JSON writes the characters of `set` in a string.
  RuleId rule_of(const CharacterSet& set) {
    GrammarBuilder& builder = json_.builder();
    const RuleId rule = builder.rule();
    ByteSet plain;
    for (unsigned c = 0; c < 128; ++c) {
      if (!set.ascii.test(c)) continue;
      const auto* row = std::ranges::find(json_escapes, static_cast<char>(c), &ShortEscape::means);
      if (row != std::end(json_escapes)) {
        builder.add(rule, Sequence().literal("\\").literal({&row->letter, 1}));
      } else if (c >= 0x20 && c < 0x7F) {
        plain.add(static_cast<unsigned char>(c));
      }
    }
    if (!plain.empty()) builder.add(rule, Sequence().bytes(plain));
    if (set.beyond) builder.add(rule, Sequence().rule(json_.beyond_ascii()));
    for (const std::string& character : set.single) {
      builder.add(rule, Sequence().literal(character));
    }
    return rule;
  }

  JsonGrammar& json_;
  std::string_view rest_;
};

}  // namespace

Result<RuleId> add_pattern(JsonGrammar& json, std::string_view pattern) {
  if (pattern.size() > pattern_bytes_max) return unsupported("so long a text");
  return PatternParser(json, pattern).parse();
}

}  // namespace craton::engines::llama
