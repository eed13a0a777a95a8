#include "documents/document_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "base/utf8.h"

namespace craton::documents {
namespace {

Error refused(std::string_view text) { return {ErrorCode::validation, std::string(text)}; }

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_allowed(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool digit = c >= '0' && c <= '9';
  return letter || digit || is_blank(c) ||
         std::string_view("_-()[]").find(c) != std::string_view::npos;
}

}  // namespace

Result<void> check_document_count(std::size_t documents) {
  if (documents <= documents_max) return {};
  return refused(
      fmt::format("You can't include more than {} documents in a request.", documents_max));
}

Result<void> check_document_name(std::string_view name) {
  if (name.empty() || code_points(name) > document_name_max) {
    return refused(
        fmt::format("The document file name must have 1 to {} characters. Check that the "
                    "file name conforms to this restriction and retry your request.",
                    document_name_max));
  }
  const bool blanks = std::ranges::adjacent_find(name, [](char a, char b) {
                        return is_blank(a) && is_blank(b);
                      }) != name.end();
  if (std::ranges::all_of(name, is_allowed) && !blanks) return {};
  return refused(
      "The document file name can only contain alphanumeric characters, whitespace characters, "
      "hyphens, parentheses, and square brackets. The name can't contain more than one consecutive "
      "whitespace character. Check that the file name conforms to these restrictions and retry "
      "your "
      "request.");
}

Result<void> check_document_names_differ(std::span<const std::string_view> names) {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) == sorted.end()) return {};
  return refused(
      "Messages can't contain duplicate document names. Rename the document and retry your "
      "request.");
}

Result<void> check_document_size(std::string_view place, std::size_t bytes) {
  if (bytes <= document_bytes_max) return {};
  return refused(fmt::format("{}: document exceeds 4.5 MB maximum: {} bytes > {} bytes", place,
                             bytes, document_bytes_max));
}

Result<void> check_text_beside_documents(std::size_t documents, std::size_t texts) {
  if (documents == 0 || texts > 0) return {};
  return refused(
      "A text block must be included when using documents. Add a text block and retry your "
      "request.");
}

}  // namespace craton::documents
