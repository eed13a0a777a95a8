#include "families/attachments.h"

#include <algorithm>
#include <array>
#include <optional>

#include "documents/document_rules.h"
#include "families/anthropic_model.h"
#include "families/schema.h"
#include "media/image_rules.h"

namespace craton::families {
namespace {

Error as_it_is(const Error& error) { return error; }

Error as_violation(const Error& error) { return violation(error.message); }

/// Whose documents of which format may have any size.
struct LargeDocuments {
  std::string_view prefix;
  bool (*on)(std::string_view model_id);
  std::string_view format;
};

bool always(std::string_view) { return true; }

// Source: DocumentBlock in Bedrock's API reference.
constexpr std::array large_documents{
    LargeDocuments{"anthropic.claude-", reads_large_documents, "pdf"},
    LargeDocuments{"amazon.nova-", always, "pdf"},
    LargeDocuments{"amazon.nova-", always, "docx"},
};

}  // namespace

constinit const AttachmentRules anthropic_attachments{
    .all = "messages", .image = ".source.base64", .image_inside = ".data", .refusal = as_it_is};

constinit const AttachmentRules nova_attachments{.all = "#/messages",
                                                 .image = "/source/bytes",
                                                 .document = "/source/bytes",
                                                 .rules_documents = true,
                                                 .refusal = as_violation};

// Servers of this shape look at the bytes: clients label as JPEG what they do not know.
constinit const AttachmentRules openai_attachments{
    .all = "#/messages", .labels_bind = false, .refusal = as_violation};

constinit const AttachmentRules responses_attachments{
    .all = "#/input", .labels_bind = false, .refusal = as_violation};

constinit const AttachmentRules llama_attachments{
    .all = "#/images", .labels_bind = false, .refusal = as_violation};

bool takes_document_of_any_size(std::string_view model_id, std::string_view format) {
  return std::ranges::any_of(large_documents, [&](const LargeDocuments& row) {
    return row.format == format && model_id.starts_with(row.prefix) && row.on(model_id);
  });
}

Error unsupported_block(std::string_view field, std::string_view role) {
  const std::string name(field);
  return {ErrorCode::validation, "This model doesn't support the " + name + " field for " +
                                     std::string(role) + " messages. Remove " + name +
                                     " and try again."};
}

Result<void> Attachments::in_its_words(const Result<void>& checked) const {
  if (checked) return {};
  return rules_.refusal(checked.error());
}

Result<void> Attachments::add(ImageBlock& image, const std::string& place) {
  ++images_;
  std::optional<media::ImageFormat> said;
  if (rules_.labels_bind) said = media::image_format_of(image.format);
  const Result<media::ImageInfo> found = media::check_image(
      {place + std::string(rules_.image), rules_.image_inside, said, image.bytes});
  if (!found) return rules_.refusal(found.error());
  image.format = media::name_of(found->format);
  return {};
}

Result<void> Attachments::add(const DocumentBlock& document, const std::string& place) {
  names_.push_back(document.name);
  if (!rules_.rules_documents) return {};
  CRATON_TRY(documents::check_document_name(document.name));
  if (takes_document_of_any_size(model_id_, document.format)) return {};
  return in_its_words(
      documents::check_document_size(place + std::string(rules_.document), document.bytes.size()));
}

Result<void> Attachments::finish() const {
  if (rules_.rules_documents) {
    const std::vector<std::string_view> names(names_.begin(), names_.end());
    CRATON_TRY(documents::check_document_count(names.size()));
    CRATON_TRY(documents::check_document_names_differ(names));
  }
  return in_its_words(media::check_image_count(rules_.all, {images_, names_.size()}));
}

}  // namespace craton::families
