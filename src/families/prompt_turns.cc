#include "families/prompt_turns.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

namespace craton::families {
namespace {

enum class Speaker { system, user, assistant };

/// A stretch of a prompt between two markers.
struct Part {
  Speaker speaker;
  std::string text;
};

PromptTurns unmarked(std::string_view prompt) {
  return {
      .system = {}, .turns = {Turn{Role::user, {TextBlock{std::string(prompt)}}}}, .marked = false};
}

/// Parts become turns by the rules in the header. `parts` is empty when there was no marker.
PromptTurns assemble(std::string_view prompt, std::vector<Part> parts) {
  PromptTurns read{.system = {}, .turns = {}, .marked = true};
  for (Part& part : parts) {
    if (part.text.empty()) continue;
    if (part.speaker == Speaker::system) {
      read.system.push_back({std::move(part.text)});
      continue;
    }
    const Role role = part.speaker == Speaker::user ? Role::user : Role::assistant;
    merge_turn(read.turns, {role, {TextBlock{std::move(part.text)}}});
  }
  if (read.turns.empty() || read.turns.front().role != Role::user) return unmarked(prompt);
  return read;
}

void append_part(std::vector<Part>& parts, Speaker speaker, std::string_view text) {
  parts.push_back({speaker, std::string(trimmed(text))});
}

std::string without(std::string_view text, std::string_view token) {
  std::string kept;
  for (std::size_t at; (at = text.find(token)) != text.npos;
       text.remove_prefix(at + token.size())) {
    kept += text.substr(0, at);
  }
  return kept += text;
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// What stands before the first `mark`, which is consumed too; all of `text` when there is none.
std::string_view take_until(std::string_view& text, std::string_view mark) {
  const std::size_t at = std::min(text.find(mark), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + mark.size(), text.size()));
  return taken;
}

// Line markers.

struct Marker {
  Speaker speaker;
  std::size_t begin;  ///< Of its line.
  std::size_t end;    ///< Where the turn's text begins.
};

std::optional<Marker> marker_at(std::string_view prompt, std::size_t line,
                                const LineMarkers& markers) {
  const std::size_t begin = prompt.find_first_not_of(" \t", line);
  if (begin == prompt.npos) return std::nullopt;
  const std::string_view rest = prompt.substr(begin);
  if (rest.starts_with(markers.user)) {
    return Marker{Speaker::user, line, begin + markers.user.size()};
  }
  if (rest.starts_with(markers.assistant)) {
    return Marker{Speaker::assistant, line, begin + markers.assistant.size()};
  }
  return std::nullopt;
}

std::vector<Marker> line_markers(std::string_view prompt, const LineMarkers& markers) {
  std::vector<Marker> found;
  for (std::size_t line = 0; line < prompt.size();) {
    if (const auto marker = marker_at(prompt, line, markers)) found.push_back(*marker);
    line = std::min(prompt.find('\n', line), prompt.size()) + 1;
  }
  return found;
}

/// The assistant's marker within the only line of a prompt whose only marker is the user's.
std::optional<Marker> inline_marker(std::string_view prompt, const std::vector<Marker>& found,
                                    const LineMarkers& markers) {
  if (found.size() != 1 || found[0].begin != 0 || found[0].speaker != Speaker::user) {
    return std::nullopt;
  }
  const std::string marker = " " + std::string(markers.assistant);
  const std::size_t at = prompt.rfind(marker);
  if (at == prompt.npos) return std::nullopt;
  const std::size_t end = at + marker.size();
  const bool is_cue = trimmed(prompt.substr(end)).empty();
  if (!is_cue && prompt.find(marker) != at) return std::nullopt;
  return Marker{Speaker::assistant, at, end};
}

// [INST].

constexpr std::string_view inst_open = "[INST]";
constexpr std::string_view inst_close = "[/INST]";
constexpr std::string_view system_open = "<<SYS>>";
constexpr std::string_view system_close = "<</SYS>>";

/// Moves a system block at the start of `text` into `parts`.
void take_system_block(std::string_view& text, std::vector<Part>& parts) {
  std::string_view rest = trimmed(text);
  if (!consume(rest, system_open) || rest.find(system_close) == rest.npos) return;
  append_part(parts, Speaker::system, take_until(rest, system_close));
  text = rest;
}

std::string_view without_sentence_marks(std::string_view text) {
  text = trimmed(text);
  while (text.starts_with("<s>")) text = trimmed(text.substr(3));
  while (true) {
    if (text.ends_with("</s>")) {
      text = trimmed(text.substr(0, text.size() - 4));
    } else if (text.ends_with("<s>")) {
      text = trimmed(text.substr(0, text.size() - 3));
    } else {
      return text;
    }
  }
}

// Headers.

struct HeaderTokens {
  std::string_view open;
  std::string_view close;
};
constexpr std::array header_tokens{
    HeaderTokens{"<|start_header_id|>", "<|end_header_id|>"},
    HeaderTokens{"<|header_start|>", "<|header_end|>"},
};
constexpr std::string_view turn_ends[] = {"<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>",
                                          "<|eom_id|>",        "<|eot|>",         "<|eom|>"};

// Tokens of roles.

struct RoleToken {
  std::string_view token;
  Speaker speaker;
};

struct RoleTemplate {
  std::span<const RoleToken> roles;
  std::span<const std::string_view> dropped;  ///< Tokens that end turns, and the like.
  std::string_view body_mark;                 ///< Where a turn's text begins, when not at once.
};

constexpr RoleToken deepseek_roles[] = {
    {"<\uFF5CUser\uFF5C>", Speaker::user},
    {"<\uFF5CAssistant\uFF5C>", Speaker::assistant},
    {"<|User|>", Speaker::user},
    {"<|Assistant|>", Speaker::assistant},
};
constexpr std::string_view deepseek_dropped[] = {"<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>",
                                                 "<\uFF5Cend\u2581of\u2581sentence\uFF5C>",
                                                 "<|begin_of_sentence|>", "<|end_of_sentence|>"};
constexpr RoleToken command_r_roles[] = {
    {"<|SYSTEM_TOKEN|>", Speaker::system},
    {"<|USER_TOKEN|>", Speaker::user},
    {"<|CHATBOT_TOKEN|>", Speaker::assistant},
};
constexpr std::string_view command_r_dropped[] = {"<BOS_TOKEN>", "<|START_OF_TURN_TOKEN|>",
                                                  "<|END_OF_TURN_TOKEN|>"};
constexpr RoleToken chatml_roles[] = {
    {"<|im_start|>system", Speaker::system},
    {"<|im_start|>user", Speaker::user},
    {"<|im_start|>assistant", Speaker::assistant},
    {"<|im_start|>tool", Speaker::user},
};
constexpr std::string_view chatml_dropped[] = {"<|im_end|>", "<|endoftext|>"};
constexpr RoleToken harmony_roles[] = {
    {"<|start|>system", Speaker::system},   {"<|start|>developer", Speaker::system},
    {"<|start|>user", Speaker::user},       {"<|start|>assistant", Speaker::assistant},
    {"<|start|>functions.", Speaker::user},
};
constexpr std::string_view harmony_dropped[] = {"<|end|>", "<|return|>", "<|call|>"};

/// Finds the tokens of a template one after the other, each place once.
class RoleScanner {
 public:
  RoleScanner(std::string_view prompt, std::span<const RoleToken> roles)
      : prompt_(prompt), roles_(roles) {
    for (const RoleToken& role : roles) next_.push_back(prompt.find(role.token));
  }

