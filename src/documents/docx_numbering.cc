#include "documents/docx_numbering.h"

#include <algorithm>

#include "documents/office_package.h"

namespace craton::documents {
namespace {

constexpr int level_max = 8;       // ECMA-376 has levels 0 to 8
constexpr int number_max = 32767;  // Word's own limit

/// 1 is a, 26 z, 27 aa, 28 bb.
std::string letters(int number, char first) {
  constexpr int alphabet = 26;
  return std::string(static_cast<std::size_t>((number - 1) / alphabet + 1),
                     static_cast<char>(first + (number - 1) % alphabet));
}

struct RomanDigit {
  int value;
  std::string_view text;
};

constexpr RomanDigit roman_digits[] = {
    {1000, "m"}, {900, "cm"}, {500, "d"}, {400, "cd"}, {100, "c"}, {90, "xc"}, {50, "l"},
    {40, "xl"},  {10, "x"},   {9, "ix"},  {5, "v"},    {4, "iv"},  {1, "i"}};

std::string roman(int number) {
  std::string text;
  for (const RomanDigit& digit : roman_digits) {
    for (; number >= digit.value; number -= digit.value) text += digit.text;
  }
  return text;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return static_cast<char>(c - 32); });
  return text;
}

/// `number`, from 1, as w:numFmt writes it; formats of other scripts are written as decimals.
std::string numeral(std::string_view format, int number) {
  if (number < 1) return std::to_string(number);
  if (format == "lowerLetter") return letters(number, 'a');
  if (format == "upperLetter") return letters(number, 'A');
  if (format == "lowerRoman") return roman(number);
  if (format == "upperRoman") return upper(roman(number));
  return std::to_string(number);
}

}  // namespace

std::optional<ListPlace> list_place(const pugi::xml_node& properties) {
  const pugi::xml_node node = child_of(properties, "numPr");
  if (!node) return std::nullopt;
  const std::string_view list = attribute_of(child_of(node, "numId"), "val");
  const int level = number_of(attribute_of(child_of(node, "ilvl"), "val"), 0);
  return ListPlace{list == "0" ? "" : std::string(list), std::min(level, level_max)};
}

DocxNumbering::DocxNumbering(const pugi::xml_node& numbering) {
  std::map<std::string, Levels, std::less<>> abstract;
  for (const pugi::xml_node node : numbering.children()) {
    if (local_name(node) != "abstractNum") continue;
    Levels& levels = abstract[std::string(attribute_of(node, "abstractNumId"))];
    for (const pugi::xml_node level : node.children()) {
      if (local_name(level) != "lvl") continue;
      const int depth = number_of(attribute_of(level, "ilvl"), 0);
      if (depth > level_max) continue;
      levels[depth] = {
          std::string(attribute_of(child_of(level, "numFmt"), "val")),
          std::min(number_of(attribute_of(child_of(level, "start"), "val"), 1), number_max)};
    }
  }
  for (const pugi::xml_node node : numbering.children()) {
    if (local_name(node) != "num") continue;
    const auto found = abstract.find(attribute_of(child_of(node, "abstractNumId"), "val"));
    if (found != abstract.end())
      lists_.emplace(std::string(attribute_of(node, "numId")), found->second);
  }
}

std::string DocxNumbering::next_marker(const ListPlace& place) {
  const std::string indent(2 * static_cast<std::size_t>(place.level), ' ');
  const auto list = lists_.find(place.list);
  if (list == lists_.end()) return indent + "-";
  const auto level = list->second.find(place.level);
  if (level == list->second.end() || level->second.format == "bullet") return indent + "-";
  if (level->second.format == "none") return indent;
  std::map<int, int>& counts = counts_[place.list];
  counts.erase(counts.upper_bound(place.level), counts.end());  // deeper ones begin again
  const auto [count, first] = counts.try_emplace(place.level, level->second.start);
  if (!first) count->second = std::min(count->second + 1, number_max);
  return indent + numeral(level->second.format, count->second) + ".";
}

}  // namespace craton::documents
