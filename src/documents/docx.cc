#include "documents/docx.h"

#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "documents/docx_numbering.h"
#include "documents/office_package.h"
#include "documents/problems.h"
#include "documents/text_writer.h"

namespace craton::documents {
namespace {

/// What of a paragraph's style matters here.
struct Style {
  std::string based_on;
  bool heading = false;
  std::optional<ListPlace> list;
};
using Styles = std::map<std::string, Style, std::less<>>;

/// Styles are named in English whatever the language of the program: "heading 1", "Title".
bool is_heading(const pugi::xml_node& style) {
  std::string name(attribute_of(child_of(style, "name"), "val"));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return name.starts_with("heading") || name == "title" ||
         child_of(child_of(style, "pPr"), "outlineLvl");
}

Styles styles_in(const pugi::xml_node& root) {
  Styles styles;
  for (const pugi::xml_node node : root.children()) {
    if (local_name(node) != "style") continue;
    styles.emplace(std::string(attribute_of(node, "styleId")),
                   Style{.based_on = std::string(attribute_of(child_of(node, "basedOn"), "val")),
                         .heading = is_heading(node),
                         .list = list_place(child_of(node, "pPr"))});
  }
  return styles;
}

enum class Effect {
  paragraph,
  table,
  row,
  cell,
  text,
  tab,
  line_break,
  hyphen,
  footnote,
  endnote,
  skipped,
};

struct Element {
  std::string_view name;
  Effect effect;
};

// What is not here is looked into: runs, hyperlinks, content controls, text boxes, insertions.
// Source: ECMA-376, part 1, 17; of mc:AlternateContent the first choice, not the fallback.
constexpr Element elements[] = {
    {"Fallback", Effect::skipped},
    {"br", Effect::line_break},
    {"cr", Effect::line_break},
    {"del", Effect::skipped},
    {"delText", Effect::skipped},
    {"endnoteReference", Effect::endnote},
    {"footnoteReference", Effect::footnote},
    {"instrText", Effect::skipped},
    {"moveFrom", Effect::skipped},
    {"noBreakHyphen", Effect::hyphen},
    {"p", Effect::paragraph},
    {"pPr", Effect::skipped},
    {"rPr", Effect::skipped},
    {"rt", Effect::skipped},
    {"sdtPr", Effect::skipped},
    {"sectPr", Effect::skipped},
    {"t", Effect::text},
    {"tab", Effect::tab},
    {"tbl", Effect::table},
    {"tblGrid", Effect::skipped},
    {"tblPr", Effect::skipped},
    {"tc", Effect::cell},
    {"tr", Effect::row},
};
static_assert(std::ranges::is_sorted(elements, {}, &Element::name), "sorted, for the search below");

const Element* element_of(std::string_view name) {
  const auto found = std::ranges::lower_bound(elements, name, {}, &Element::name);
  return found != std::end(elements) && found->name == name ? &*found : nullptr;
}

/// Footnotes or endnotes of a document.
struct Notes {
  const char* part_type;  ///< The relationship that leads to them, and
  const char* element;    ///< the element of one.
  std::string_view mark;  ///< In the marker of one: "[1]", "[e1]".
};

constexpr Notes footnotes{"footnotes", "footnote", ""};
constexpr Notes endnotes{"endnotes", "endnote", "e"};

class Renderer {
 public:
  Renderer(Styles styles, DocxNumbering numbering, const DocumentLimits& limits)
      : styles_(std::move(styles)),
        numbering_(std::move(numbering)),
        limits_(limits),
        writer_(limits.text_bytes_max) {}

  Result<void> children(const pugi::xml_node& node, int depth);
  Result<void> notes(const Notes& kind, const pugi::xml_node& root);
  Result<std::string> take();

 private:
  Result<void> element(Effect effect, const pugi::xml_node& node, int depth);
  Result<void> paragraph(const pugi::xml_node& node, int depth);
  Result<void> table(const pugi::xml_node& node, int depth);
  Result<void> row(const pugi::xml_node& node, int depth);
  Result<void> cell(const pugi::xml_node& node, int depth);
  void reference(const Notes& kind, const pugi::xml_node& node);
  bool is_heading(std::string_view style) const;
  std::optional<ListPlace> list_of(const pugi::xml_node& properties, std::string_view style) const;
  const Style* style_named(std::string_view name) const;

