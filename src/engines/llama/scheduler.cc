#include "engines/llama/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace craton::engines::llama {
namespace {

// Cells kept free for each running sequence when another is admitted, so that it is not evicted
// again at once.
constexpr int growth_cells = 32;

Error timed_out() {
  return {ErrorCode::model_timeout,
          "Model has timed out in processing the request. Try your request again."};
}

Error model_broke() {
  return {ErrorCode::model_error,
          "The system encountered an unexpected error during processing. Try your request again."};
}

/// Text joins the text that waits already: a slow reader's outbox stays short.
void put(std::deque<Event>& outbox, Event event) {
  auto* more = std::get_if<TextDelta>(&event);
  auto* last = outbox.empty() ? nullptr : std::get_if<TextDelta>(&outbox.back());
  if (more && last) {
    last->text += more->text;
  } else {
    outbox.push_back(std::move(event));
  }
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
  fill_batch();
  if (batch_.empty()) return false;
  switch (decoder_.decode(batch_)) {
    case DecodeStatus::done: computed_batch(); break;
    case DecodeStatus::no_room: failed_batch(true); break;
    case DecodeStatus::failed: failed_batch(false); break;
    case DecodeStatus::interrupted: return false;
  }
  deliver();
  retire();
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
    if (!std::exchange(sequence.started, true)) put(sequence.outbox, MessageStart{});
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  deliver();
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

void Scheduler::put_in_batch(Sequence& sequence, int tokens) {
  const auto size = static_cast<int>(sequence.tokens.size());
  for (int i = sequence.computed; i < sequence.computed + tokens; ++i) {
    batch_.push_back({.token = sequence.tokens[i],
                      .position = i,
                      .sequence = sequence.slot,
                      .wants_logits = i + 1 == size});
  }
  shares_.push_back({&sequence, tokens});
}

Scheduler::Sequence* Scheduler::next_suspect() const {
  for (const SequencePtr& sequence : running_) {
    if (sequence->suspect && sequence->reader_keeps_up()) return sequence.get();
  }
  return nullptr;
}

void Scheduler::fill_batch() {
  batch_.clear();
  shares_.clear();
  if (Sequence* suspect = next_suspect()) {
    return put_in_batch(*suspect, std::min(suspect->missing(), batch_most_));
  }
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
    if (room > 0) put_in_batch(*sequence, std::min(room, sequence->missing()));
  }
}

void Scheduler::computed_batch() {
  batch_most_ = std::min(options_.batch_tokens, batch_most_ * 2);
  std::size_t end = 0;
  for (const Share& share : shares_) {
    end += share.tokens;
    share.sequence->computed += share.tokens;
    share.sequence->suspect = false;
    if (batch_[end - 1].wants_logits) accept(*share.sequence, decoder_.logits(end - 1));
  }
}

/// Without room the newest sequence makes some. Otherwise the sequences of the batch are computed
/// one by one, in ever smaller batches; one that fails with a single token fails for good, alone.
void Scheduler::failed_batch(bool no_room) {
  log::warning("batch_failed", {{"tokens", static_cast<std::int64_t>(batch_.size())},
                                {"reason", no_room ? "no_room" : "compute"}});
  for (const Share& share : shares_) {
    Sequence& sequence = *share.sequence;
    if (!decoder_.forget(sequence.slot, sequence.computed)) sequence.computed = 0;
  }
  if (no_room && running_.size() > 1) {
    cells_ = std::min(cells_, cells_used() - 1);
    return evict_newest();
  }
  for (const Share& share : shares_) share.sequence->suspect = true;
  batch_most_ = std::max(1, static_cast<int>(batch_.size()) / 2);
  if (batch_.size() == 1) fail(*shares_.front().sequence, model_broke());
}

void Scheduler::accept(Sequence& sequence, std::span<const float> logits) {
  const Request& request = sequence.request;
  if (request.tokens_max && sequence.generated() >= *request.tokens_max) {  // none were asked for
    return finish(sequence, StopReason::max_tokens);
  }
  const std::optional<Token> token = sequence.request.sampler.choose(logits);
  if (!token) return fail(sequence, model_broke());
  sequence.tokens.push_back(*token);
  if (decoder_.ends_answer(*token)) return finish(sequence, StopReason::end_turn);
  std::string text = sequence.request.assembler.add(decoder_.bytes_of(*token));
  if (!text.empty()) put(sequence.outbox, TextDelta{std::move(text)});
  if (request.assembler.stopped_by()) return finish(sequence, StopReason::stop_sequence);
  const bool enough = request.tokens_max && sequence.generated() >= *request.tokens_max;
  const bool full = static_cast<int>(sequence.tokens.size()) >= request.context_tokens;
  if (enough || full) finish(sequence, StopReason::max_tokens);
}

void Scheduler::finish(Sequence& sequence, StopReason reason) {
  TextAssembler& assembler = sequence.request.assembler;
  if (std::string last = assembler.finish(); !last.empty()) {
    put(sequence.outbox, TextDelta{std::move(last)});
  }
  MessageStop stop{.reason = reason, .stop_sequence = std::nullopt};
  if (const std::string* stopped_by = assembler.stopped_by()) {
    stop = {.reason = StopReason::stop_sequence, .stop_sequence = *stopped_by};
  }
  put(sequence.outbox, std::move(stop));
  put(sequence.outbox, Usage{.input_tokens = static_cast<int>(sequence.request.prompt.size()),
                             .output_tokens = sequence.generated()});
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
