#include "converse/message_rules.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "converse/members.h"
#include "converse/refusals.h"
#include "documents/document_rules.h"

namespace craton::converse {
namespace {

using catalog::Capabilities;

enum class AllowedIn { user, assistant, both, nobody };

/// Where a kind of content block may stand.
struct BlockRule {
  std::string_view member;
  AllowedIn roles;
  bool Capabilities::* needed;  ///< Of the model; null: nothing.
  Result<void> (*check)(const json::value& block, const std::string& place,
                        const Capabilities& model);  ///< Null: nothing more to say.
  Error (*refusal)(std::string_view member, std::string_view role) = unsupported_block;
};

std::string place_of(std::size_t message) { return "messages." + std::to_string(message); }

std::string place_of(std::size_t message, std::size_t block) {
  return place_of(message) + ".content." + std::to_string(block);
}

Result<void> check_text(const json::value& text, const std::string& place, const Capabilities&) {
  if (is_blank(text.get_string())) return blank_text("ContentBlock", place);
  return {};
}

Error no_source(std::string_view kind, const std::string& place) {
  return refused(std::string(kind) + " object at " + place +
                 ".source must set one of the following keys: bytes, s3Location.");
}

/// Nobody here can read S3; models that cannot on AWS either say it like this.
Error source_in_s3(const std::string& place) {
  return refused_by_model(place + ".source.type: Field required");
}

Result<void> check_image(const json::value& image, const std::string& place, const Capabilities&) {
  const json::object* source = object_member(image.get_object(), "source");
  if (image.get_object().contains("error")) return unsupported("image.error");
  if (source->contains("s3Location")) return source_in_s3(place + ".image");
  return {};
}

Result<void> check_document(const json::value& document, const std::string& place,
                            const Capabilities&) {
  const json::object& members = document.get_object();
  const json::object* source = object_member(members, "source");
  const json::object* citations = object_member(members, "citations");
  if (citations && citations->at("enabled").get_bool()) {
    return unsupported_block("document.citations", "user");
  }
  if (source->contains("s3Location")) return source_in_s3(place + ".document");
  // Texts in place of a file are for citations alone.
  if (!source->contains("bytes")) return no_source("DocumentSource", place + ".document");
  if (!members.contains("format")) {
    return refused("The format field in the DocumentBlock object at " + place +
                   ".document is missing. Add the document's format and try again.");
  }
  return {};
}

Result<void> check_guarded(const json::value& guarded, const std::string& place,
                           const Capabilities& model) {
  const UnionMember content = member_of(guarded);
  if (content.name != "image") return {};
  if (!model.vision) return unsupported_block("guardContent.image", "user");
  return check_image(content.value, place + ".guardContent", model);
}

Result<void> check_tool_use(const json::value& use, const std::string& place, const Capabilities&) {
  if (!use.get_object().at("input").is_object()) return no_object(place + ".toolUse.input");
  return {};
}

Result<void> check_result_json(const json::value& value, const std::string& place,
                               const Capabilities&) {
  if (!value.is_object()) return no_object(place + ".json");
  return {};
}

/// What a tool may answer with.
constexpr std::array result_rules{
    BlockRule{"text", AllowedIn::user, nullptr, nullptr},
    BlockRule{"json", AllowedIn::user, nullptr, check_result_json},
    BlockRule{"image", AllowedIn::user, &Capabilities::vision, check_image},
    BlockRule{"document", AllowedIn::user, &Capabilities::documents, check_document},
    BlockRule{"video", AllowedIn::nobody, nullptr, nullptr},
    BlockRule{"searchResult", AllowedIn::nobody, nullptr, nullptr},
};

bool is_allowed(const BlockRule& rule, std::string_view role, const Capabilities& model) {
  if (rule.needed && !(model.*rule.needed)) return false;
  switch (rule.roles) {
    case AllowedIn::user: return role == "user";
    case AllowedIn::assistant: return role == "assistant";
    case AllowedIn::both: return true;
    case AllowedIn::nobody: break;
  }
  return false;
}

Result<void> check_tool_result(const json::value& result, const std::string& place,
                               const Capabilities& model) {
  const json::array& content = array_member(result.get_object(), "content");
  if (content.empty() && text_member(result.get_object(), "status") == "error") {
    return refused("The content field at " + place +
                   ".toolResult cannot be empty when status value is error.");
  }
  for (std::size_t i = 0; i < content.size(); ++i) {
    const UnionMember part = member_of(content[i]);
    const auto* rule = std::ranges::find(result_rules, part.name, &BlockRule::member);
    if (rule == result_rules.end() || !is_allowed(*rule, "user", model)) {
      return unsupported_block("toolResult.content." + std::string(part.name), "user");
    }
    if (!rule->check) continue;
    CRATON_TRY(rule->check(part.value, place + ".toolResult.content." + std::to_string(i), model));
  }
  return {};
}

/// So the service says of assistants' messages too, where the model does not take its thoughts
/// back.
Error no_reasoning(std::string_view, std::string_view) {
  return refused(
      "User messages cannot contain reasoning content. Please remove the reasoning content and try "
      "again.");
}

// Source: the members of ContentBlock in the service model, and its documentation of each.
constexpr std::array block_rules{
    BlockRule{"text", AllowedIn::both, nullptr, check_text},
    BlockRule{"image", AllowedIn::user, &Capabilities::vision, check_image},
    BlockRule{"document", AllowedIn::user, &Capabilities::documents, check_document},
    BlockRule{"video", AllowedIn::nobody, nullptr, nullptr},
    BlockRule{"audio", AllowedIn::nobody, nullptr, nullptr},
    BlockRule{"toolUse", AllowedIn::assistant, nullptr, check_tool_use},
    BlockRule{"toolResult", AllowedIn::user, nullptr, check_tool_result},
    BlockRule{"guardContent", AllowedIn::user, nullptr, check_guarded},
    BlockRule{"cachePoint", AllowedIn::both, nullptr, nullptr},
    BlockRule{"reasoningContent", AllowedIn::assistant, &Capabilities::reasoning, nullptr,
              no_reasoning},
    BlockRule{"citationsContent", AllowedIn::assistant, nullptr, nullptr},
    BlockRule{"searchResult", AllowedIn::nobody, nullptr, nullptr},
    BlockRule{"toolAddition", AllowedIn::nobody, nullptr, nullptr},
    BlockRule{"toolRemoval", AllowedIn::nobody, nullptr, nullptr},
};

/// A message's blocks, by what the rules ask of them.
struct Census {
  std::vector<std::string_view> uses;     ///< Ids of toolUse blocks
  std::vector<std::string_view> results;  ///< Ids that toolResult blocks answer
  std::size_t texts = 0;
  std::size_t documents = 0;
  std::size_t others = 0;  ///< Neither tool blocks nor cache points
};

Census census_of(const json::object& message) {
  Census census;
  for (const json::value& value : array_member(message, "content")) {
    const UnionMember block = member_of(value);
    if (block.name == "toolUse") {
      census.uses.push_back(text_member(block.object(), "toolUseId"));
    } else if (block.name == "toolResult") {
      census.results.push_back(text_member(block.object(), "toolUseId"));
    } else if (block.name != "cachePoint") {
      ++census.others;
    }
    census.texts += block.name == "text" || block.name == "guardContent";
    census.documents += block.name == "document";
  }
  return census;
}

Result<void> check_roles(const json::array& messages) {
  if (messages.empty() || text_member(messages.front().get_object(), "role") == "assistant") {
    return refused(
        "A conversation must start with a user message. Try again with a conversation that starts "
        "with a user message.");
  }
  std::string_view last;
  for (const json::value& message : messages) {
    const std::string_view role = text_member(message.get_object(), "role");
    if (role == "system") {
      return refused(
          "This model doesn't support the system role in messages. Use the system field and try "
          "again.");
    }
    if (role == last) {
      return refused(
          "A conversation must alternate between user and assistant roles. Make sure the "
          "conversation alternates between user and assistant roles and try again.");
    }
    last = role;
  }
  return {};
}

Result<void> check_blocks(const json::object& message, std::size_t index,
                          const Capabilities& model) {
  const json::array& content = array_member(message, "content");
  if (content.empty()) {
    return refused("The content field in the Message object at " + place_of(index) +
                   " is empty. Add a ContentBlock object to the content field and try again.");
  }
  const std::string_view role = text_member(message, "role");
  for (std::size_t i = 0; i < content.size(); ++i) {
    const UnionMember block = member_of(content[i]);
    const auto* rule = std::ranges::find(block_rules, block.name, &BlockRule::member);
    if (rule == block_rules.end()) return unsupported_block(block.name, role);
    if (!is_allowed(*rule, role, model)) return rule->refusal(block.name, role);
    if (rule->check) CRATON_TRY(rule->check(block.value, place_of(index, i), model));
  }
  return {};
}

Result<void> check_company(const Census& census, std::size_t index, const Capabilities& model) {
  CRATON_TRY(documents::check_text_beside_documents(census.documents, census.texts));
  if (!model.separate_tool_turns || census.others == 0) return {};
  if (census.uses.empty() && census.results.empty()) return {};
  return refused(place_of(index) + ".content: Conversation blocks and tool " +
                 (census.uses.empty() ? "result" : "use") +
                 " blocks cannot be provided in the same turn.");
}

/// The results in a message against the calls in the one before it.
Result<void> check_results(const Census& before, const Census& now, std::size_t index) {
  std::string missing;
  for (const std::string_view id : before.uses) {
    if (std::ranges::find(now.results, id) != now.results.end()) continue;
    if (!missing.empty()) missing += ", ";
    missing += id;
  }
  if (!missing.empty()) {
    return refused("Expected toolResult blocks at " + place_of(index) +
                   ".content for the following Ids: " + missing);
  }
  if (now.results.size() > before.uses.size()) {
    return refused("The number of toolResult blocks at " + place_of(index) +
                   ".content exceeds the number of toolUse blocks of previous turn.");
  }
  return {};
}

Result<void> check_tool_blocks(const std::vector<Census>& messages, const json::object& input,
                               const Capabilities& model) {
  const bool used = std::ranges::any_of(messages, [](const Census& message) {
    return !message.uses.empty() || !message.results.empty();
  });
  if (used && !model.tools) return refused("This model doesn't support tool use.");
  if (used && !input.contains("toolConfig")) {
    return refused(
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.");
  }
  Census before;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CRATON_TRY(check_results(before, messages[i], i));
    before = messages[i];
  }
  return check_results(before, {}, messages.size());
}

}  // namespace

Result<void> check_messages(const json::object& input, const catalog::Model& model) {
  const json::array& messages = array_member(input, "messages");
  CRATON_TRY(check_roles(messages));
  std::vector<Census> censuses;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const json::object& message = messages[i].get_object();
    CRATON_TRY(check_blocks(message, i, model.converse));
    censuses.push_back(census_of(message));
    CRATON_TRY(check_company(censuses.back(), i, model.converse));
  }
  CRATON_TRY(check_tool_blocks(censuses, input, model.converse));
  const bool ends_with_user = text_member(messages.back().get_object(), "role") == "user";
  if (!ends_with_user && !model.converse.prefill) {
    return refused_by_model(
        "This model does not support assistant message prefill. The conversation must end with a "
        "user message.");
  }
  return {};
}

}  // namespace craton::converse
