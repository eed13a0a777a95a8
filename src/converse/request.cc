#include "converse/request.h"

#include <array>
#include <utility>

#include "base/base64.h"
#include "converse/additional_fields.h"
#include "converse/attachments.h"
#include "converse/members.h"

namespace craton::converse {
namespace {

/// A blob, which the API model has seen to be base64.
std::string bytes_of(const json::object& members, std::string_view name) {
  return base64_bytes(text_member(members, name)).value_or(std::string());
}

ImageBlock image_of(const json::object& image) {
  return {std::string(text_member(image, "format")),
          bytes_of(*object_member(image, "source"), "bytes")};
}

DocumentBlock document_of(const json::object& document) {
  return {std::string(text_member(document, "format")), std::string(text_member(document, "name")),
          bytes_of(*object_member(document, "source"), "bytes"),
          std::string(text_member(document, "context"))};
}

ToolResultPart result_part_of(const json::value& value) {
  const UnionMember part = member_of(value);
  if (part.name == "image") return image_of(part.object());
  if (part.name == "document") return document_of(part.object());
  if (part.name == "json") return TextBlock{json::to_text(part.value)};
  return TextBlock{std::string(part.value.get_string())};
}

ContentBlock text_block(const json::value& text) {
  return TextBlock{std::string(text.get_string())};
}

ContentBlock image_block(const json::value& image) { return image_of(image.get_object()); }

ContentBlock document_block(const json::value& document) {
  return document_of(document.get_object());
}

ContentBlock tool_use_block(const json::value& value) {
  const json::object& use = value.get_object();
  return ToolUseBlock{std::string(text_member(use, "toolUseId")),
                      std::string(text_member(use, "name")), json::to_text(use.at("input"))};
}

ContentBlock tool_result_block(const json::value& value) {
  const json::object& result = value.get_object();
  ToolResultBlock block{
      std::string(text_member(result, "toolUseId")), {}, text_member(result, "status") == "error"};
  for (const json::value& part : array_member(result, "content")) {
    block.content.push_back(result_part_of(part));
  }
  return block;
}

/// What a guardrail would assess is content like any other.
ContentBlock guarded_block(const json::value& value) {
  const UnionMember guarded = member_of(value);
  if (guarded.name == "image") return image_of(guarded.object());
  return TextBlock{std::string(text_member(guarded.object(), "text"))};
}

ContentBlock reasoning_block(const json::value& value) {
  const UnionMember thought = member_of(value);
  if (thought.name == "redactedContent") {
    return ReasoningBlock{{}, {}, bytes_of(value.get_object(), thought.name)};
  }
  return ReasoningBlock{std::string(text_member(thought.object(), "text")),
                        std::string(text_member(thought.object(), "signature")),
                        {}};
}

/// Cited text; where it was cited from is not told again.
ContentBlock cited_block(const json::value& value) {
  TextBlock block;
  for (const json::value& part : array_member(value.get_object(), "content")) {
    block.text += member_of(part).value.get_string();
  }
  return block;
}

struct BlockReader {
  std::string_view member;
  ContentBlock (*read)(const json::value& value);
};

// The others are refused by the rules, or say nothing to an engine (cachePoint).
constexpr std::array readers{
    BlockReader{"text", text_block},
    BlockReader{"image", image_block},
    BlockReader{"document", document_block},
    BlockReader{"toolUse", tool_use_block},
    BlockReader{"toolResult", tool_result_block},
    BlockReader{"guardContent", guarded_block},
    BlockReader{"reasoningContent", reasoning_block},
    BlockReader{"citationsContent", cited_block},
};

/// Reads an input that breaks no rule.
class Reader {
 public:
  Reader(const json::object& input, const catalog::Model& model) : input_(input), model_(model) {
    request_.separate_tool_turns = model.converse.separate_tool_turns;
    read_system();
    read_messages();
    read_sampling();
    read_tools();
    read_output();
    read_rest();
  }

  Request take() { return std::move(request_); }

 private:
  Conversation& conversation() { return request_.native.conversation; }

  static CacheLife life_of(const UnionMember& cache_point) {
    return text_member(cache_point.object(), "ttl") == "1h" ? CacheLife::hour : CacheLife::minutes;
  }

