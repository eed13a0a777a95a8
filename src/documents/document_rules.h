// Bedrock's rules for documents in prompts, in its words.
//
// Source: DocumentBlock and Message in Bedrock's API reference (names, counts, sizes), recorded
// refusals (texts). The text of the rule on sizes is not recorded anywhere; it is made after the
// one for images.
//
// No I/O, no globals. All fail with `validation`.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"

namespace craton::documents {

inline constexpr std::size_t documents_max = 5;             ///< In one request.
inline constexpr std::size_t document_bytes_max = 4718592;  ///< 4.5 MiB of one document.
inline constexpr std::size_t document_name_max = 200;       ///< Characters

/// `documents`: of the whole request.
Result<void> check_document_count(std::size_t documents);

/// Letters and digits of ASCII, underscores, hyphens, parentheses, square brackets and blanks, none
/// of these behind another; 1 to 200 of them.
Result<void> check_document_name(std::string_view name);

/// `names`: of all documents of the request, its earlier turns included.
Result<void> check_document_names_differ(std::span<const std::string_view> names);

/// `place`: "messages.0.content.1.document.source.bytes". `bytes`: of the document itself, not of
/// its base64.
Result<void> check_document_size(std::string_view place, std::size_t bytes);

/// A turn with documents needs text that says what to do with them.
Result<void> check_text_beside_documents(std::size_t documents, std::size_t texts);

}  // namespace craton::documents
