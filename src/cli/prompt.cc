#include "cli/prompt.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/utf8.h"

namespace craton::cli {
namespace {

struct Extension {
  std::string_view name;
  std::string_view format;
};
constexpr Extension extensions[] = {
    {".png", "png"}, {".jpg", "jpeg"}, {".jpeg", "jpeg"}, {".gif", "gif"}, {".webp", "webp"}};

Result<ImageBlock> image_of(const std::string& file) {
  std::string extension = std::filesystem::path(file).extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* row = std::ranges::find(extensions, extension, &Extension::name);
  if (row == std::end(extensions)) {
    return Error{ErrorCode::validation, "'" + file + "' is no .png, .jpg, .gif or .webp"};
  }
  CRATON_TRY_ASSIGN(std::string bytes, contents_of(file));
  return ImageBlock{std::string(row->format), std::move(bytes)};
}

std::string without_last_newline(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

std::shared_ptr<PromptFlags> add_prompt(CLI::App& command, std::string_view default_model) {
  auto flags = std::make_shared<PromptFlags>();
  flags->model = default_model;
  command
      .add_option("-m,--model", flags->model,
                  "Model id, inference profile or ARN (default: CRATON_MODEL_ID, else " +
                      std::string(default_model) + ")")
      ->envname("CRATON_MODEL_ID")
      ->type_name("ID");
  command.add_option("TEXT", flags->texts,
                     "The text; - is what standard input holds, as it is where there is no text");
  return flags;
}

void add_conversation(CLI::App& command, PromptFlags& flags) {
  command.add_option("--system", flags.system, "What the model is told before")->type_name("TEXT");
  command.add_option("--image", flags.images, "An image to look at; may be there several times")
      ->type_name("FILE");
  command.add_option("--max-tokens", flags.max_tokens, "Of the answer")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command.add_option("--temperature", flags.temperature, "0 always gives the same answer")
      ->type_name("T");
  command.add_option("--top-p", flags.top_p, "0 to 1")->type_name("P");
  command.add_option("--stop", flags.stop, "Text before which the answer ends")->type_name("TEXT");
}

Result<std::string> contents_of(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code none;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, none)) {
    return Error{ErrorCode::validation, "cannot read '" + file + "': " +
                                            (stream ? "it is a folder" : std::strerror(errno))};
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

Result<std::string> text_of(const PromptFlags& flags) {
  std::vector<std::string> texts = flags.texts;
  if (texts.empty() && !isatty(STDIN_FILENO)) texts.emplace_back("-");
  std::string all;
  for (const std::string& text : texts) {
    std::string part = text;
    if (text == "-") {
      CRATON_TRY_ASSIGN(part, contents_of(text));
      part = without_last_newline(std::move(part));
    }
    if (!all.empty() && !part.empty()) all += "\n\n";
    all += part;
  }
  if (all.empty()) {
    return Error{ErrorCode::validation, "there is no text; give one, or pipe one in"};
  }
  if (mended_utf8(all) != all) return Error{ErrorCode::validation, "the text is no UTF-8"};
  return all;
}

Conversation begun_conversation(const PromptFlags& flags) {
  Conversation conversation;
  if (!flags.system.empty()) conversation.system.push_back({flags.system});
  conversation.sampling.tokens_max = flags.max_tokens;
  conversation.sampling.temperature = flags.temperature;
  conversation.sampling.top_p = flags.top_p;
  conversation.sampling.stop_sequences = flags.stop;
  return conversation;
}

Result<Turn> user_turn(std::string text, const std::vector<std::string>& images) {
  Turn turn{Role::user, {}};
  for (const std::string& file : images) {
    CRATON_TRY_ASSIGN(ImageBlock image, image_of(file));
    turn.content.emplace_back(std::move(image));
  }
  turn.content.emplace_back(TextBlock{std::move(text)});
  return turn;
}

Result<Conversation> conversation_of(const PromptFlags& flags) {
  CRATON_TRY_ASSIGN(std::string text, text_of(flags));
  CRATON_TRY_ASSIGN(Turn turn, user_turn(std::move(text), flags.images));
  Conversation conversation = begun_conversation(flags);
  conversation.turns.push_back(std::move(turn));
  return conversation;
}

}  // namespace craton::cli