  void read_system() {
    for (const json::value& value : array_member(input_, "system")) {
      const UnionMember block = member_of(value);
      if (block.name == "cachePoint") {
        mark_for_cache(conversation(), {}, life_of(block));
      } else if (block.name == "text") {
        conversation().system.push_back({std::string(block.value.get_string())});
      } else {
        const std::string_view text = text_member(member_of(block.value).object(), "text");
        conversation().system.push_back({std::string(text)});
      }
    }
  }

  void read_messages() {
    for (const json::value& value : array_member(input_, "messages")) {
      const json::object& message = value.get_object();
      Turn turn{text_member(message, "role") == "user" ? Role::user : Role::assistant, {}};
      for (const json::value& block : array_member(message, "content")) read_block(block, turn);
      conversation().turns.push_back(std::move(turn));
    }
  }

  void read_block(const json::value& value, Turn& turn) {
    const UnionMember block = member_of(value);
    if (block.name == "cachePoint") {
      mark_for_cache(conversation(), {conversation().turns.size(), turn.content.size()},
                     life_of(block));
    }
    for (const BlockReader& reader : readers) {
      if (reader.member == block.name) turn.content.push_back(reader.read(block.value));
    }
  }

  /// Without a limit of the caller's, the model's own stands.
  void read_sampling() {
    Sampling& sampling = conversation().sampling;
    sampling.tokens_max = model_.output_tokens_max;
    const json::object* config = object_member(input_, "inferenceConfig");
    if (!config) return;
    if (const json::value* asked = config->if_contains("maxTokens")) {
      sampling.tokens_max = static_cast<int>(asked->get_int64());
    }
    sampling.temperature = number_in(*config, "temperature");
    sampling.top_p = number_in(*config, "topP");
    for (const json::value& sequence : array_member(*config, "stopSequences")) {
      sampling.stop_sequences.emplace_back(sequence.get_string());
    }
  }

  static std::optional<double> number_in(const json::object& members, std::string_view name) {
    const json::value* number = members.if_contains(name);
    return number ? std::optional(number->to_number<double>()) : std::nullopt;
  }

  void read_tools() {
    const json::object* config = object_member(input_, "toolConfig");
    if (!config) return;
    Tools& tools = conversation().tools;
    for (const json::value& value : array_member(*config, "tools")) {
      const UnionMember tool = member_of(value);
      if (tool.name == "cachePoint") {
        mark_for_cache(conversation(), {}, life_of(tool));
        continue;
      }
      tools.offered.push_back({std::string(text_member(tool.object(), "name")),
                               std::string(text_member(tool.object(), "description")),
                               json::to_text(tool.object().at("inputSchema").at("json"))});
    }
    if (const json::value* choice = config->if_contains("toolChoice")) read_choice(*choice);
  }

  void read_choice(const json::value& value) {
    Tools& tools = conversation().tools;
    const UnionMember choice = member_of(value);
    if (choice.name == "any") tools.choice = ToolChoice::any;
    if (choice.name != "tool") return;
    tools.choice = ToolChoice::named;
    tools.named = text_member(choice.object(), "name");
  }

  void read_output() {
    const json::object* config = object_member(input_, "outputConfig");
    if (!config) return;
    if (config->contains("effort")) request_.native.ignored_fields.emplace_back("effort");
    if (const json::object* format = object_member(*config, "textFormat")) {
      const UnionMember structure = member_of(format->at("structure"));
      conversation().format =
          ResponseFormat{std::string(text_member(structure.object(), "schema"))};
    }
  }

  void read_rest() {
    if (const json::object* fields = object_member(input_, "additionalModelRequestFields")) {
      request_.additional_fields = *fields;
    }
    for (const json::value& path : array_member(input_, "additionalModelResponseFieldPaths")) {
      request_.response_paths.emplace_back(path.get_string());
    }
    if (const json::object* config = object_member(input_, "performanceConfig")) {
      request_.latency = text_member(*config, "latency");
    }
    if (const json::object* tier = object_member(input_, "serviceTier")) {
      request_.service_tier = text_member(*tier, "type");
    }
  }

  const json::object& input_;
  const catalog::Model& model_;
  Request request_;
};

}  // namespace

Result<Request> read(const json::object& input, const catalog::Model& model, Delivery delivery) {
  CRATON_TRY(check(input, model, delivery));
  Request request = Reader(input, model).take();
  CRATON_TRY(check_paths(request.response_paths));
  CRATON_TRY(check_attachments(input, model.id, request.native.conversation));
  return request;
}

}  // namespace craton::converse
