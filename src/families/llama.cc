// Meta Llama: a prompt in the template of the model's generation.
//
// Source: docs.aws.amazon.com "Meta Llama models".
#include <algorithm>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/base64.h"
#include "families/attachments.h"
#include "families/members.h"
#include "families/prompt_turns.h"
#include "families/reply_text.h"
#include "families/rows.h"
#include "families/schema.h"
#include "families/text_stream.h"

namespace craton::families {
namespace {

constexpr std::string_view prefixes[] = {"meta.llama"};

/// How a generation of Llama is prompted and answers.
struct Generation {
  std::string_view id_prefix;
  PromptTurns (*read)(std::string_view prompt);  ///< nullptr: a base model, completed as it stands.
  std::string_view lead;                         ///< Source: recorded replies.
  std::string_view turn_marker;                  ///< What begins the user's next turn.
  int max_gen_len;
};

constexpr Generation generations[] = {
    {"meta.llama2-13b-chat", read_inst_marked, "  ", "[INST]", 2048},
    {"meta.llama2-70b-chat", read_inst_marked, "  ", "[INST]", 2048},
    {"meta.llama2-", nullptr, "", "", 2048},
    {"meta.llama3-8b-", read_header_marked, "\n\n", "<|start_header_id|>", 2048},
    {"meta.llama3-70b-", read_header_marked, "\n\n", "<|start_header_id|>", 2048},
    {"meta.llama3-", read_header_marked, "\n\n", "<|start_header_id|>", 8192},
    {"meta.llama", read_header_marked, "\n\n", "<|header_start|>", 8192},
};

/// The first row whose prefix fits; the last fits every Llama.
const Generation& generation_of(std::string_view model_id) {
  const auto* row = std::ranges::find_if(generations, [model_id](const Generation& generation) {
    return model_id.starts_with(generation.id_prefix);
  });
  return row == std::ranges::end(generations) ? *std::ranges::rbegin(generations) : *row;
}

constexpr Schema max_gen_len_schema{
    .type = JsonType::integer,
    .minimum = Bound{1},
    .maximum_of = [](const ModelContext& model) -> std::optional<double> {
      return generation_of(model.model_id).max_gen_len;
    }};

constexpr std::string_view seeing_prefixes[] = {"meta.llama3-2-11b-", "meta.llama3-2-90b-",
                                                "meta.llama4-"};

bool sees(const ModelContext& model) {
  return std::ranges::any_of(
      seeing_prefixes, [&](std::string_view prefix) { return model.model_id.starts_with(prefix); });
}

constexpr Property properties[] = {
    {"prompt", &prompt_schema, Presence::required},
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"max_gen_len", &max_gen_len_schema},
    {"images", &texts_schema, Presence::optional, sees},
};
constexpr Schema schema{.type = JsonType::object, .properties = properties};

constexpr Property additional_properties[] = {
    {"temperature", &unit_schema},
    {"top_p", &unit_schema},
    {"max_gen_len", &max_gen_len_schema},
};
constexpr Schema additional_schema{.type = JsonType::object, .properties = additional_properties};

// Images.

/// Stands in the prompt where an image belongs.
constexpr std::string_view image_marker = "<|image|>";

/// Reads `images`, of which nobody says what they are.
Result<std::vector<ImageBlock>> images_of(const json::object& body) {
  std::vector<ImageBlock> images;
  Attachments attachments(llama_attachments, {});
  for (const std::string& text : texts_member(body, "images")) {
    const std::string place = "#/images/" + std::to_string(images.size());
    std::optional<std::string> bytes = base64_bytes(text);
    if (!bytes) return violation(place + ": expected an image's file in base64");
    ImageBlock image{{}, *std::move(bytes)};
    CRATON_TRY(attachments.add(image, place));
    images.push_back(std::move(image));
  }
  CRATON_TRY(attachments.finish());
  return images;
}

/// Cuts texts at their markers and hands out images, in order.
class ImagePlacer {
 public:
  explicit ImagePlacer(std::vector<ImageBlock> images) : images_(std::move(images)) {}

  void place(Turn& turn) {
    if (turn.role != Role::user) return;
    std::vector<ContentBlock> content;
    for (const ContentBlock& block : turn.content) {
      cut(std::get<TextBlock>(block).text, content);
    }
    turn.content = std::move(content);
  }

