#include "families/anthropic_tools.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "base/json.h"
#include "families/anthropic_content.h"
#include "families/anthropic_model.h"
#include "families/members.h"

namespace craton::families {
namespace {

constexpr Pattern name_pattern{"^[a-zA-Z0-9_-]{1,64}$", [](std::string_view text) {
                                 return is_anthropic_name(text) && text.size() <= 64;
                               }};
constexpr Schema name_schema{.type = JsonType::string, .pattern = &name_pattern};

constexpr std::string_view object_type[] = {"object"};
constexpr Schema object_type_schema{.type = JsonType::string, .values = object_type};
constexpr Property input_properties[] = {{"type", &object_type_schema, Presence::required}};
constexpr Schema input_schema{.type = JsonType::object,
                              .properties = input_properties,
                              .unknown_keys = UnknownKeys::permitted};

constexpr Property custom_properties[] = {{"type", &text_schema},
                                          {"name", &name_schema, Presence::required},
                                          {"description", &text_schema},
                                          {"input_schema", &input_schema, Presence::required},
                                          {"strict", &boolean_schema},
                                          {"input_examples", &any_schema},
                                          {"eager_input_streaming", &any_schema},
                                          {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema custom_schema{.type = JsonType::object, .properties = custom_properties};

// Tools of Anthropic's own, each with one name.

constexpr std::string_view bash_name[] = {"bash"};
constexpr std::string_view old_editor_name[] = {"str_replace_editor"};
constexpr std::string_view editor_name[] = {"str_replace_based_edit_tool"};
constexpr std::string_view computer_name[] = {"computer"};
constexpr std::string_view memory_name[] = {"memory"};
constexpr Schema bash_name_schema{.type = JsonType::string, .values = bash_name};
constexpr Schema old_editor_name_schema{.type = JsonType::string, .values = old_editor_name};
constexpr Schema editor_name_schema{.type = JsonType::string, .values = editor_name};
constexpr Schema computer_name_schema{.type = JsonType::string, .values = computer_name};
constexpr Schema memory_name_schema{.type = JsonType::string, .values = memory_name};

constexpr Schema pixels_schema{.type = JsonType::integer, .minimum = Bound{1}};
constexpr Schema number_schema{.type = JsonType::integer, .minimum = Bound{0}};

template <const Schema& name>
constexpr Property plain_properties[] = {{"type", &text_schema},
                                         {"name", &name, Presence::required},
                                         {"cache_control", &anthropic_cache_control_schema}};
template <const Schema& name>
constexpr Schema plain_schema{.type = JsonType::object, .properties = plain_properties<name>};

constexpr Property editor_properties[] = {{"type", &text_schema},
                                          {"name", &editor_name_schema, Presence::required},
                                          {"max_characters", &pixels_schema},
                                          {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema editor_schema{.type = JsonType::object, .properties = editor_properties};

constexpr Property computer_properties[] = {
    {"type", &text_schema},
    {"name", &computer_name_schema, Presence::required},
    {"display_width_px", &pixels_schema, Presence::required},
    {"display_height_px", &pixels_schema, Presence::required},
    {"display_number", &number_schema},
    {"enable_zoom", &boolean_schema},
    {"cache_control", &anthropic_cache_control_schema}};
constexpr Schema computer_schema{.type = JsonType::object, .properties = computer_properties};

constexpr Variant tool_variants[] = {
    {"custom", &custom_schema},
    {"bash_20241022", &plain_schema<bash_name_schema>},
    {"bash_20250124", &plain_schema<bash_name_schema>},
    {"text_editor_20241022", &plain_schema<old_editor_name_schema>},
    {"text_editor_20250124", &plain_schema<old_editor_name_schema>},
    {"text_editor_20250429", &editor_schema},
    {"text_editor_20250728", &editor_schema},
    {"computer_20241022", &computer_schema},
    {"computer_20250124", &computer_schema},
    {"computer_20251124", &computer_schema},
    {"memory_20250818", &plain_schema<memory_name_schema>},
};
constexpr Schema tool_schema{
    .type = JsonType::object, .variants = tool_variants, .variant_default = "custom"};

constexpr Property choice_properties[] = {{"type", &text_schema, Presence::required},
                                          {"disable_parallel_tool_use", &boolean_schema}};
constexpr Schema choice_schema{.type = JsonType::object, .properties = choice_properties};
constexpr Property none_properties[] = {{"type", &text_schema, Presence::required}};
constexpr Schema none_schema{.type = JsonType::object, .properties = none_properties};
constexpr Property named_properties[] = {{"type", &text_schema, Presence::required},
                                         {"name", &text_schema, Presence::required},
                                         {"disable_parallel_tool_use", &boolean_schema}};
constexpr Schema named_schema{.type = JsonType::object, .properties = named_properties};
constexpr Variant choice_variants[] = {
    {"auto", &choice_schema},
    {"any", &choice_schema},
    {"tool", &named_schema},
    {"none", &none_schema, [](const ModelContext& model) { return thinks(model.model_id); }},
};

/// What Claude knows of a tool of Anthropic's. The first whose prefix fits a tool's type is it.
struct BuiltIn {
  std::string_view type_prefix;
  std::string_view description;
  std::string_view input_schema;
};

constexpr std::string_view bash_input =
    R"({"type":"object","properties":{"command":{"type":"string","description":"The command to run. )"
    R"(Required unless the tool is restarted."},"restart":{"type":"boolean","description":"True )"
    R"(restarts the session."}}})";
constexpr std::string_view old_editor_input =
    R"({"type":"object","properties":{"command":{"type":"string","enum":["view","create",)"
    R"("str_replace","insert","undo_edit"]},"path":{"type":"string","description":"Absolute path )"
    R"(of a file or directory."},"file_text":{"type":"string","description":"For create: what the )"
    R"(file is to hold."},"old_str":{"type":"string","description":"For str_replace: the text to )"
    R"(replace, which occurs once."},"new_str":{"type":"string","description":"For str_replace and )"
    R"(insert: the new text."},"insert_line":{"type":"integer","description":"For insert: the line )"
    R"(after which the text goes; 0 is the beginning."},"view_range":{"type":"array","items":)"
    R"({"type":"integer"},"description":"For view: first and last line; -1 is the end."}},)"
    R"("required":["command","path"]})";
