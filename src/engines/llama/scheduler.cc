#include "engines/llama/scheduler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "engines/llama/likelihood.h"
#include "engines/llama/refusals.h"

namespace craton::engines::llama {
namespace {

// Cells kept free for each running sequence when another is admitted, so that it is not evicted
// again at once.
constexpr int growth_cells = 32;

/// Deltas join a delta of their kind that waits already: a slow reader's outbox stays short.
void join(TextDelta more, TextDelta& last) {
  last.text += more.text;
  last.output_tokens = more.output_tokens;
  std::ranges::move(more.likelihoods, std::back_inserter(last.likelihoods));
}
void join(ReasoningDelta more, ReasoningDelta& last) { last.text += more.text; }
void join(ToolInputDelta more, ToolInputDelta& last) { last.json += more.json; }

template <class Delta>
bool joined(Event& event, std::deque<Event>& outbox) {
  auto* more = std::get_if<Delta>(&event);
  auto* last = outbox.empty() ? nullptr : std::get_if<Delta>(&outbox.back());
  if (!more || !last) return false;
  join(std::move(*more), *last);
  return true;
}

void put(std::deque<Event>& outbox, Event event) {
  if (joined<TextDelta>(event, outbox) || joined<ReasoningDelta>(event, outbox) ||
      joined<ToolInputDelta>(event, outbox)) {
    return;
  }
  outbox.push_back(std::move(event));
}

/// What a token adds to the answer's bytes: its own, or the text of a control token that matters.
std::string text_of(Token token, const Decoder& decoder, const AnswerAssembler& assembler) {
  std::string bytes = decoder.bytes_of(token);
  if (!bytes.empty()) return bytes;
  std::string control = decoder.control_text(token);
  return assembler.knows(control) ? control : bytes;
}

/// The tokens that an answer may go on with.
class AnswerFilter : public TokenFilter {
 public:
  AnswerFilter(const Decoder& decoder, const AnswerAssembler& assembler)
      : decoder_(decoder), assembler_(assembler) {}

  bool allows(Token token) const override {
    if (decoder_.ends_answer(token)) return assembler_.may_end();
    return assembler_.allows(text_of(token, decoder_, assembler_));
  }

