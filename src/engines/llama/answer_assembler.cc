#include "engines/llama/answer_assembler.h"

#include <utility>

#include "engines/llama/call_form.h"

namespace craton::engines::llama {
namespace {

GrammarRoot end_of_thought() {
  GrammarBuilder builder;
  const RuleId rule = builder.rule(Sequence().literal("\n").literal(thought_close));
  return {*builder.finish(), rule};  // never fails for a text
}

/// Blanks at the end of `text`, in bytes.
std::size_t blanks_at_end(std::string_view text) {
  const auto last = text.find_last_not_of(" \n\r\t");
  return last == text.npos ? text.size() : text.size() - last - 1;
}

}  // namespace

AnswerAssembler::AnswerAssembler(AnswerPlan plan)
    : plan_(std::move(plan)), text_(plan_.stop_sequences) {
  if (plan_.thoughts) thoughts_.emplace(plan_.thoughts->begun);
  if (plan_.thoughts && plan_.thoughts->tokens_max) thought_end_ = end_of_thought();
  if (plan_.calls) parser_.emplace(plan_.calls);
  start_forms();
}

void AnswerAssembler::start_forms() {
  if (plan_.text_form) text_form_.emplace(*plan_.text_form);
  if (plan_.call_form) call_form_.emplace(*plan_.call_form);
}

void AnswerAssembler::add(TokenPiece piece, std::vector<Event>& events) {
  output_tokens_ = piece.output_tokens;
  if (!thoughts_) {
    if (piece.likelihood) likelihoods_.push_back(*std::move(piece.likelihood));
    follow_forms(piece.bytes);
    return add_answer(piece.bytes, events);
  }
  const bool thought_before = in_thought();
  if (!thought_before) follow_forms(piece.bytes);
  const ThoughtSplitter::Parts parts = thoughts_->add(piece.bytes);
  if (piece.likelihood && !parts.answer.empty()) {
    likelihoods_.push_back(*std::move(piece.likelihood));
  }
  if (!thought_before && in_thought()) start_forms();  // they begin behind it
  limit_thought(piece.bytes);
  add_thought(parts.thought, events);
  add_answer(parts.answer, events);
}

/// A thought that is long enough is closed.
void AnswerAssembler::limit_thought(std::string_view bytes) {
  if (closing_) {
    closing_->advance(bytes);
    if (!in_thought() || closing_->must_end()) closing_.reset();
  } else if (in_thought() && ++thought_tokens_ >= plan_.thoughts->tokens_max.value_or(1 << 30)) {
    closing_.emplace(*thought_end_);
  }
}

void AnswerAssembler::follow_forms(std::string_view bytes) {
  const bool text = text_form_ && text_form_->allows(bytes);
  const bool call = call_form_ && call_form_->allows_some(bytes);
  if (!text && !call) return;  // the tag of a thought
  text ? (void)text_form_->advance(bytes) : text_form_.reset();
  call ? (void)call_form_->advance(bytes) : call_form_.reset();
}

void AnswerAssembler::add_thought(std::string_view bytes, std::vector<Event>& events) {
  if (!plan_.thoughts->shown) return;
  std::string text;
  thought_mender_.add(bytes, text);
  if (!text.empty()) events.emplace_back(ReasoningDelta{std::move(text)});
}

void AnswerAssembler::add_answer(std::string_view bytes, std::vector<Event>& events) {
  if (bytes.empty() || text_.stopped_by()) return;
  if (!parser_) return add_text(bytes, events);
  std::vector<Event> parsed;
  parser_->add(bytes, parsed);
  for (Event& event : parsed) {
    if (text_.stopped_by()) break;
    if (const auto* delta = std::get_if<TextDelta>(&event)) {
      add_text(delta->text, events);
      continue;
    }
    if (std::holds_alternative<ToolUseStart>(event)) {
      put_text(text_.finish(), events);
      blanks_.clear();
    }
    events.push_back(std::move(event));
  }
  if (!calling()) return;
  text_form_.reset();
  call_form_.reset();
}

void AnswerAssembler::add_text(std::string_view bytes, std::vector<Event>& events) {
  put_text(text_.add(bytes), events);
}

void AnswerAssembler::put_text(std::string text, std::vector<Event>& events) {
  if (parser_) {
    text = std::exchange(blanks_, {}) + text;
    const std::size_t blanks = blanks_at_end(text);
    blanks_ = text.substr(text.size() - blanks);
    text.resize(text.size() - blanks);
  }
  if (text.empty()) return;
  events.emplace_back(TextDelta{std::move(text), output_tokens_, std::exchange(likelihoods_, {})});
}

bool AnswerAssembler::complete() const {
  return text_.stopped_by() || (parser_ && parser_->ended()) ||
         (text_form_ && text_form_->must_end());
}

void AnswerAssembler::finish(StopReason otherwise, std::vector<Event>& events) {
  if (thoughts_) {
    const ThoughtSplitter::Parts rest = thoughts_->finish();
    add_thought(rest.thought, events);
    add_answer(rest.answer, events);
  }
  MessageStop stop{.reason = otherwise, .stop_sequence = std::nullopt};
  if (parser_) {
    if (parser_->calls_are_complete()) stop.reason = StopReason::tool_use;
    std::vector<Event> rest;
    parser_->finish(rest);
    for (Event& event : rest) {
      if (const auto* delta = std::get_if<TextDelta>(&event)) {
        add_text(delta->text, events);
      } else {
        events.push_back(std::move(event));
      }
    }
  }
  std::string last = text_.finish();
  if (!parser_ || stop.reason != StopReason::tool_use) last = std::exchange(blanks_, {}) + last;
  if (!last.empty()) {
    events.emplace_back(
        TextDelta{std::move(last), output_tokens_, std::exchange(likelihoods_, {})});
  }
  if (const std::string* stopped_by = text_.stopped_by()) {
    stop = {.reason = StopReason::stop_sequence, .stop_sequence = *stopped_by};
  }
  events.emplace_back(std::move(stop));
}

bool AnswerAssembler::constrains() const { return closing_ || text_form_ || call_form_ || parser_; }

bool AnswerAssembler::may_open_thought(std::string_view bytes) const {
  return thoughts_ && plan_.thoughts->shown && thoughts_->may_open(bytes);
}

bool AnswerAssembler::allows(std::string_view bytes) const {
  if (closing_) return !bytes.empty() && closing_->allows_some(bytes);
  if (in_thought()) return true;
  if (text_form_ || call_form_) {
    const bool text = text_form_ && text_form_->allows(bytes);
    const bool call = call_form_ && call_form_->allows_some(bytes);
    if (bytes.empty() || (!text && !call)) return !bytes.empty() && may_open_thought(bytes);
  }
  return !parser_ || parser_->allows(bytes);
}

bool AnswerAssembler::may_end() const {
  if (closing_ || (parser_ && parser_->in_input())) return false;
  if (in_thought() || (!text_form_ && !call_form_)) return true;
  return text_form_ && text_form_->may_end();
}

bool AnswerAssembler::knows(std::string_view control_text) const {
  const bool thought = control_text == thought_open || control_text == thought_close;
  return (thoughts_ && thought) || (parser_ && parser_->knows(control_text));
}

}  // namespace craton::engines::llama
