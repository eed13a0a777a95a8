// The markers of list items in a Word document: "-", "3.", "b.".
//
//   paragraph (or its style) ──numId, ilvl──► num ──► abstractNum ──► level: format, first number
//
// Source: ECMA-376, part 1, 17.9. No I/O, no globals.
#pragma once

#include <map>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace craton::documents {

/// Which list a paragraph is in, and how deep.
struct ListPlace {
  std::string list;  ///< numId
  int level = 0;
};

/// What the properties of a paragraph or style (w:pPr) say of lists; nullopt when nothing. An empty
/// `list` says that it is in none, whatever its style says.
std::optional<ListPlace> list_place(const pugi::xml_node& properties);

class DocxNumbering {
 public:
  DocxNumbering() = default;

  /// `numbering`: the root of numbering.xml.
  explicit DocxNumbering(const pugi::xml_node& numbering);

  /// The marker of the next item at `place`, indented by its level.
  std::string next_marker(const ListPlace& place);

 private:
  struct Level {
    std::string format = "bullet";  ///< w:numFmt
    int start = 1;
  };
  using Levels = std::map<int, Level>;

  std::map<std::string, Levels, std::less<>> lists_;  ///< By numId.
  std::map<std::string, std::map<int, int>, std::less<>> counts_;
};

}  // namespace craton::documents
