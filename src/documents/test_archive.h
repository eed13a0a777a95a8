// ZIP archives for tests of Office documents, made in memory. For tests only.
#pragma once

#include <zip.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace craton::documents {

struct ArchiveFile {
  std::string name;
  std::string bytes;
};

inline std::string archive_of(const std::vector<ArchiveFile>& files) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(source);
  zip_t* archive = zip_open_from_source(source, ZIP_TRUNCATE, &error);
  if (!archive) throw std::runtime_error("no archive");
  for (const ArchiveFile& file : files) {
    zip_source_t* bytes = zip_source_buffer(archive, file.bytes.data(), file.bytes.size(), 0);
    if (zip_file_add(archive, file.name.c_str(), bytes, 0) < 0) throw std::runtime_error(file.name);
  }
  if (zip_close(archive) != 0) throw std::runtime_error("archive not written");
  zip_stat_t stat;
  zip_source_stat(source, &stat);
  std::string made(stat.size, '\0');
  zip_source_open(source);
  zip_source_read(source, made.data(), made.size());
  zip_source_close(source);
  zip_source_free(source);
  return made;
}

inline std::string relationships(const std::vector<std::string>& rows) {
  std::string text = "<Relationships>";
  for (const std::string& row : rows) text += "<Relationship " + row + "/>";
  return text + "</Relationships>";
}

inline std::string type_and_target(std::string_view type, std::string_view target) {
  return "Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/" +
         std::string(type) + "\" Target=\"" + std::string(target) + "\"";
}

/// A Word document with this body.
inline std::string docx_of(std::string_view body, const std::vector<ArchiveFile>& more = {},
                           const std::vector<std::string>& document_relationships = {}) {
  std::vector<ArchiveFile> files{
      {"_rels/.rels",
       relationships({"Id=\"r\" " + type_and_target("officeDocument", "word/document.xml")})},
      {"word/_rels/document.xml.rels", relationships(document_relationships)},
      {"word/document.xml",
       "<w:document xmlns:w=\"w\"><w:body>" + std::string(body) + "</w:body></w:document>"}};
  files.insert(files.end(), more.begin(), more.end());
  return archive_of(files);
}

/// A workbook with one sheet, "One", which has these rows.
inline std::string xlsx_of(std::string_view rows, const std::vector<ArchiveFile>& more = {},
                           const std::vector<std::string>& workbook_relationships = {},
                           std::string_view properties = "") {
  std::vector<std::string> all{"Id=\"s1\" " + type_and_target("worksheet", "worksheets/one.xml")};
  all.insert(all.end(), workbook_relationships.begin(), workbook_relationships.end());
  std::vector<ArchiveFile> files{
      {"_rels/.rels",
       relationships({"Id=\"r\" " + type_and_target("officeDocument", "/xl/workbook.xml")})},
      {"xl/_rels/workbook.xml.rels", relationships(all)},
      {"xl/workbook.xml",
       "<workbook>" + std::string(properties) +
           "<sheets><sheet name=\"One\" sheetId=\"1\" r:id=\"s1\"/></sheets></workbook>"},
      {"xl/worksheets/one.xml",
       "<worksheet><sheetData>" + std::string(rows) + "</sheetData></worksheet>"}};
  files.insert(files.end(), more.begin(), more.end());
  return archive_of(files);
}

}  // namespace craton::documents
