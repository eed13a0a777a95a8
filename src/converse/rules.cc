#include "converse/rules.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "converse/members.h"
#include "converse/message_rules.h"
#include "converse/refusals.h"

namespace craton::converse {
namespace {

constexpr int cache_points_max = 4;  ///< In a request. Source: the prompt caching page.

Result<void> check_prompt_variables(const json::object& input, const catalog::Model&, Delivery) {
  const json::object* variables = object_member(input, "promptVariables");
  if (!variables || variables->empty()) return {};
  return refused(
      "The promptVariables field is only for prompts of Prompt management, whose ARN is then the "
      "modelId. Remove promptVariables and try again.");
}

Result<void> check_system(const json::object& input, const catalog::Model& model, Delivery) {
  const json::array& blocks = array_member(input, "system");
  if (!blocks.empty() && !model.converse.system) {
    return refused(
        "This model doesn't support system messages. Try again without a system message or use a "
        "model that supports system messages.");
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const UnionMember block = member_of(blocks[i]);
    if (block.name == "text" && is_blank(block.value.get_string())) {
      return blank_text("SystemContentBlock", "system." + std::to_string(i));
    }
    if (block.name == "guardContent" && member_of(block.value).name == "image") {
      return unsupported("system.guardContent.image");
    }
  }
  return {};
}

Result<void> check_tool(const json::object& tool, const std::string& place,
                        std::set<std::string_view>& names) {
  if (!names.insert(text_member(tool, "name")).second) {
    return refused_by_model("tools: Tool names must be unique.");
  }
  const std::string schema_place = place + ".toolSpec.inputSchema.json";
  const json::value& schema = tool.at("inputSchema").at("json");
  if (!schema.is_object()) return no_object(schema_place);
  if (text_member(schema.get_object(), "type") == "object") return {};
  return refused("The value at " + schema_place + ".type must be one of the following: object.");
}

Result<void> check_choice(const json::object& config, const catalog::Capabilities& model,
                          const std::set<std::string_view>& names) {
  const json::value* choice = config.if_contains("toolChoice");
  if (!choice) return {};
  const UnionMember asked = member_of(*choice);
  const bool supported = asked.name == "any"    ? model.tool_choice_any
                         : asked.name == "tool" ? model.tool_choice_tool
                                                : true;
  if (!supported) return unsupported("toolConfig.toolChoice." + std::string(asked.name));
  if (asked.name == "tool" && !names.contains(text_member(asked.object(), "name"))) {
    return refused(
        "The tool at toolConfig.toolChoice.tool.name isn't one of toolConfig.tools. Name one of "
        "them and try again.");
  }
  return {};
}

Result<void> check_tools(const json::object& input, const catalog::Model& model,
                         Delivery delivery) {
  const json::object* config = object_member(input, "toolConfig");
  if (!config) return {};
  if (!model.converse.tools) return refused("This model doesn't support tool use.");
  if (delivery == Delivery::streamed && !model.converse.streaming_tools) {
    return refused("This model doesn't support tool use in streaming mode.");
  }
  std::set<std::string_view> names;
  const json::array& tools = array_member(*config, "tools");
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const std::string place = "toolConfig.tools." + std::to_string(i);
    const UnionMember tool = member_of(tools[i]);
    if (tool.name == "systemTool") return unsupported(place + ".systemTool");
    if (tool.name == "toolSpec") CRATON_TRY(check_tool(tool.object(), place, names));
  }
  return check_choice(*config, model.converse, names);
}

Result<void> check_conversation(const json::object& input, const catalog::Model& model, Delivery) {
  return check_messages(input, model);
}

/// Cache points of a list of blocks: each closes the block before it, in the same list.
class CachePoints {
 public:
  Result<void> add(const json::array& blocks, const std::string& place) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (member_of(blocks[i]).name != "cachePoint") continue;
      ++count_;
      if (i == 0 || !can_be_closed(blocks[i - 1])) {
        return refused_by_model(place + "." + std::to_string(i) + ".type: Field required");
      }
    }
    return {};
  }

  int count() const { return count_; }

 private:
  static bool can_be_closed(const json::value& value) {
    const UnionMember block = member_of(value);
    if (block.name == "document") return text_member(block.object(), "format") == "pdf";
    return block.name != "cachePoint";
  }

  int count_ = 0;
};

