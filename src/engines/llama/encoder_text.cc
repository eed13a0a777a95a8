#include "engines/llama/encoder_text.h"

#include <llama.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace craton::engines::llama {
namespace {

constexpr int no_limit = std::numeric_limits<int>::max() / 2;

/// Where the last `bytes` of `text` begin, give or take a word.
std::size_t tail_of(std::string_view text, std::size_t bytes) {
  if (bytes >= text.size()) return 0;
  std::size_t at = text.size() - bytes;
  while (at > 0 && !begins_character(text[at])) --at;
  const std::size_t blank = text.find(' ', at);
  return blank != text.npos && blank - at < 64 ? blank : at;
}

const std::string& prompt_of(const Prompts& prompts, TextRole role) {
  static const std::string none;
  switch (role) {
    case TextRole::query: return prompts.query;
    case TextRole::document: return prompts.document;
    case TextRole::any: break;
  }
  return none;
}

/// Makes the sequences of one request.
class Reader {
 public:
  Reader(const EncoderModel& model, const EmbeddingRequest& request)
      : model_(model), request_(request) {}

  tl::expected<EncoderInput, Failure> read() {
    const bool pairs = request_.task == EmbeddingTask::rank && model_.ranks();
    const auto done = pairs ? read_pairs() : read_each();
    if (!done) return tl::unexpected(done.error());
    return std::move(input_);
  }

 private:
  using Step = tl::expected<void, Failure>;

  tl::expected<std::vector<Token>, Failure> tokens_of(const EmbeddingItem& item, int most,
                                                      std::string_view prompt) {
    const int limit = std::min(request_.tokens_max.value_or(no_limit), most);
    const std::string text = model_.readable(item.text.value_or(std::string()));
    auto read = text_tokens(model_.tokenizer(), text, limit, request_.truncation);
    if (!read) return tl::unexpected(Failure{read.error(), {}});
    if (read->count > limit && request_.truncation == Truncation::refused) {
      return tl::unexpected(
          Failure{{ErrorCode::validation, "Input is too long for requested model."},
                  InputTooLong{read->count, limit}});
    }
    input_.tokens.push_back(static_cast<int>(read->tokens.size()));
    if (prompt.empty()) return std::move(read->tokens);
    // Together with what stands before it: a word's tokens depend on the blank before them.
    auto led = text_tokens(model_.tokenizer(), std::string(prompt) + text,
                           limit == no_limit ? limit : limit + 64, Truncation::end);
    if (!led) return tl::unexpected(Failure{led.error(), {}});
    return read->count > limit ? std::move(read->tokens) : std::move(led->tokens);
  }

  Step read_each() {
    for (std::size_t i = 0; i < request_.items.size(); ++i) {
      const EmbeddingItem& item = request_.items[i];
      if (!item.text || item.image) {
        return tl::unexpected(
            Failure{{ErrorCode::validation, "The encoder that answers here reads no images."}, {}});
      }
      auto tokens = tokens_of(item, no_limit, prompt_of(model_.prompts(), item.role));
      if (!tokens) return tl::unexpected(tokens.error());
      if (tokens->empty() && model_.prefix().empty() && model_.suffix().empty()) {
        return tl::unexpected(
            Failure{{ErrorCode::validation, "The text is empty: it has no tokens."}, {}});
      }
      add_parts(*tokens, i);
    }
    return {};
  }

  /// As few as are needed, of nearly equal length.
  void add_parts(std::span<const Token> tokens, std::size_t item) {
    const std::size_t room = static_cast<std::size_t>(model_.sequence_tokens()) -
                             model_.prefix().size() - model_.suffix().size();
    const std::size_t parts = std::max<std::size_t>(1, (tokens.size() + room - 1) / room);
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t begin = tokens.size() * part / parts;
      const std::size_t end = tokens.size() * (part + 1) / parts;
      EncoderSequence sequence{model_.prefix(), item,
                               static_cast<int>(std::max<std::size_t>(1, end - begin))};
      append(tokens.subspan(begin, end - begin), sequence);
      append(model_.suffix(), sequence);
      input_.sequences.push_back(std::move(sequence));
    }
  }

  /// The query may take half of a sequence; the rest is the text's, to its end or as far as it
  /// fits.
  Step read_pairs() {
    const int room =
        model_.sequence_tokens() -
        static_cast<int>(model_.prefix().size() + model_.between().size() + model_.suffix().size());
    auto query = tokens_of(request_.items.front(), room / 2, {});
    if (!query) return tl::unexpected(query.error());
    for (std::size_t i = 1; i < request_.items.size(); ++i) {
      auto text = tokens_of(request_.items[i], room - static_cast<int>(query->size()), {});
      if (!text) return tl::unexpected(text.error());
      EncoderSequence sequence{model_.prefix(), i - 1, 1};
      append(*query, sequence);
      append(model_.between(), sequence);
      append(*text, sequence);
      append(model_.suffix(), sequence);
      input_.sequences.push_back(std::move(sequence));
    }
    // The query is read once with each; it is counted with the first.
    const int query_tokens = input_.tokens.front();
    input_.tokens.erase(input_.tokens.begin());
    if (!input_.tokens.empty()) input_.tokens.front() += query_tokens;
    return {};
  }

  static void append(std::span<const Token> tokens, EncoderSequence& sequence) {
    sequence.tokens.insert(sequence.tokens.end(), tokens.begin(), tokens.end());
  }

  const EncoderModel& model_;
  const EmbeddingRequest& request_;
  EncoderInput input_;
};

}  // namespace

Result<TextTokens> text_tokens(const Tokenizer& tokenizer, std::string_view text, int most,
                               Truncation truncation) {
  const auto read = [&](std::string_view part, int limit) -> Result<TextTokens> {
    CRATON_TRY_ASSIGN(TokenizedPrompt read_part,
                      tokenizer.tokenize({{std::string(part), true}}, limit));
    std::vector<Token>& tokens = read_part.tokens;
    const std::size_t first = tokenizer.begins_prompts() && !tokens.empty() ? 1 : 0;
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(first));
    return TextTokens{std::move(tokens), read_part.count - static_cast<int>(first)};
  };
  const auto limit = static_cast<std::size_t>(most);
  if (truncation != Truncation::start || most >= no_limit) {
    CRATON_TRY_ASSIGN(TextTokens all, read(text, most));
    if (all.tokens.size() > limit) {
      all.count = std::max(all.count, most + 1);
      all.tokens.resize(limit);
    }
    return all;
  }
  for (std::size_t bytes = 8 * limit + 64;; bytes *= 4) {
    const std::size_t begin = tail_of(text, bytes);
    CRATON_TRY_ASSIGN(TextTokens tail, read(text.substr(begin), no_limit));
    if (begin > 0 && tail.tokens.size() <= limit) continue;
    if (tail.tokens.size() > limit) {
      tail.count = std::max(tail.count, most + 1);
      tail.tokens.erase(tail.tokens.begin(),
                        tail.tokens.end() - static_cast<std::ptrdiff_t>(limit));
    }
    return tail;
  }
}

tl::expected<EncoderInput, Failure> encoder_input(const EncoderModel& model,
                                                  const EmbeddingRequest& request) {
  return Reader(model, request).read();
}

}  // namespace craton::engines::llama