  /// Fails unless there was a marker for each image and an image for each marker.
  Result<void> finish() const {
    if (markers_ == images_.size()) return {};
    const std::string_view rule = images_.size() < markers_
                                      ? "#/images: expected minimum item count: "
                                      : "#/images: expected maximum item count: ";
    return violation(std::string(rule) + std::to_string(markers_) +
                     ", found: " + std::to_string(images_.size()));
  }

 private:
  void cut(std::string_view text, std::vector<ContentBlock>& content) {
    for (std::size_t at; (at = text.find(image_marker)) != text.npos; ++markers_) {
      add_text(text.substr(0, at), content);
      if (markers_ < images_.size()) content.emplace_back(std::move(images_[markers_]));
      text.remove_prefix(at + image_marker.size());
    }
    add_text(text, content);
  }

  static void add_text(std::string_view text, std::vector<ContentBlock>& content) {
    if (!text.empty()) content.emplace_back(TextBlock{std::string(text)});
  }

  std::vector<ImageBlock> images_;
  std::size_t markers_ = 0;
};

/// Models that see read each marker as an image; to others it is text.
Result<void> place_images(const ModelContext& model, const json::object& body,
                          std::vector<Turn>& turns) {
  if (!sees(model)) return {};
  CRATON_TRY_ASSIGN(std::vector<ImageBlock> images, images_of(body));
  ImagePlacer placer(std::move(images));
  for (Turn& turn : turns) placer.place(turn);
  return placer.finish();
}

void read_sampling(const json::object& members, Sampling& sampling) {
  if (const auto tokens = integer_member(members, "max_gen_len")) sampling.tokens_max = tokens;
  if (const auto number = number_member(members, "temperature")) sampling.temperature = number;
  if (const auto number = number_member(members, "top_p")) sampling.top_p = number;
}

Result<void> apply_additional(const ModelContext& model, const json::object& fields,
                              NativeRequest& request) {
  CRATON_TRY(check_members(fields, additional_schema, model));
  read_sampling(fields, request.conversation.sampling);
  return {};
}

Result<NativeRequest> parse(const ModelContext& model, std::string_view text) {
  CRATON_TRY_ASSIGN(const json::object body, read_body(text, schema, model));
  const Generation& generation = generation_of(model.model_id);
  const std::string_view prompt = text_member(body, "prompt");
  NativeRequest request;
  Conversation& conversation = request.conversation;
  if (generation.read) {
    PromptTurns read = generation.read(prompt);
    request.lead = read.prefilled() ? "" : generation.lead;
    conversation.system = std::move(read.system);
    conversation.turns = std::move(read.turns);
    conversation.sampling.stop_sequences.emplace_back(generation.turn_marker);
  } else {
    conversation.raw_completion = true;
    conversation.turns = {Turn{Role::user, {TextBlock{std::string(prompt)}}}};
  }
  CRATON_TRY(place_images(model, body, conversation.turns));
  conversation.sampling.tokens_max = 512;
  read_sampling(body, conversation.sampling);
  return request;
}

void append_generation(const TextPiece& piece, std::string& out) {
  out += "{\"generation\":";
  append_reply_text(piece.text, out);
  out += ",\"prompt_token_count\":";
  out += piece.first ? std::to_string(piece.input_tokens) : "null";
  out += ",\"generation_token_count\":" + std::to_string(piece.output_tokens);
  out += ",\"stop_reason\":";
  if (!piece.stop) {
    out += "null}";
  } else {
    out += piece.stop->reason == StopReason::max_tokens ? "\"length\"}" : "\"stop\"}";
  }
}

std::string render(const ReplyContext& context) {
  const Answer& answer = context.answer();
  const std::string text = led_text(context.request, answer);
  const MessageStop stop{answer.stop_reason, {}};
  std::string out;
  append_generation({text, true, &stop, answer.usage.input_tokens, answer.usage.output_tokens},
                    out);
  return out;
}

std::unique_ptr<StreamWriter> stream(const StreamContext& context) {
  return text_stream(context, {append_generation});
}

Error too_long(const InputTooLong& measured) {
  return {ErrorCode::validation, "This model's maximum context length is " +
                                     std::to_string(measured.context_tokens) +
                                     " tokens. Please reduce the length of the prompt"};
}

}  // namespace

constinit const Family llama{
    .name = "meta.llama",
    .id_prefixes = prefixes,
    .shape = BodyShape::any,
    .parse = parse,
    .render = render,
    .stream = stream,
    .too_long = too_long,
    .apply_additional = apply_additional,
};

}  // namespace craton::families
