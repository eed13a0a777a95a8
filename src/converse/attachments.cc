#include "converse/attachments.h"

#include <string>
#include <string_view>

#include "converse/members.h"
#include "converse/rules.h"
#include "families/attachments.h"

namespace craton::converse {
namespace {

constexpr families::AttachmentRules attachment_rules{.all = "messages",
                                                     .image = ".source.bytes",
                                                     .document = ".source.bytes",
                                                     .rules_documents = true,
                                                     .refusal = of_the_model};

Result<void> add_result(ToolResultBlock& result, const std::string& place,
                        families::Attachments& attachments) {
  for (std::size_t i = 0; i < result.content.size(); ++i) {
    const std::string part = place + ".toolResult.content." + std::to_string(i);
    if (auto* image = std::get_if<ImageBlock>(&result.content[i])) {
      CRATON_TRY(attachments.add(*image, part + ".image"));
    } else if (const auto* document = std::get_if<DocumentBlock>(&result.content[i])) {
      CRATON_TRY(attachments.add(*document, part + ".document"));
    }
  }
  return {};
}

Result<void> add_block(ContentBlock& block, const std::string& place, std::string_view member,
                       families::Attachments& attachments) {
  if (auto* image = std::get_if<ImageBlock>(&block)) {
    const std::string_view inner = member == "guardContent" ? ".guardContent.image" : ".image";
    return attachments.add(*image, place + std::string(inner));
  }
  if (const auto* document = std::get_if<DocumentBlock>(&block)) {
    return attachments.add(*document, place + ".document");
  }
  if (auto* result = std::get_if<ToolResultBlock>(&block)) {
    return add_result(*result, place, attachments);
  }
  return {};
}

}  // namespace

Result<void> check_attachments(const json::object& input, std::string_view model_id,
                               Conversation& conversation) {
  families::Attachments attachments(attachment_rules, model_id);
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