constexpr std::string_view editor_input =
    R"({"type":"object","properties":{"command":{"type":"string","enum":["view","create",)"
    R"("str_replace","insert"]},"path":{"type":"string","description":"Path of a file or )"
    R"(directory."},"file_text":{"type":"string","description":"For create: what the file is to )"
    R"(hold."},"old_str":{"type":"string","description":"For str_replace: the text to replace, )"
    R"(which occurs once."},"new_str":{"type":"string","description":"For str_replace: the new )"
    R"(text."},"insert_line":{"type":"integer","description":"For insert: the line after which the )"
    R"(text goes; 0 is the beginning."},"insert_text":{"type":"string","description":"For insert: )"
    R"(the text."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For )"
    R"(view: first and last line; -1 is the end."}},"required":["command","path"]})";
constexpr std::string_view old_computer_input =
    R"({"type":"object","properties":{"action":{"type":"string","enum":["key","type","mouse_move",)"
    R"("left_click","left_click_drag","right_click","middle_click","double_click","screenshot",)"
    R"("cursor_position"]},"coordinate":{"type":"array","items":{"type":"integer"},"description":)"
    R"("x and y in pixels, for mouse_move and left_click_drag."},"text":{"type":"string",)"
    R"("description":"For type and key."}},"required":["action"]})";
constexpr std::string_view computer_input =
    R"({"type":"object","properties":{"action":{"type":"string","enum":["key","hold_key","type",)"
    R"("mouse_move","left_mouse_down","left_mouse_up","left_click","left_click_drag",)"
    R"("right_click","middle_click","double_click","triple_click","scroll","wait","screenshot",)"
    R"("cursor_position"]},"coordinate":{"type":"array","items":{"type":"integer"},"description":)"
    R"("x and y in pixels."},"start_coordinate":{"type":"array","items":{"type":"integer"},)"
    R"("description":"Where left_click_drag begins."},"text":{"type":"string","description":"For )"
    R"(type, key and hold_key."},"scroll_direction":{"type":"string","enum":["up","down","left",)"
    R"("right"]},"scroll_amount":{"type":"integer"},"duration":{"type":"number","description":)"
    R"("Seconds, for wait and hold_key."}},"required":["action"]})";
constexpr std::string_view zooming_computer_input =
    R"({"type":"object","properties":{"action":{"type":"string","enum":["key","hold_key","type",)"
    R"("mouse_move","left_mouse_down","left_mouse_up","left_click","left_click_drag",)"
    R"("right_click","middle_click","double_click","triple_click","scroll","wait","screenshot",)"
    R"("cursor_position","zoom"]},"coordinate":{"type":"array","items":{"type":"integer"},)"
    R"("description":"x and y in pixels."},"start_coordinate":{"type":"array","items":{"type":)"
    R"("integer"},"description":"Where left_click_drag begins."},"region":{"type":"array","items":)"
    R"({"type":"integer"},"description":"For zoom: left, top, right and bottom in pixels."},)"
    R"("text":{"type":"string","description":"For type, key and hold_key."},"scroll_direction":)"
    R"({"type":"string","enum":["up","down","left","right"]},"scroll_amount":{"type":"integer"},)"
    R"("duration":{"type":"number","description":"Seconds, for wait and hold_key."}},"required":)"
    R"(["action"]})";
constexpr std::string_view memory_input =
    R"({"type":"object","properties":{"command":{"type":"string","enum":["view","create",)"
    R"("str_replace","insert","delete","rename"]},"path":{"type":"string","description":"A path )"
    R"(under /memories."},"file_text":{"type":"string","description":"For create."},"old_str":)"
    R"({"type":"string","description":"For str_replace."},"new_str":{"type":"string",)"
    R"("description":"For str_replace."},"insert_line":{"type":"integer","description":"For )"
    R"(insert."},"insert_text":{"type":"string","description":"For insert."},"old_path":{"type":)"
    R"("string","description":"For rename."},"new_path":{"type":"string","description":"For )"
    R"(rename."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For view: )"
    R"(first and last line."}},"required":["command"]})";