bool has_cache_point(const json::array& blocks) {
  return std::ranges::any_of(
      blocks, [](const json::value& block) { return member_of(block).name == "cachePoint"; });
}

const json::array& offered_tools(const json::object& input) {
  const json::object* config = object_member(input, "toolConfig");
  return array_member(config ? *config : input, "tools");
}

bool asks_for_caching(const json::object& input) {
  return has_cache_point(array_member(input, "system")) || has_cache_point(offered_tools(input)) ||
         std::ranges::any_of(array_member(input, "messages"), [](const json::value& message) {
           return has_cache_point(array_member(message.get_object(), "content"));
         });
}

Result<void> check_caching(const json::object& input, const catalog::Model& model, Delivery) {
  if (!asks_for_caching(input)) return {};
  if (!model.converse.prompt_caching) {
    return Error{
        ErrorCode::access_denied,
        "You invoked an unsupported model or your request did not allow prompt caching. See the "
        "documentation for more information."};
  }
  CachePoints points;
  CRATON_TRY(points.add(offered_tools(input), "tools"));
  CRATON_TRY(points.add(array_member(input, "system"), "system"));
  const json::array& messages = array_member(input, "messages");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CRATON_TRY(points.add(array_member(messages[i].get_object(), "content"),
                          "messages." + std::to_string(i) + ".content"));
  }
  if (points.count() <= cache_points_max) return {};
  return refused_by_model("A maximum of " + std::to_string(cache_points_max) +
                          " blocks with cache_control may be provided. Found " +
                          std::to_string(points.count()) + ".");
}

Result<void> check_inference(const json::object& input, const catalog::Model& model, Delivery) {
  const json::object* config = object_member(input, "inferenceConfig");
  if (!config) return {};
  const json::value* asked = config->if_contains("maxTokens");
  if (asked && model.output_tokens_max && asked->get_int64() > *model.output_tokens_max) {
    const std::string limit = std::to_string(*model.output_tokens_max);
    return refused("The maximum tokens you requested exceeds the model limit of " + limit +
                   ". Try again with a maximum tokens value that is lower than " + limit + ".");
  }
  if (model.converse.temperature_or_top_p && config->contains("temperature") &&
      config->contains("topP")) {
    return refused_by_model(
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
  }
  return {};
}

Result<void> check_output(const json::object& input, const catalog::Model& model, Delivery) {
  const json::object* config = object_member(input, "outputConfig");
  if (!config) return {};
  if (!text_member(*config, "effort").empty() && !model.converse.reasoning) {
    return unsupported("outputConfig.effort");
  }
  const json::object* format = object_member(*config, "textFormat");
  if (!format) return {};
  if (!model.converse.structured_output) return unsupported("outputConfig.textFormat");
  constexpr std::string_view place = "outputConfig.textFormat.structure.jsonSchema.schema";
  const UnionMember structure = member_of(format->at("structure"));
  const Result<json::value> schema = json::parse(text_member(structure.object(), "schema"));
  if (schema && schema->is_object()) return {};
  return refused("The format of the value at " + std::string(place) +
                 " is invalid. Provide a JSON schema, as a string, for the field and try again.");
}

Result<void> check_additional_fields(const json::object& input, const catalog::Model&, Delivery) {
  const json::value* fields = input.if_contains("additionalModelRequestFields");
  if (fields && !fields->is_object()) return no_object("additionalModelRequestFields");
  return {};
}

using Rule = Result<void> (*)(const json::object&, const catalog::Model&, Delivery);

constexpr std::array rules{
    Rule{check_prompt_variables},
    Rule{check_system},
    Rule{check_tools},
    Rule{check_conversation},
    Rule{check_caching},
    Rule{check_inference},
    Rule{check_output},
    Rule{check_additional_fields},
};

}  // namespace

Result<void> check(const json::object& input, const catalog::Model& model, Delivery delivery) {
  for (const Rule rule : rules) CRATON_TRY(rule(input, model, delivery));
  return {};
}

Error of_the_model(const Error& error) {
  if (error.code != ErrorCode::validation) return error;
  return refused_by_model(error.message);
}

}  // namespace craton::converse
