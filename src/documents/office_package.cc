#include "documents/office_package.h"

#include <fmt/core.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"
#include "documents/problems.h"

namespace craton::documents {
namespace {

std::string_view without_prefix(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == name.npos ? name : name.substr(colon + 1);
}

/// The part that `target`, a relative reference, names from the folder of `part`.
std::string resolved(std::string_view part, std::string_view target) {
  std::string_view folder = part.substr(0, part.rfind('/') == part.npos ? 0 : part.rfind('/'));
  if (target.starts_with('/')) return std::string(target.substr(1));
  while (target.starts_with("../")) {
    target.remove_prefix(3);
    folder = folder.substr(0, folder.rfind('/') == folder.npos ? 0 : folder.rfind('/'));
  }
  if (target.starts_with("./")) target.remove_prefix(2);
  return folder.empty() ? std::string(target) : fmt::format("{}/{}", folder, target);
}

/// Where the relationships of `part` are.
std::string relationships_part(std::string_view part) {
  const std::size_t slash = part.rfind('/');
  const std::size_t name = slash == part.npos ? 0 : slash + 1;
  return fmt::format("{}_rels/{}.rels", part.substr(0, name), part.substr(name));
}

struct Kind {
  std::string_view root;
  std::string_view words;
};

constexpr Kind kinds[] = {
    {"document", "a Word document"},
    {"workbook", "an Excel workbook"},
    {"presentation", "a PowerPoint presentation"},
};

struct CloseFile {
  void operator()(zip_file* file) const { zip_fclose(file); }
};
using File = std::unique_ptr<zip_file, CloseFile>;

}  // namespace

std::string_view local_name(const pugi::xml_node& node) { return without_prefix(node.name()); }

pugi::xml_node child_of(const pugi::xml_node& node, std::string_view local) {
  for (const pugi::xml_node child : node.children()) {
    if (local_name(child) == local) return child;
  }
  return {};
}

std::string_view attribute_of(const pugi::xml_node& node, std::string_view local) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    if (without_prefix(attribute.name()) == local) return attribute.value();
  }
  return {};
}

int number_of(std::string_view text, int otherwise) {
  int number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::clamp(number, 0, 1'000'000);
}

const Relationship* find_type(const std::vector<Relationship>& relationships,
                              std::string_view type) {
  const auto found = std::ranges::find(relationships, type, &Relationship::type);
  return found == relationships.end() ? nullptr : &*found;
}

void OfficePackage::Close::operator()(zip* archive) const { zip_discard(archive); }

OfficePackage::OfficePackage(std::string_view format, const DocumentLimits& limits)
    : format_(format), limits_(&limits), budget_(limits.unpacked_bytes_max) {}

Result<OfficePackage> OfficePackage::open(std::string_view format, std::string_view bytes,
                                          const DocumentLimits& limits) {
  OfficePackage package(format, limits);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source) package.archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (source && !package.archive_) zip_source_free(source);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!package.archive_)
    return unreadable(format, fmt::format("its ZIP archive is damaged ({})", reason));
  return package;
}

bool OfficePackage::has(const std::string& part) const {
  return zip_name_locate(archive_.get(), part.c_str(), 0) >= 0;
}

/// The name of a part comes from the document too: it is no UTF-8 and no length that is to be
/// relied on.
Error OfficePackage::damaged(const std::string& part, std::string_view reason) const {
  constexpr std::size_t name_max = 100;
  const std::string name = mended_utf8(std::string_view(part).substr(0, name_max));
  return unreadable(format_, fmt::format("its part \"{}\" {}", name, reason));
}

Result<std::string> OfficePackage::unpacked(const std::string& part) {
  const zip_int64_t index = zip_name_locate(archive_.get(), part.c_str(), 0);
  if (index < 0) return damaged(part, "is missing");
  if (parts_left_-- == 0) return unreadable(format_, "it has too many parts");
  const File file(zip_fopen_index(archive_.get(), static_cast<zip_uint64_t>(index), 0));
  if (!file) return damaged(part, "cannot be unpacked");
  std::string bytes;
  std::array<char, 65536> piece;
  zip_int64_t size = 0;
  while ((size = zip_fread(file.get(), piece.data(), piece.size())) > 0) {
    if (static_cast<std::size_t>(size) > budget_) {
      return unreadable(
          format_, fmt::format("it unpacks to more than {} bytes", limits_->unpacked_bytes_max));
    }
    budget_ -= static_cast<std::size_t>(size);
    bytes.append(piece.data(), static_cast<std::size_t>(size));
  }
  if (size < 0) return damaged(part, "is damaged");
  return bytes;
}

Result<std::unique_ptr<const XmlPart>> OfficePackage::xml(const std::string& name) {
  auto part = std::make_unique<XmlPart>();
  CRATON_TRY_ASSIGN(part->bytes, unpacked(name));
  const auto items =
      std::ranges::count_if(part->bytes, [](char c) { return c == '<' || c == '='; });
  if (static_cast<std::size_t>(items) > limits_->xml_items_max)
    return damaged(name, fmt::format("has more than {} XML tags", limits_->xml_items_max));
  // Blanks that are all of an element's text are text: <w:t xml:space="preserve"> </w:t>.
  const pugi::xml_parse_result parsed = part->document.load_buffer_inplace(
      part->bytes.data(), part->bytes.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  if (!parsed) return damaged(name, fmt::format("is no XML ({})", parsed.description()));
  return std::unique_ptr<const XmlPart>(std::move(part));
}

Error OfficePackage::wrong_kind(const pugi::xml_node& root) const {
  const auto kind = std::ranges::find(kinds, local_name(root), &Kind::root);
  return mismatch(format_,
                  kind == std::end(kinds) ? "an unknown kind of Office document" : kind->words);
}

Result<std::string> OfficePackage::main_part() {
  CRATON_TRY_ASSIGN(const auto relationships, relationships_of(""));
  const Relationship* main = find_type(relationships, "officeDocument");
  if (!main) return mismatch(format_, "a ZIP archive that is no Office document");
  return main->target;
}

Result<std::vector<Relationship>> OfficePackage::relationships_of(const std::string& part) {
  const std::string name = relationships_part(part);
  std::vector<Relationship> relationships;
  if (!has(name)) return relationships;
  CRATON_TRY_ASSIGN(const auto rows, xml(name));
  for (const pugi::xml_node node : rows->root().children()) {
    if (attribute_of(node, "TargetMode") == "External") continue;
    const std::string_view type = attribute_of(node, "Type");
    relationships.push_back({.id = std::string(attribute_of(node, "Id")),
                             .type = std::string(type.substr(type.rfind('/') + 1)),
                             .target = resolved(part, attribute_of(node, "Target"))});
  }
  return relationships;
}

}  // namespace craton::documents