  Styles styles_;
  DocxNumbering numbering_;
  const DocumentLimits& limits_;
  TextWriter writer_;
};

Result<void> Renderer::children(const pugi::xml_node& node, int depth) {
  if (depth > limits_.depth_max) return too_deep("docx", limits_);
  for (const pugi::xml_node child : node.children()) {
    if (writer_.full()) return too_much_text("docx", limits_);
    if (child.type() != pugi::node_element) continue;
    const Element* known = element_of(local_name(child));
    CRATON_TRY(known ? element(known->effect, child, depth) : children(child, depth + 1));
  }
  return {};
}

Result<void> Renderer::element(Effect effect, const pugi::xml_node& node, int depth) {
  switch (effect) {
    case Effect::paragraph: return paragraph(node, depth);
    case Effect::table: return table(node, depth);
    case Effect::row: return row(node, depth);
    case Effect::cell: return cell(node, depth);
    case Effect::text: writer_.exact(node.text().get()); break;
    case Effect::tab: writer_.tab(); break;
    case Effect::line_break: writer_.line(); break;
    case Effect::hyphen: writer_.exact("-"); break;
    case Effect::footnote: reference(footnotes, node); break;
    case Effect::endnote: reference(endnotes, node); break;
    case Effect::skipped: break;
  }
  return {};
}

Result<void> Renderer::paragraph(const pugi::xml_node& node, int depth) {
  const pugi::xml_node properties = child_of(node, "pPr");
  const std::string_view style = attribute_of(child_of(properties, "pStyle"), "val");
  const bool heading = is_heading(style) || child_of(properties, "outlineLvl");
  const bool empty = !node.find_node(
      [](const pugi::xml_node& inner) { return inner.type() == pugi::node_pcdata; });
  heading || empty ? writer_.blank_line() : writer_.line();
  const auto place = list_of(properties, style);
  if (place && !place->list.empty() && !empty) {
    writer_.exact(numbering_.next_marker(*place));
    writer_.flowing(" ");
  }
  CRATON_TRY(children(node, depth + 1));
  heading ? writer_.blank_line() : writer_.line();
  return {};
}

Result<void> Renderer::table(const pugi::xml_node& node, int depth) {
  writer_.end_row();  // one in a cell is laid out, not tabulated, and gets lines of its own
  writer_.blank_line();
  CRATON_TRY(children(node, depth + 1));
  writer_.end_row();
  writer_.blank_line();
  return {};
}

Result<void> Renderer::row(const pugi::xml_node& node, int depth) {
  writer_.begin_row();
  CRATON_TRY(children(node, depth + 1));
  writer_.end_row();
  return {};
}

/// Cells that span several columns stand for as many, so that what follows stays in its column.
Result<void> Renderer::cell(const pugi::xml_node& node, int depth) {
  constexpr int columns_max = 63;  // Word's limit
  const pugi::xml_node span = child_of(child_of(node, "tcPr"), "gridSpan");
  const int columns = number_of(attribute_of(span, "val"), 1);
  writer_.begin_cell();
  CRATON_TRY(children(node, depth + 1));
  for (int i = 1; i < std::min(columns, columns_max) && writer_.in_row(); ++i) writer_.begin_cell();
  return {};
}

void Renderer::reference(const Notes& kind, const pugi::xml_node& node) {
  writer_.exact("[" + std::string(kind.mark) + std::string(attribute_of(node, "id")) + "]");
}

Result<void> Renderer::notes(const Notes& kind, const pugi::xml_node& root) {
  writer_.blank_line();
  for (const pugi::xml_node note : root.children()) {
    if (local_name(note) != kind.element) continue;
    const std::string_view type = attribute_of(note, "type");
    if (!type.empty() && type != "normal") continue;  // the line above the notes
    reference(kind, note);
    writer_.begin_cell();  // the note's paragraphs stay on its line
    writer_.flowing(" ");
    CRATON_TRY(children(note, 1));
    writer_.end_row();
  }
  return {};
}

const Style* Renderer::style_named(std::string_view name) const {
  const auto found = styles_.find(name);
  return found == styles_.end() ? nullptr : &found->second;
}

// How far a style is followed to those it is based on: they may form a ring.
constexpr int styles_deep = 16;

bool Renderer::is_heading(std::string_view name) const {
  const Style* style = style_named(name);
  for (int i = 0; style && i < styles_deep; ++i, style = style_named(style->based_on)) {
    if (style->heading) return true;
  }
  return false;
}

std::optional<ListPlace> Renderer::list_of(const pugi::xml_node& properties,
                                           std::string_view name) const {
  std::optional<ListPlace> place = list_place(properties);
  const Style* style = style_named(name);
  for (int i = 0; !place && style && i < styles_deep; ++i, style = style_named(style->based_on))
    place = style->list;
  return place;
}

Result<std::string> Renderer::take() {
  if (writer_.full()) return too_much_text("docx", limits_);
  return mended_utf8(writer_.take());
}

/// The part that `type` leads to; null when there is none.
Result<std::unique_ptr<const XmlPart>> related(OfficePackage& package,
                                               const std::vector<Relationship>& relationships,
                                               std::string_view type) {
  const Relationship* relationship = find_type(relationships, type);
  if (!relationship || !package.has(relationship->target)) return nullptr;
  return package.xml(relationship->target);
}

}  // namespace

Result<std::string> docx_text(std::string_view bytes, const DocumentLimits& limits) {
  CRATON_TRY_ASSIGN(OfficePackage package, OfficePackage::open("docx", bytes, limits));
  CRATON_TRY_ASSIGN(const std::string main, package.main_part());
  CRATON_TRY_ASSIGN(const auto relationships, package.relationships_of(main));
  CRATON_TRY_ASSIGN(const auto document, package.xml(main));
  const pugi::xml_node body = child_of(document->root(), "body");
  if (!body) return package.wrong_kind(document->root());
  CRATON_TRY_ASSIGN(const auto styles, related(package, relationships, "styles"));
  CRATON_TRY_ASSIGN(const auto numbering, related(package, relationships, "numbering"));
  Renderer renderer(styles ? styles_in(styles->root()) : Styles(),
                    numbering ? DocxNumbering(numbering->root()) : DocxNumbering(), limits);
  CRATON_TRY(renderer.children(body, 1));
  for (const Notes& kind : {footnotes, endnotes}) {
    CRATON_TRY_ASSIGN(const auto notes, related(package, relationships, kind.part_type));
    if (notes) CRATON_TRY(renderer.notes(kind, notes->root()));
  }
  return renderer.take();
}

}  // namespace craton::documents
