// OfficePackage: the XML parts of a docx or xlsx document, which is a ZIP archive.
//
//   _rels/.rels ──officeDocument──► word/document.xml
//   word/_rels/document.xml.rels ──styles──► word/styles.xml
//
// Parts are unpacked when they are asked for, all together within the limits.
// Source: ECMA-376, part 2 (Open Packaging Conventions). Over libzip and pugixml.
//
// No globals; a package is used by one thread.
#pragma once

#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "documents/document_text.h"

struct zip;

namespace craton::documents {

struct Relationship {
  std::string id;
  std::string type;    ///< The last segment of its URI: "styles", "worksheet".
  std::string target;  ///< Name of a part, "word/styles.xml".
};

/// A part as a tree, which points into the part's bytes.
struct XmlPart {
  std::string bytes;
  pugi::xml_document document;

  pugi::xml_node root() const { return document.document_element(); }
};

class OfficePackage {
 public:
  /// `bytes` and `limits` outlive the package; `format` is for messages.
  /// Fails with `validation` when `bytes` are no archive.
  static Result<OfficePackage> open(std::string_view format, std::string_view bytes,
                                    const DocumentLimits& limits);

  bool has(const std::string& part) const;

  /// Fails with `validation` when `part` is missing, damaged or exceeds a limit.
  Result<std::unique_ptr<const XmlPart>> xml(const std::string& part);

  /// The part that holds the document itself. Fails with `validation` when none is named.
  Result<std::string> main_part();

  /// Those of `part`, of the package itself when it is empty; none when it has none. Links that
  /// lead out of the package are left out.
  Result<std::vector<Relationship>> relationships_of(const std::string& part);

  /// What to say of a main part with the root `root`, which is not of this format.
  Error wrong_kind(const pugi::xml_node& root) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };

  OfficePackage(std::string_view format, const DocumentLimits& limits);
  Result<std::string> unpacked(const std::string& part);
  Error damaged(const std::string& part, std::string_view reason) const;

  std::string_view format_;
  const DocumentLimits* limits_;
  std::size_t budget_;     ///< Bytes that may still be unpacked,
  int parts_left_ = 2048;  ///< and parts: more than any office program makes.
  std::unique_ptr<zip, Close> archive_;
};

/// The first of type `type`; nullptr without.
const Relationship* find_type(const std::vector<Relationship>& relationships,
                              std::string_view type);

/// The name of `node` without its prefix: documents choose their own.
std::string_view local_name(const pugi::xml_node& node);

/// The child of that name, an empty node without; and the value of such an attribute, "" without.
pugi::xml_node child_of(const pugi::xml_node& node, std::string_view local);
std::string_view attribute_of(const pugi::xml_node& node, std::string_view local);

/// The whole number that `text` begins with, at most a million; `otherwise` without one.
int number_of(std::string_view text, int otherwise);

}  // namespace craton::documents
