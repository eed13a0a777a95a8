#include "engines/llama/tokenizer.h"

#include <llama.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace craton::engines::llama {
namespace {

// std::regex, which llama.cpp uses for the rarer vocabularies, recurses once or more a character of
// a word: 4 KiB of text keep it within a few MiB of stack.
constexpr std::size_t fragment_bytes_max = 4096;

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string token_text(const llama_vocab& vocab, Token token) {
  if (token == LLAMA_TOKEN_NULL) return {};
  const char* text = llama_vocab_get_text(&vocab, token);
  return text ? text : "";
}

bool is_control(const llama_vocab& vocab, Token token) {
  return llama_vocab_get_attr(&vocab, token) &
         (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN);
}

}  // namespace

std::size_t cut_position(std::string_view text, std::size_t most) {
  const std::size_t least = most / 2;
  if (text.size() <= most) return 0;
  for (std::size_t at = most - 1; at > least; --at) {
    if (text[at] == ' ' && !is_blank(text[at - 1]) && is_letter(text[at + 1])) return at;
  }
  for (std::size_t at = most; at > least; --at) {
    if (text[at - 1] == '\n' && !is_blank(text[at])) return at;
  }
  for (std::size_t at = most; at > least; --at) {
    if (begins_character(text[at])) return at;
  }
  return most;
}

Tokenizer::Tokenizer(const llama_vocab& vocab) : vocab_(vocab) {
  for (Token token = 0; token < llama_vocab_n_tokens(&vocab); ++token) {
    const std::string text = token_text(vocab, token);
    longest_token_ = std::max(longest_token_, text.size());
    if (is_control(vocab, token) && !text.empty()) {
      control_texts_[static_cast<unsigned char>(text[0])].push_back(text);
    }
  }
  std::vector<Token> probe;
  if (append("x", false, probe) && !probe.empty())
    adds_blank_ = bytes_of(probe[0]).starts_with(' ');
}

std::string Tokenizer::bytes_of(Token token) const {
  std::string bytes(32, '\0');
  const auto write = [&] {
    return llama_token_to_piece(&vocab_, token, bytes.data(), static_cast<int>(bytes.size()), 0,
                                false);
  };
  int size = write();
  if (size < 0) {
    bytes.resize(static_cast<std::size_t>(-size));
    size = write();
  }
  bytes.resize(static_cast<std::size_t>(std::max(size, 0)));
  return bytes;
}

std::string Tokenizer::control_text(Token token) const {
  return is_control(vocab_, token) ? token_text(vocab_, token) : std::string();
}

bool Tokenizer::ends_answer(Token token) const { return llama_vocab_is_eog(&vocab_, token); }

std::string Tokenizer::bos_text() const { return token_text(vocab_, llama_vocab_bos(&vocab_)); }
std::string Tokenizer::eos_text() const { return token_text(vocab_, llama_vocab_eos(&vocab_)); }

/// What the text of one prompt is, byte by byte.
struct Tokenizer::Marks {
  std::vector<char> by_caller;
  std::vector<char> forged;  ///< Part of a control token's text that the caller had a hand in.
  std::vector<char> begins_control;  ///< First byte of a control token that the template wrote.
};

/// The longest control token whose text begins at `at` and that is the template's own; marks those
/// that are not.
std::size_t Tokenizer::control_at(std::string_view text, std::size_t at, Marks& marks) const {
  std::size_t genuine = 0;
  for (const std::string& control : control_texts_[static_cast<unsigned char>(text[at])]) {
    if (!text.substr(at).starts_with(control)) continue;
    const auto begin = marks.by_caller.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = begin + static_cast<std::ptrdiff_t>(control.size());
    if (std::find(begin, end, 1) == end) {
      genuine = std::max(genuine, control.size());
    } else {
      std::fill_n(marks.forged.begin() + static_cast<std::ptrdiff_t>(at), control.size(), 1);
    }
  }
  return genuine;
}

Tokenizer::Marks Tokenizer::marks_of(std::string_view text, std::vector<char> by_caller) const {
  Marks marks{std::move(by_caller), std::vector<char>(text.size()), std::vector<char>(text.size())};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t genuine = control_at(text, at, marks);
    if (genuine > 0) marks.begins_control[at] = 1;
    at += std::max<std::size_t>(genuine, 1);
  }
  return marks;
}

