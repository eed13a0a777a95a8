#include "families/text_stream.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "families/reply_text.h"

namespace craton::families {
namespace {

class TextStream : public StreamWriter {
 public:
  TextStream(const StreamContext& context, const TextStreamForm& form)
      : form_(form), lead_(context.request.lead) {}

  void write(const Event& event, int /*generation*/, std::vector<std::string>& pieces) override {
    if (const auto* start = std::get_if<MessageStart>(&event)) {
      input_tokens_ = start->usage.input_tokens;
    } else if (const auto* delta = std::get_if<TextDelta>(&event)) {
      add(*delta, pieces);
    } else if (const auto* stop = std::get_if<MessageStop>(&event)) {
      stop_ = *stop;
    } else if (const auto* usage = std::get_if<Usage>(&event)) {
      input_tokens_ = usage->input_tokens;
      output_tokens_ = usage->output_tokens;
      flush(&stop_, pieces);
    }
  }

 private:
  void add(const TextDelta& delta, std::vector<std::string>& pieces) {
    // An engine that cannot count has one token in each delta or so.
    output_tokens_ = std::max(delta.output_tokens, output_tokens_ + (delta.text.empty() ? 0 : 1));
    text_ += lead_.before(delta.text);
    text_ += delta.text;
    if (text_.empty() || output_tokens_ - written_tokens_ < form_.tokens_per_piece) return;
    flush(nullptr, pieces);
  }

  void flush(const MessageStop* stop, std::vector<std::string>& pieces) {
    form_.append({text_, std::exchange(first_, false), stop, input_tokens_, output_tokens_},
                 pieces.emplace_back());
    written_tokens_ = output_tokens_;
    text_.clear();
  }

  const TextStreamForm form_;
  Lead lead_;
  std::string text_;  ///< Not written yet.
  bool first_ = true;
  MessageStop stop_;
  int input_tokens_ = 0;
  int output_tokens_ = 0;
  int written_tokens_ = 0;
};

}  // namespace

std::unique_ptr<StreamWriter> text_stream(const StreamContext& context,
                                          const TextStreamForm& form) {
  return std::make_unique<TextStream>(context, form);
}

}  // namespace craton::families
