#include "families/family.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/json.h"
#include "families/rows.h"

namespace craton::families {
namespace {

// A family that reads prompts stands before the one that reads everything else of the same ids.
constexpr std::array rows{
    &anthropic_text, &anthropic_messages, &llama,       &mistral_text,     &mistral_messages,
    &titan_text,     &openai_chat,        &amazon_nova, &cohere_command_r, &jamba,
    &deepseek_r1,    &cohere_command,     &jurassic2,
};

bool speaks_for(const Family& family, std::string_view model_id) {
  return std::ranges::any_of(family.id_prefixes, [model_id](std::string_view prefix) {
    return model_id.starts_with(prefix);
  });
}

/// Of a body that is no JSON object, the prompt's family tells the caller so.
BodyShape shape_of(std::string_view body) {
  const Result<json::value> read = json::parse(body);
  const json::object* members = read ? read->if_object() : nullptr;
  const bool only_messages =
      members && members->contains("messages") && !members->contains("prompt");
  return only_messages ? BodyShape::any : BodyShape::prompt;
}

}  // namespace

std::span<const Family* const> all_families() { return rows; }

const Family* family_of(std::string_view model_id, std::string_view body) {
  const Family* speaks = nullptr;
  for (const Family* family : rows) {
    if (!speaks_for(*family, model_id)) continue;
    if (family->shape == BodyShape::any || shape_of(body) == family->shape) return family;
    speaks = family;  // tells the caller what is wrong, when no other reads such bodies
  }
  return speaks;
}

const Family* chat_family_of(std::string_view model_id) {
  const Family* speaks = nullptr;
  for (const Family* family : rows) {
    if (!speaks_for(*family, model_id)) continue;
    if (family->shape == BodyShape::any) return family;
    speaks = family;
  }
  return speaks;
}

}  // namespace craton::families