/// Where the fragment that begins at `begin` ends. Only a long stretch of the caller's is cut where
/// nothing else ends: a cut in the template's text might fall into a control token.
std::size_t Tokenizer::fragment_end(std::string_view text, const Marks& marks,
                                    std::size_t begin) const {
  std::size_t callers = 0;  // how many bytes before `at`, without gap
  for (std::size_t at = begin; at < text.size(); ++at) {
    const bool border = marks.begins_control[at] || marks.forged[at] != marks.forged[begin];
    if (border && at > begin) return at;
    callers = marks.by_caller[at] ? callers + 1 : 0;
    if (callers <= fragment_bytes_max) continue;
    const std::size_t stretch = at + 1 - callers;
    return stretch + cut_position(text.substr(stretch, callers), fragment_bytes_max);
  }
  return text.size();
}

/// False when the vocabulary cannot express `text`.
bool Tokenizer::append(std::string_view text, bool control_tokens,
                       std::vector<Token>& tokens) const {
  const std::size_t before = tokens.size();
  const auto length = static_cast<int>(text.size());
  const auto write = [&](std::size_t room) {
    tokens.resize(before + room);
    return llama_tokenize(&vocab_, text.data(), length, tokens.data() + before,
                          static_cast<int>(room), false, control_tokens);
  };
  try {
    int count = write(text.size() / 2 + 8);
    if (count == std::numeric_limits<int>::min()) count = 0;  // more than an int counts: never here
    if (count < 0) count = write(static_cast<std::size_t>(-count));
    tokens.resize(before + static_cast<std::size_t>(std::max(count, 0)));
    return count >= 0;
  } catch (const std::exception&) {
    tokens.resize(before);
    return false;
  }
}

bool Tokenizer::begins_prompts() const {
  return llama_vocab_get_add_bos(&vocab_) && llama_vocab_bos(&vocab_) != LLAMA_TOKEN_NULL;
}

bool Tokenizer::wants_bos(std::string_view text, const std::vector<char>& by_caller) const {
  if (!begins_prompts()) return false;
  const bool template_wrote_it = !text.empty() && !by_caller[0] && text.starts_with(bos_text());
  return !template_wrote_it;
}

/// Text without images in it.
struct Tokenizer::Segment {
  std::string text = {};
  std::vector<char> by_caller = {};  ///< For each byte.

  void add(const TextPiece& piece) {
    text += piece.text;
    by_caller.insert(by_caller.end(), piece.text.size(), piece.from_caller ? 1 : 0);
  }
};

/// Gives up soon after `tokens` are `most`: how many bytes were done.
Result<std::size_t> Tokenizer::append_segment(Segment segment, std::size_t most,
                                              std::vector<Token>& tokens) const {
  const std::string_view text = segment.text;
  const Marks marks = marks_of(text, std::move(segment.by_caller));
  std::size_t done = 0;
  while (done < text.size() && tokens.size() <= most) {
    const std::size_t end = fragment_end(text, marks, done);
    std::string_view fragment = text.substr(done, end - done);
    // The blank that such a vocabulary adds stands for the one before which the text was cut.
    if (adds_blank_ && done > 0 && fragment.starts_with(' ')) fragment.remove_prefix(1);
    if (!append(fragment, marks.forged[done] == 0, tokens)) {
      return Error{ErrorCode::model_error, "The model's vocabulary cannot express the prompt."};
    }
    done = end;
  }
  return done;
}

Result<TokenizedPrompt> Tokenizer::tokenize(const PromptText& prompt, int most) const {
  TokenizedPrompt result;
  std::size_t bytes = 0;
  std::size_t done = 0;
  bool first = true;
  for (auto piece = prompt.begin(); first || piece != prompt.end();) {
    Segment segment;
    for (; piece != prompt.end() && !piece->image; ++piece) segment.add(*piece);
    if (std::exchange(first, false) && wants_bos(segment.text, segment.by_caller)) {
      result.tokens.push_back(llama_vocab_bos(&vocab_));
    }
    bytes += segment.text.size();
    CRATON_TRY_ASSIGN(
        const std::size_t did,
        append_segment(std::move(segment), static_cast<std::size_t>(most), result.tokens));
    done += did;
    for (; piece != prompt.end() && piece->image; ++piece) {
      result.images.push_back({*piece->image, result.tokens.size()});
    }
  }
  result.count = static_cast<int>(result.tokens.size());
  if (done < bytes) {
    const double rate = static_cast<double>(result.tokens.size()) /
                        static_cast<double>(std::max<std::size_t>(done, 1));
    result.count = static_cast<int>(rate * static_cast<double>(bytes));
  }
  return result;
}

}  // namespace craton::engines::llama