constexpr BuiltIn built_ins[] = {
    {"bash_", "Runs commands in a bash session that lasts.", bash_input},
    {"text_editor_20241022", "Views, creates and edits files.", old_editor_input},
    {"text_editor_20250124", "Views, creates and edits files.", old_editor_input},
    {"text_editor_", "Views, creates and edits files.", editor_input},
    {"computer_20241022", "Uses a computer by mouse, keyboard and screenshots.",
     old_computer_input},
    {"computer_20250124", "Uses a computer by mouse, keyboard and screenshots.", computer_input},
    {"computer_", "Uses a computer by mouse, keyboard and screenshots.", zooming_computer_input},
    {"memory_", "Keeps files in a directory that later conversations can read.", memory_input},
};

Error refused(std::string message) { return {ErrorCode::validation, std::move(message)}; }

Tool built_in_tool(const BuiltIn& known, const json::object& tool) {
  std::string description(known.description);
  if (const auto width = integer_member(tool, "display_width_px")) {
    description += " The screen is " + std::to_string(*width) + " by " +
                   std::to_string(*integer_member(tool, "display_height_px")) + " pixels.";
  }
  return {std::string(text_member(tool, "name")), std::move(description),
          std::string(known.input_schema)};
}

Tool tool_of(const json::object& tool) {
  const std::string_view type = text_member(tool, "type");
  for (const BuiltIn& known : built_ins) {
    if (type.starts_with(known.type_prefix)) return built_in_tool(known, tool);
  }
  return {std::string(text_member(tool, "name")), std::string(text_member(tool, "description")),
          json::to_text(tool.at("input_schema"))};
}

bool is_offered(const Tools& tools, std::string_view name) {
  return std::ranges::find(tools.offered, name, &Tool::name) != tools.offered.end();
}

Result<void> check_names(const Tools& tools) {
  std::set<std::string_view> names;
  for (const Tool& tool : tools.offered) {
    if (!names.insert(tool.name).second) return refused("tools: Tool names must be unique.");
  }
  return {};
}

Result<void> read_choice(const json::object& choice, Tools& tools) {
  if (tools.offered.empty()) {
    return refused("tool_choice may only be specified while providing tools.");
  }
  const std::string_view type = text_member(choice, "type");
  tools.choice = type == "any"    ? ToolChoice::any
                 : type == "tool" ? ToolChoice::named
                 : type == "none" ? ToolChoice::none
                                  : ToolChoice::automatic;
  tools.named = text_member(choice, "name");
  tools.parallel = !asks(choice, "disable_parallel_tool_use");
  if (tools.choice == ToolChoice::named && !is_offered(tools, tools.named)) {
    return refused("Tool '" + tools.named.substr(0, repeated_text_max) +
                   "' not found in provided tools");
  }
  return {};
}

}  // namespace

constinit const Schema anthropic_tools_schema{.type = JsonType::array, .items = &tool_schema};
constinit const Schema anthropic_tool_choice_schema{.type = JsonType::object,
                                                    .variants = choice_variants};

bool is_anthropic_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

Result<void> read_anthropic_tools(const json::object& members, Tools& tools) {
  if (const json::value* offered = members.if_contains("tools")) {
    for (const json::value& tool : offered->get_array()) {
      tools.offered.push_back(tool_of(tool.get_object()));
    }
    CRATON_TRY(check_names(tools));
  }
  const json::value* choice = members.if_contains("tool_choice");
  return choice ? read_choice(choice->get_object(), tools) : Result<void>();
}

}  // namespace craton::families
