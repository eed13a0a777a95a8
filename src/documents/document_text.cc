#include "documents/document_text.h"

#include <algorithm>

#include "documents/charset.h"
#include "documents/docx.h"
#include "documents/html.h"
#include "documents/pdf.h"
#include "documents/problems.h"
#include "documents/signature.h"
#include "documents/xlsx.h"

namespace craton::documents {
namespace {

/// Text that stands for itself.
Result<std::string> plain_text(std::string_view bytes, const DocumentLimits&) {
  return decoded(bytes);
}

struct Format {
  std::string_view name;
  Look look;  ///< What its bytes look like.
  /// Null: never read.
  Result<std::string> (*read)(std::string_view bytes, const DocumentLimits& limits);
};

// Source: DocumentFormat in the bedrock-runtime service model; json is the last that a prompt
// needs.
constexpr Format formats[] = {
    {"csv", Look::text, plain_text},       {"doc", Look::binary_office, nullptr},
    {"docx", Look::zip, docx_text},        {"html", Look::text, html_text},
    {"json", Look::text, plain_text},      {"md", Look::text, plain_text},
    {"pdf", Look::pdf, pdf_text},          {"txt", Look::text, plain_text},
    {"xls", Look::binary_office, nullptr}, {"xlsx", Look::zip, xlsx_text},
};

const Format* format_named(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &Format::name);
  return found == std::end(formats) ? nullptr : &*found;
}

/// What `bytes` are instead of what `format` says; empty when they may be that.
std::string_view found_instead(const Format& format, std::string_view bytes) {
  const Signature signature = signature_of(bytes);
  if (format.look == signature.look) return {};
  if (format.look == Look::pdf && has_pdf_header(bytes)) return {};
  if (signature.look != Look::text) return signature.words;
  return format.look == Look::text ? std::string_view() : "something else, perhaps text";
}

/// Text has no zero bytes but in UTF-16, and that needs its byte order mark to be known.
bool is_binary(std::string_view bytes) {
  return !has_byte_order_mark(bytes) && bytes.find('\0') != bytes.npos;
}

}  // namespace

bool is_document_format(std::string_view format) { return format_named(format) != nullptr; }

Result<std::string> document_text(std::string_view name, std::string_view bytes,
                                  const DocumentLimits& limits) {
  const Format* format = format_named(name);
  if (!format) {
    return Error{ErrorCode::validation,
                 "The document's format is none of csv, doc, docx, html, "
                 "json, md, pdf, txt, xls, xlsx."};
  }
  const std::string_view found = found_instead(*format, bytes);
  if (!found.empty()) return mismatch(name, found);
  if (!format->read) {
    return unreadable(name, "Office's binary formats are not supported. Save it as " +
                                std::string(name) + "x, or as pdf, and send that");
  }
  if (format->look == Look::text && is_binary(bytes))
    return mismatch(name, "binary data, not text");
  CRATON_TRY_ASSIGN(std::string text, format->read(bytes, limits));
  if (text.size() > limits.text_bytes_max) return too_much_text(name, limits);
  // Only UTF-16 can still have brought zeros in.
  std::erase(text, '\0');
  return text;
}

}  // namespace craton::documents
