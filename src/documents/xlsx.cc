#include "documents/xlsx.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>
#include <vector>

#include "base/utf8.h"
#include "documents/office_package.h"
#include "documents/problems.h"
#include "documents/text_writer.h"
#include "documents/xlsx_dates.h"

namespace craton::documents {
namespace {

constexpr int columns_max = 16384;  // Excel's limit

/// What cells refer to.
struct Workbook {
  std::vector<std::string> strings;    ///< The shared ones.
  std::vector<DateParts> cell_styles;  ///< What each shows of a number.
  bool from_1904 = false;
};

/// The text of a shared or inline string: of its runs, without the readings of its characters.
std::string string_text(const pugi::xml_node& item) {
  std::string text;
  for (const pugi::xml_node child : item.children()) {
    const std::string_view name = local_name(child);
    if (name == "t") text += child.text().get();
    if (name == "r") text += child_of(child, "t").text().get();
  }
  return text;
}

std::vector<std::string> shared_strings(const pugi::xml_node& root) {
  std::vector<std::string> strings;
  for (const pugi::xml_node node : root.children()) {
    if (local_name(node) == "si") strings.push_back(string_text(node));
  }
  return strings;
}

std::vector<DateParts> cell_styles(const pugi::xml_node& root) {
  std::map<int, DateParts> formats;
  for (const pugi::xml_node node : child_of(root, "numFmts").children()) {
    formats.emplace(number_of(attribute_of(node, "numFmtId"), 0),
                    date_parts_of(attribute_of(node, "formatCode")));
  }
  std::vector<DateParts> styles;
  for (const pugi::xml_node node : child_of(root, "cellXfs").children()) {
    const int id = number_of(attribute_of(node, "numFmtId"), 0);
    const auto own = formats.find(id);
    styles.push_back(own == formats.end() ? date_parts_of_builtin(id) : own->second);
  }
  return styles;
}

/// 1 for "A7", 27 for "AA3"; 0 when there are no letters, or too many.
int column_of(std::string_view reference) {
  int column = 0;
  for (const char c : reference) {
    if (c < 'A' || c > 'Z') break;
    column = column * 26 + (c - 'A' + 1);
    if (column > columns_max) return 0;
  }
  return column;
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A number, as it is stored or as the date that it shows as.
std::string number_text(std::string_view value, const pugi::xml_node& cell,
                        const Workbook& workbook) {
  const auto style = static_cast<std::size_t>(number_of(attribute_of(cell, "s"), 0));
  const auto number = number_in(value);
  if (number && style < workbook.cell_styles.size()) {
    const auto date = date_text(*number, workbook.cell_styles[style], workbook.from_1904);
    if (date) return *date;
  }
  return std::string(value);
}

std::string shared_text(std::string_view value, const pugi::xml_node&, const Workbook& workbook) {
  const auto index = static_cast<std::size_t>(number_of(value, 0));
  return index < workbook.strings.size() ? workbook.strings[index] : "";
}

std::string boolean_text(std::string_view value, const pugi::xml_node&, const Workbook&) {
  return value == "1" || value == "true" ? "TRUE" : "FALSE";
}

std::string plain_text(std::string_view value, const pugi::xml_node&, const Workbook&) {
  return std::string(value);
}

struct CellType {
  std::string_view name;
  std::string (*text)(std::string_view value, const pugi::xml_node& cell, const Workbook&);
};

// Source: ECMA-376, part 1, 18.18.11 (ST_CellType).
constexpr CellType cell_types[] = {
    {"", number_text},   {"n", number_text}, {"s", shared_text}, {"b", boolean_text},
    {"str", plain_text}, {"e", plain_text},  {"d", plain_text},
};

std::string cell_text(const pugi::xml_node& cell, const Workbook& workbook) {
  const std::string_view type = attribute_of(cell, "t");
  if (type == "inlineStr") return string_text(child_of(cell, "is"));
  const std::string_view value = child_of(cell, "v").text().get();
  const pugi::xml_node formula = child_of(cell, "f");
  if (value.empty()) return formula.text() ? std::string("=") + formula.text().get() : "";
  const auto known = std::ranges::find(cell_types, type, &CellType::name);
  return known == std::end(cell_types) ? "" : known->text(value, cell, workbook);
}

/// Writes the rows of one sheet.
class SheetWriter {
 public:
  SheetWriter(const Workbook& workbook, TextWriter& writer)
      : workbook_(workbook), writer_(writer) {}

  void rows(const pugi::xml_node& sheet) {
    for (const pugi::xml_node row : child_of(sheet, "sheetData").children()) {
      if (writer_.full()) return;
      if (local_name(row) == "row") cells(row);
    }
  }

 private:
  void cells(const pugi::xml_node& row);

  const Workbook& workbook_;
  TextWriter& writer_;
};

/// Cells that are empty may be left out of a row: the others say which column they are in.
void SheetWriter::cells(const pugi::xml_node& row) {
  writer_.begin_row();
  int column = 0;
  for (const pugi::xml_node cell : row.children()) {
    if (writer_.full()) return;
    if (local_name(cell) != "c") continue;
    const int named = column_of(attribute_of(cell, "r"));
    for (const int next = std::max(named, column + 1); column < next; ++column)
      writer_.begin_cell();
    writer_.flowing(cell_text(cell, workbook_));
  }
  writer_.end_row();
}

/// Everything that cells refer to; parts that a workbook leaves out stay empty.
Result<Workbook> read_workbook(OfficePackage& package, const pugi::xml_node& root,
                               const std::vector<Relationship>& relationships) {
  Workbook workbook;
  const std::string_view date1904 = attribute_of(child_of(root, "workbookPr"), "date1904");
  workbook.from_1904 = date1904 == "1" || date1904 == "true";
  if (const Relationship* strings = find_type(relationships, "sharedStrings")) {
    CRATON_TRY_ASSIGN(const auto part, package.xml(strings->target));
    workbook.strings = shared_strings(part->root());
  }
  if (const Relationship* styles = find_type(relationships, "styles")) {
    CRATON_TRY_ASSIGN(const auto part, package.xml(styles->target));
    workbook.cell_styles = cell_styles(part->root());
  }
  return workbook;
}

/// The parts of worksheets, by the id of their relationship: not those of charts.
std::unordered_map<std::string, std::string> worksheets(
    const std::vector<Relationship>& relationships) {
  std::unordered_map<std::string, std::string> parts;
  for (const Relationship& relationship : relationships) {
    if (relationship.type == "worksheet") parts.emplace(relationship.id, relationship.target);
  }
  return parts;
}

}  // namespace

Result<std::string> xlsx_text(std::string_view bytes, const DocumentLimits& limits) {
  CRATON_TRY_ASSIGN(OfficePackage package, OfficePackage::open("xlsx", bytes, limits));
  CRATON_TRY_ASSIGN(const std::string main, package.main_part());
  CRATON_TRY_ASSIGN(const auto relationships, package.relationships_of(main));
  CRATON_TRY_ASSIGN(const auto document, package.xml(main));
  const pugi::xml_node sheets = child_of(document->root(), "sheets");
  if (!sheets) return package.wrong_kind(document->root());
  CRATON_TRY_ASSIGN(const Workbook workbook,
                    read_workbook(package, document->root(), relationships));
  const auto parts = worksheets(relationships);
  TextWriter writer(limits.text_bytes_max);
  for (const pugi::xml_node node : sheets.children()) {
    const auto part = parts.find(std::string(attribute_of(node, "id")));
    if (part == parts.end()) continue;
    CRATON_TRY_ASSIGN(const auto sheet, package.xml(part->second));
    writer.blank_line();
    writer.flowing("Sheet: " + std::string(attribute_of(node, "name")));
    SheetWriter(workbook, writer).rows(sheet->root());
    if (writer.full()) return too_much_text("xlsx", limits);
  }
  return mended_utf8(writer.take());
}

}  // namespace craton::documents