 private:
  const Decoder& decoder_;
  const AnswerAssembler& assembler_;
};

TokenLikelihood likelihood_of(Token token, std::span<const float> logits, const Decoder& decoder) {
  std::string text = decoder.bytes_of(token);
  if (text.empty()) text = decoder.control_text(token);
  return {mended_utf8(text), log_probability(logits, token)};
}

}  // namespace

Scheduler::Scheduler(Decoder& decoder, const SchedulerOptions& options)
    : decoder_(decoder),
      options_(options),
      cells_(options.cells),
      batch_most_(options.batch_tokens) {
  for (int slot = options.parallel; slot-- > 0;) free_slots_.push_back(slot);
}

void Scheduler::add(Request request) {
  waiting_.push_back(std::make_unique<Sequence>(std::move(request)));
}

bool Scheduler::step(SteadyTime now) {
  for (auto* sequences : {&waiting_, &running_, &draining_}) drop_given_up(*sequences, now);
  deliver();
  retire();
  admit();
  make_room();
  if (!std::exchange(image_was_last_, false) && step_image()) {
    image_was_last_ = true;
  } else if (!step_batch() && !step_image()) {
    return false;
  }
  deliver();
  retire();
  return true;
}

/// False when no image is to be computed, or not any more.
bool Scheduler::step_image() {
  Sequence* sequence = next_to_see();
  if (!sequence) return false;
  const Prompt::Image& image = *sequence->next_image();
  switch (decoder_.decode_image(*image.piece, sequence->position(), sequence->slot)) {
    case DecodeStatus::done: sequence->computed = image.end(); break;
    case DecodeStatus::no_room: failed_image(*sequence, true); break;
    case DecodeStatus::failed: failed_image(*sequence, false); break;
    case DecodeStatus::interrupted: return false;
  }
  return true;
}

/// False when there is no token to compute, or not any more.
bool Scheduler::step_batch() {
  fill_batch();
  if (batch_.empty()) return false;
  switch (decoder_.decode(batch_)) {
    case DecodeStatus::done: computed_batch(); break;
    case DecodeStatus::no_room: failed_batch(true); break;
    case DecodeStatus::failed: failed_batch(false); break;
    case DecodeStatus::interrupted: return false;
  }
  return true;
}

std::optional<SteadyTime> Scheduler::next_deadline() const {
  std::optional<SteadyTime> next;
  for (const auto* sequences : {&waiting_, &running_, &draining_}) {
    for (const SequencePtr& sequence : *sequences) {
      const auto& deadline = sequence->request.deadline;
      if (deadline && (!next || *deadline < *next)) next = deadline;
    }
  }
  return next;
}

void Scheduler::fail_all(const Error& error) {
  for (auto* sequences : {&waiting_, &running_, &draining_}) {
    for (const SequencePtr& sequence : *sequences) fail(*sequence, error);
    sequences->clear();
  }
}

/// Those whose caller has left are forgotten; those whose time is up are told so.
void Scheduler::drop_given_up(std::deque<SequencePtr>& sequences, SteadyTime now) {
  std::erase_if(sequences, [&](const SequencePtr& sequence) {
    const Request& request = sequence->request;
    const bool late = request.deadline && *request.deadline <= now;
    if (!late && !request.generation->cancelled()) return false;
    late ? fail(*sequence, timed_out()) : release(*sequence);
    return true;
  });
}

void Scheduler::deliver() {
  for (auto* sequences : {&waiting_, &running_, &draining_}) {
    for (const SequencePtr& sequence : *sequences) {
      auto& outbox = sequence->outbox;
      while (!outbox.empty() && sequence->request.generation->offer(outbox.front())) {
        outbox.pop_front();
      }
    }
  }
}

/// Sequences that have lost their slot by finishing leave the running; those that have delivered
/// everything leave altogether.
void Scheduler::retire() {
  for (SequencePtr& sequence : running_) {
    if (sequence->slot < 0) draining_.push_back(std::move(sequence));
  }
  std::erase(running_, nullptr);
  std::erase_if(draining_, [](const SequencePtr& sequence) { return sequence->outbox.empty(); });
}

int Scheduler::cells_used() const {
  int used = 0;
  for (const SequencePtr& sequence : running_) used += static_cast<int>(sequence->tokens.size());
  return used;
}

bool Scheduler::fits(const Sequence& next) const {
  if (free_slots_.empty()) return false;
  if (running_.empty()) return true;
  const int growth = growth_cells * static_cast<int>(running_.size() + 1);
  return cells_used() + static_cast<int>(next.tokens.size()) + growth <= cells_;
}

void Scheduler::admit() {
  while (!waiting_.empty() && fits(*waiting_.front())) {
    Sequence& sequence = *waiting_.front();
    sequence.slot = free_slots_.back();
    free_slots_.pop_back();
    if (!sequence.weighs_prompt()) start(sequence);
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  deliver();
}

void Scheduler::start(Sequence& sequence) {
  if (std::exchange(sequence.started, true)) return;
  MessageStart message;
  message.usage.input_tokens = sequence.request.prompt.cells();
  message.prompt_likelihoods = std::move(sequence.prompt_likelihoods);
  put(sequence.outbox, std::move(message));
}

void Scheduler::evict_newest() {
  SequencePtr newest = std::move(running_.back());
  running_.pop_back();
  release(*newest);
  newest->computed = 0;
  waiting_.push_front(std::move(newest));
}

void Scheduler::make_room() {
  while (running_.size() > 1 && cells_used() > cells_) evict_newest();
}

int Scheduler::room_in_batch(int most) const {
  return std::min(most, batch_most_) - static_cast<int>(batch_.size());
}

/// A prompt that is weighed takes as many tokens as there are outputs left.
void Scheduler::put_in_batch(Sequence& sequence, int most) {
  const bool weighs = sequence.weighs_prompt();
  int tokens = std::min(most, sequence.missing_text());
  if (weighs)
    tokens = std::min(tokens, std::max(1, options_.outputs_max - options_.parallel) - outputs_);
  if (tokens <= 0) return;
  const auto size = static_cast<int>(sequence.tokens.size());
  const int ahead = sequence.position() - sequence.computed;  // as no image is in between
  for (int i = sequence.computed; i < sequence.computed + tokens; ++i) {
    batch_.push_back({.token = sequence.tokens[i],
                      .position = i + ahead,
                      .sequence = sequence.slot,
                      .wants_logits = weighs || i + 1 == size});
  }
  if (weighs) outputs_ += tokens;
  shares_.push_back({&sequence, tokens});
}

Scheduler::Sequence* Scheduler::next_suspect() const {
  for (const SequencePtr& sequence : running_) {
    const bool can = sequence->reader_keeps_up() && sequence->missing_text() > 0;
    if (sequence->suspect && can) return sequence.get();
  }
  return nullptr;
}

/// The oldest whose prompt goes on with an image.
Scheduler::Sequence* Scheduler::next_to_see() const {
  for (const SequencePtr& sequence : running_) {
    if (sequence->next_image() && sequence->reader_keeps_up()) return sequence.get();
  }
  return nullptr;
}

void Scheduler::fill_batch() {
  batch_.clear();
  shares_.clear();
  outputs_ = 0;
  if (Sequence* suspect = next_suspect()) return put_in_batch(*suspect, batch_most_);
  for (const SequencePtr& sequence : running_) {
    const bool next_token = sequence->missing() == 1 && sequence->reader_keeps_up();
    if (next_token && room_in_batch(options_.batch_tokens) > 0) put_in_batch(*sequence, 1);
  }
  const auto answers = static_cast<int>(batch_.size());
  const int most =
      answers > 0 ? answers + options_.prompt_tokens_beside_answers : options_.batch_tokens;
  for (const SequencePtr& sequence : running_) {
    if (sequence->missing() <= 1 || !sequence->reader_keeps_up()) continue;
    const int room = room_in_batch(std::min(most, options_.batch_tokens));
    if (room > 0) put_in_batch(*sequence, room);
  }
}

void Scheduler::computed_batch() {
  batch_most_ = std::min(options_.batch_tokens, batch_most_ * 2);
  std::size_t end = 0;
  for (const Share& share : shares_) {
    const std::size_t begin = end;
    end += share.tokens;
    if (share.sequence->weighs_prompt()) weigh_prompt(*share.sequence, begin, end);
    share.sequence->computed += share.tokens;
    share.sequence->suspect = false;
    if (share.sequence->missing() == 0) accept(*share.sequence, decoder_.logits(end - 1));
  }
}

/// Each entry of the batch from `begin` to `end` says how likely the token behind it was. After an
/// eviction some say it again.
void Scheduler::weigh_prompt(Sequence& sequence, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    const auto next = static_cast<std::size_t>(batch_[i].position) + 1;
    if (next >= sequence.tokens.size() || next <= sequence.prompt_likelihoods.size()) continue;
    sequence.prompt_likelihoods.push_back(
        likelihood_of(sequence.tokens[next], decoder_.logits(i), decoder_));
  }
}

/// Without room the newest sequence makes some. Otherwise the sequences of the batch are computed
/// one by one, in ever smaller batches; one that fails with a single token fails for good, alone.
void Scheduler::failed_batch(bool no_room) {
  log::warning("batch_failed", {{"tokens", static_cast<std::int64_t>(batch_.size())},
                                {"reason", no_room ? "no_room" : "compute"}});
  for (const Share& share : shares_) forget_uncomputed(*share.sequence);
  if (no_room && make_room_by_eviction()) return;
  for (const Share& share : shares_) share.sequence->suspect = true;
  batch_most_ = std::max(1, static_cast<int>(batch_.size()) / 2);
  if (batch_.size() == 1) fail(*shares_.front().sequence, model_broke());
}

/// An image cannot be computed by halves: one that fails alone fails for good.
void Scheduler::failed_image(Sequence& sequence, bool no_room) {
  log::warning("image_failed", {{"cells", std::int64_t{sequence.next_image()->piece->cells}},
                                {"reason", no_room ? "no_room" : "compute"}});
  forget_uncomputed(sequence);
  if (no_room && make_room_by_eviction()) return;
  fail(sequence, model_broke());
}

void Scheduler::forget_uncomputed(Sequence& sequence) {
  if (!decoder_.forget(sequence.slot, sequence.position())) sequence.computed = 0;
}

/// False when a sequence is alone and has all there is.
bool Scheduler::make_room_by_eviction() {
  if (running_.size() <= 1) return false;
  cells_ = std::min(cells_, cells_used() - 1);
  evict_newest();
  return true;
}

void Scheduler::accept(Sequence& sequence, std::span<const float> logits) {
  start(sequence);
  Request& request = sequence.request;
  AnswerAssembler& assembler = request.assembler;
  if (request.tokens_max && sequence.generated() >= *request.tokens_max) {  // none were asked for
    return finish(sequence, StopReason::max_tokens);
  }
  const AnswerFilter filter(decoder_, assembler);
  const std::optional<Token> token =
      request.sampler.choose(logits, assembler.constrains() ? &filter : nullptr);
  if (!token) return fail(sequence, model_broke());
  sequence.tokens.push_back(*token);
  if (decoder_.ends_answer(*token)) return finish(sequence, StopReason::end_turn);

  const std::string bytes = text_of(*token, decoder_, assembler);
  TokenPiece piece{.bytes = bytes, .output_tokens = sequence.generated()};
  if (request.likelihoods != Likelihoods::none) {
    piece.likelihood = likelihood_of(*token, logits, decoder_);
  }
  std::vector<Event> events;
  assembler.add(std::move(piece), events);
  hand_over(sequence, std::move(events));
  if (assembler.complete()) return finish(sequence, StopReason::end_turn);
  const bool enough = request.tokens_max && sequence.generated() >= *request.tokens_max;
  const bool full = static_cast<int>(sequence.tokens.size()) >= request.context_tokens;
  if (enough || full) finish(sequence, StopReason::max_tokens);
}

void Scheduler::hand_over(Sequence& sequence, std::vector<Event> events) {
  for (Event& event : events) put(sequence.outbox, std::move(event));
}

void Scheduler::finish(Sequence& sequence, StopReason reason) {
  std::vector<Event> events;
  sequence.request.assembler.finish(reason, events);
  events.emplace_back(Usage{.input_tokens = sequence.request.prompt.cells(),
                            .output_tokens = sequence.generated()});
  hand_over(sequence, std::move(events));
  release(sequence);
}

/// What the reader has not taken yet is lost: a failure is the last event.
void Scheduler::fail(Sequence& sequence, Error error) {
  release(sequence);
  sequence.outbox.clear();
  if (sequence.request.generation->cancelled()) return;
  sequence.request.generation->offer(Failure{std::move(error), std::nullopt});
}

void Scheduler::release(Sequence& sequence) {
  if (sequence.slot < 0) return;
  decoder_.forget(sequence.slot, 0);
  free_slots_.push_back(std::exchange(sequence.slot, -1));
}

}  // namespace craton::engines::llama
