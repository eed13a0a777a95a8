// What `ask`, `chat`, `invoke`, `count-tokens`, `embed` and `image` are asked, by their flags.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conversation/conversation.h"

namespace craton::cli {

/// Where no model is named: CRATON_MODEL_ID, else the model of the page that Craton began with.
inline constexpr std::string_view default_chat_model = "anthropic.claude-3-haiku-20240307-v1:0";

struct PromptFlags {
  std::string model;
  std::vector<std::string> texts;  ///< "-" is what standard input holds.
  std::string system;
  std::vector<std::string> images;  ///< Files.
  std::optional<int> max_tokens;
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::vector<std::string> stop;
};

/// Adds -m and the text to `command`.
std::shared_ptr<PromptFlags> add_prompt(CLI::App& command, std::string_view default_model);

/// Adds system, images and sampling.
void add_conversation(CLI::App& command, PromptFlags& flags);

/// The texts in one, blank lines between. Without any: what standard input holds, unless it is a
/// terminal. Fails with `validation` when there is nothing.
Result<std::string> text_of(const PromptFlags& flags);

/// A conversation without turns: the system's text and the sampling.
Conversation begun_conversation(const PromptFlags& flags);

/// The same with one turn: the images and text_of(). Fails as both do.
Result<Conversation> conversation_of(const PromptFlags& flags);

/// A turn of the user's: images, then the text.
Result<Turn> user_turn(std::string text, const std::vector<std::string>& images);

/// All of a file, or of standard input where its name is "-". Fails with `validation`.
Result<std::string> contents_of(const std::string& file);

}  // namespace craton::cli
