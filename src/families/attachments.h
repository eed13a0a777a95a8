// Images and documents of a request: what Bedrock asks of them, whichever schema carries them.
//
// One way for all schemas, Converse's too; what differs between them is a row (AttachmentRules):
// where a refusal points, how it is worded, which rules there are. docs/native-schemas.md has the
// table. The rules themselves are media/image_rules.h and documents/document_rules.h.
//
// No I/O, no globals.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::families {

/// How one schema carries files.
struct AttachmentRules {
  std::string_view all;                ///< What holds the blocks: "messages".
  std::string_view image = {};         ///< From an image's block to its bytes: ".source.bytes".
  std::string_view image_inside = {};  ///< From there, where a refusal is about what they show.
  std::string_view document = {};      ///< From a document's block to its bytes.

  /// False: what the bytes are counts, not what the request says that they are.
  bool labels_bind = true;
  /// Documents have Converse's rules: five of them, their sizes, their names.
  bool rules_documents = false;

  /// A sentence of the model's as this schema's callers get it. Converse's own sentences, on
  /// documents' names and number, come as they are.
  Error (*refusal)(const Error& error);
};

extern const AttachmentRules anthropic_attachments;
extern const AttachmentRules nova_attachments;
extern const AttachmentRules openai_attachments;     ///< Of `messages`, in data URIs.
extern const AttachmentRules responses_attachments;  ///< Of `input`, likewise.
extern const AttachmentRules llama_attachments;      ///< Of `images`.

/// True where Bedrock documents no limit of size: PDF with Claude from 4 on, PDF and DOCX with
/// Nova.
bool takes_document_of_any_size(std::string_view model_id, std::string_view format);

/// "This model doesn't support the image field for assistant messages. Remove image and try again."
/// `role`: "user" or "assistant".
Error unsupported_block(std::string_view field, std::string_view role);

/// Takes in a request's files one after the other. All fail with `validation`.
class Attachments {
 public:
  /// Both outlive this.
  Attachments(const AttachmentRules& rules, std::string_view model_id)
      : rules_(rules), model_id_(model_id) {}

  /// `place`: of the block. Where labels do not bind, `image` gets the format that it has.
  Result<void> add(ImageBlock& image, const std::string& place);
  Result<void> add(const DocumentBlock& document, const std::string& place);

  /// What holds for all of them together.
  Result<void> finish() const;

 private:
  Result<void> in_its_words(const Result<void>& checked) const;

  const AttachmentRules& rules_;
  const std::string_view model_id_;
  std::size_t images_ = 0;
  std::vector<std::string> names_;  // of documents
};

}  // namespace craton::families
