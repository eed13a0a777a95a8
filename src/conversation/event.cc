#include "conversation/event.h"

#include <utility>

namespace craton {

void AnswerBuilder::add(Event event) {
  if (auto* delta = std::get_if<TextDelta>(&event)) {
    answer_.text += delta->text;
  } else if (auto* stop = std::get_if<MessageStop>(&event)) {
    answer_.stop_reason = stop->reason;
    answer_.stop_sequence = std::move(stop->stop_sequence);
  } else if (auto* usage = std::get_if<Usage>(&event)) {
    answer_.usage = *usage;
    complete_ = true;
  } else if (auto* failure = std::get_if<Failure>(&event)) {
    failure_ = std::move(*failure);
    complete_ = true;
  }
}

tl::expected<Answer, Failure> AnswerBuilder::take() {
  if (failure_) return tl::unexpected(*std::move(failure_));
  return std::move(answer_);
}

}  // namespace craton