  struct Found {
    const RoleToken* role;  ///< nullptr at the end
    std::size_t at;
  };

  Found next(std::size_t from) {
    Found found{nullptr, prompt_.size()};
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      if (next_[i] < from) next_[i] = prompt_.find(roles_[i].token, from);
      if (next_[i] < found.at) found = {&roles_[i], next_[i]};
    }
    return found;
  }

 private:
  std::string_view prompt_;
  std::span<const RoleToken> roles_;
  std::vector<std::size_t> next_;  // where each token is found next; npos for good
};

std::string without_tokens(std::string_view text, std::span<const std::string_view> tokens) {
  std::string kept(text);
  for (const std::string_view token : tokens) {
    if (kept.find(token) != kept.npos) kept = without(kept, token);
  }
  return kept;
}

/// What the assistant said after it thought; a thought that is only begun is none.
std::string_view without_thoughts(std::string_view text) {
  constexpr std::string_view close = "</think>";
  const std::size_t closed = text.rfind(close);
  if (closed != text.npos) return text.substr(closed + close.size());
  return text.substr(0, text.find("<think>"));
}

PromptTurns read_role_marked(std::string_view prompt, const RoleTemplate& form) {
  RoleScanner scanner(prompt, form.roles);
  std::vector<Part> parts;
  RoleScanner::Found at = scanner.next(0);
  if (!at.role) return unmarked(prompt);
  append_part(parts, Speaker::system, without_tokens(prompt.substr(0, at.at), form.dropped));
  while (at.role) {
    const std::size_t begin = at.at + at.role->token.size();
    const RoleScanner::Found next = scanner.next(begin);
    std::string_view text = prompt.substr(begin, next.at - begin);
    const std::string_view head = form.body_mark.empty() ? "" : take_until(text, form.body_mark);
    const Speaker speaker = at.role->speaker;
    if (speaker == Speaker::assistant) text = without_thoughts(text);
    if (head.find("<|channel|>analysis") == head.npos) {
      append_part(parts, speaker, without_tokens(text, form.dropped));
    }
    at = next;
  }
  return assemble(prompt, std::move(parts));
}

bool is_text(const ContentBlock& block) { return std::holds_alternative<TextBlock>(block); }

Speaker speaker_of(std::string_view role) {
  if (role == "system") return Speaker::system;
  return role == "assistant" ? Speaker::assistant : Speaker::user;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

void merge_turn(std::vector<Turn>& turns, Turn turn) {
  if (turns.empty() || turns.back().role != turn.role) {
    turns.push_back(std::move(turn));
    return;
  }
  std::vector<ContentBlock>& content = turns.back().content;
  if (is_text(content.back()) && is_text(turn.content.front())) {
    content.emplace_back(TextBlock{"\n\n"});
  }
  std::ranges::move(turn.content, std::back_inserter(content));
}

PromptTurns read_line_marked(std::string_view prompt, const LineMarkers& markers) {
  std::vector<Marker> found = line_markers(prompt, markers);
  if (const auto marker = inline_marker(prompt, found, markers)) found.push_back(*marker);
  std::vector<Part> parts;
  if (!found.empty()) append_part(parts, Speaker::system, prompt.substr(0, found[0].begin));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t end = i + 1 < found.size() ? found[i + 1].begin : prompt.size();
    append_part(parts, found[i].speaker, prompt.substr(found[i].end, end - found[i].end));
  }
  return assemble(prompt, std::move(parts));
}

PromptTurns read_inst_marked(std::string_view prompt) {
  std::vector<Part> parts;
  std::string_view rest = prompt;
  if (rest.find(inst_open) == rest.npos) return unmarked(prompt);
  std::string_view before = without_sentence_marks(take_until(rest, inst_open));
  take_system_block(before, parts);
  append_part(parts, Speaker::system, before);
  for (bool first = true, more = true; more; first = false) {
    std::string_view user = take_until(rest, inst_close);
    if (first) take_system_block(user, parts);
    append_part(parts, Speaker::user, user);
    more = rest.find(inst_open) != rest.npos;
    append_part(parts, Speaker::assistant, without_sentence_marks(take_until(rest, inst_open)));
  }
  return assemble(prompt, std::move(parts));
}

PromptTurns read_header_marked(std::string_view prompt) {
  const auto tokens = std::ranges::find_if(header_tokens, [prompt](const HeaderTokens& row) {
    return prompt.find(row.open) != prompt.npos;
  });
  if (tokens == header_tokens.end()) return unmarked(prompt);
  std::vector<Part> parts;
  std::string_view rest = prompt;
  append_part(parts, Speaker::system, without_tokens(take_until(rest, tokens->open), turn_ends));
  for (bool more = true; more;) {
    more = rest.find(tokens->open) != rest.npos;
    std::string_view turn = take_until(rest, tokens->open);
    const bool has_role = turn.find(tokens->close) != turn.npos;
    const std::string_view role = has_role ? take_until(turn, tokens->close) : "user";
    append_part(parts, speaker_of(trimmed(role)), without_tokens(turn, turn_ends));
  }
  return assemble(prompt, std::move(parts));
}

PromptTurns read_deepseek_marked(std::string_view prompt) {
  return read_role_marked(prompt, {deepseek_roles, deepseek_dropped, {}});
}

PromptTurns read_command_r_marked(std::string_view prompt) {
  return read_role_marked(prompt, {command_r_roles, command_r_dropped, {}});
}

PromptTurns read_chatml_marked(std::string_view prompt) {
  return read_role_marked(prompt, {chatml_roles, chatml_dropped, {}});
}

PromptTurns read_harmony_marked(std::string_view prompt) {
  return read_role_marked(prompt, {harmony_roles, harmony_dropped, "<|message|>"});
}

}  // namespace craton::families
