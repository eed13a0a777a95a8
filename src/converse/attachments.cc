#include "converse/attachments.h"

#include <string>
#include <string_view>
#include <vector>

#include "converse/members.h"
#include "converse/rules.h"
#include "documents/document_rules.h"
#include "media/image_rules.h"

namespace craton::converse {
namespace {

class Attachments {
 public:
  Result<void> add(const ImageBlock& image, const std::string& place) {
    ++images_;
    const auto format = media::image_format_of(image.format);
    if (!format) return {};  // the API model knows no other
    const auto checked = media::check_image(place + ".source.bytes", *format, image.bytes);
    if (!checked) return of_the_model(checked.error());
    return {};
  }

  Result<void> add(const DocumentBlock& document, const std::string& place) {
    names_.push_back(document.name);
    CRATON_TRY(documents::check_document_name(document.name));
    const auto checked =
        documents::check_document_size(place + ".source.bytes", document.bytes.size());
    if (!checked) return of_the_model(checked.error());
    return {};
  }

  /// What holds for all of them together.
  Result<void> finish() const {
    CRATON_TRY(documents::check_document_count(names_.size()));
    CRATON_TRY(documents::check_document_names_differ(names_));
    const auto counted = media::check_image_count(images_, names_.size());
    if (!counted) return of_the_model(counted.error());
    return {};
  }

 private:
  std::size_t images_ = 0;
  std::vector<std::string_view> names_;
};

Result<void> add_result(const ToolResultBlock& result, const std::string& place,
                        Attachments& attachments) {
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const std::string part = place + ".toolResult.content." + std::to_string(i);
    if (const auto* image = std::get_if<ImageBlock>(&result.content[i])) {
      CRATON_TRY(attachments.add(*image, part + ".image"));
    } else if (const auto* document = std::get_if<DocumentBlock>(&result.content[i])) {
      CRATON_TRY(attachments.add(*document, part + ".document"));
    }
  }
  return {};
}

Result<void> add_block(const ContentBlock& block, const std::string& place, std::string_view member,
                       Attachments& attachments) {
  if (const auto* image = std::get_if<ImageBlock>(&block)) {
    const std::string_view inner = member == "guardContent" ? ".guardContent.image" : ".image";
    return attachments.add(*image, place + std::string(inner));
  }
  if (const auto* document = std::get_if<DocumentBlock>(&block)) {
    return attachments.add(*document, place + ".document");
  }
  if (const auto* result = std::get_if<ToolResultBlock>(&block)) {
    return add_result(*result, place, attachments);
  }
  return {};
}

}  // namespace

Result<void> check_attachments(const json::object& input, const Conversation& conversation) {
  Attachments attachments;
  const json::array& messages = array_member(input, "messages");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const json::array& content = array_member(messages[i].get_object(), "content");
    auto block = conversation.turns[i].content.begin();
    for (std::size_t j = 0; j < content.size(); ++j) {
      const std::string_view member = member_of(content[j]).name;
      if (member == "cachePoint") continue;  // the one kind that is no block of a turn
      const std::string place = "messages." + std::to_string(i) + ".content." + std::to_string(j);
      CRATON_TRY(add_block(*block++, place, member, attachments));
    }
  }
  return attachments.finish();
}

}  // namespace craton::converse
