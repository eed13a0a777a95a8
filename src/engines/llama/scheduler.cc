#include "engines/llama/scheduler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "engines/llama/likelihood.h"
#include "engines/refusals.h"

namespace craton::engines::llama {
namespace {

// To wait for another's computing costs a step or more: not for less than this many tokens.
constexpr int tokens_worth_waiting = 16;

// Kept cells are dropped at least so many at a time: each time looks through the whole cache.
constexpr int cells_dropped_at_once = 64;

// Batches that must be computed before larger ones are tried again, at most.
constexpr int patience_max = 4096;

// Cells kept free for each running sequence when another is admitted, so that it is not evicted
// again at once.
constexpr int growth_cells = 32;

// Tokens to choose at once: for less, waking another thread takes longer.
constexpr std::size_t choices_worth_sharing = 4;

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
      batch_most_(options.batch_tokens),
      tree_(std::max(options.sequences, options.parallel)) {}

Scheduler::~Scheduler() { drop_all_kept(); }

void Scheduler::add(Request request) {
  put_in_line(std::make_unique<Sequence>(std::move(request), ++sequences_made_));
}

void Scheduler::put_in_line(SequencePtr sequence) {
  const auto before = std::ranges::find_if(
      waiting_, [&](const SequencePtr& next) { return sequence->goes_before(*next); });
  waiting_.insert(before, std::move(sequence));
}

bool Scheduler::step(SteadyTime now) {
  learn_step_cost(now);
  for (auto* sequences : {&waiting_, &running_, &draining_}) drop_given_up(*sequences, now);
  deliver();
  retire();
  follow();
  admit();
  make_room();
  follow();  // those whose leaders have just been evicted
  batch_.clear();
  if (!std::exchange(image_was_last_, false) && step_image()) {
    image_was_last_ = true;
  } else if (!step_batch(now) && !step_image()) {
    return false;
  }
  if (!batch_.empty()) step_began_ = now;
  deliver();
  retire();
  return true;
}

/// Steps follow on each other while there is something to do: from one to the next is what it took.
void Scheduler::learn_step_cost(SteadyTime now) {
  const std::optional<SteadyTime> began = std::exchange(step_began_, std::nullopt);
  if (!began) return;
  const double drafting = options_.drafter ? options_.drafter->take_seconds() : 0;
  cost_.observe(static_cast<int>(batch_.size()),
                std::chrono::duration<double>(now - *began).count() - drafting);
}

/// False when no image is to be computed, or not any more.
bool Scheduler::step_image() {
  Sequence* sequence = next_to_see();
  if (!sequence) return false;
  const Prompt::Image& image = *sequence->next_image();
  switch (decoder_.decode_image(*image.piece, sequence->position(), sequence->slot)) {
    case DecodeStatus::done:
      tree_.append(sequence->slot, std::vector<Token>(image.piece->cells, Prompt::in_image));
      sequence->computed = image.end();
      break;
    case DecodeStatus::no_room: failed_image(*sequence, true); break;
    case DecodeStatus::failed: failed_image(*sequence, false); break;
    case DecodeStatus::interrupted: return false;
  }
  return true;
}

/// False when there is no token to compute, or not any more.
bool Scheduler::step_batch(SteadyTime now) {
  fill_batch(now);
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
  drop_all_kept();
}

/// Those whose caller has left are forgotten; those whose time is up are told so.
void Scheduler::drop_given_up(std::deque<SequencePtr>& sequences, SteadyTime now) {
  std::erase_if(sequences, [&](const SequencePtr& sequence) {
    const Request& request = sequence->request;
    const bool late = request.deadline && *request.deadline <= now;
    if (!late && !request.generation->cancelled()) return false;
    release(*sequence, Cells::keep);
    if (late) fail(*sequence, timed_out());
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

/// The beginning of it that may come from others: not an image, and not the last token, as somebody
/// must say what follows.
std::span<const Token> Scheduler::shareable(const Sequence& sequence) const {
  if (!keeps() || sequence.weighs_prompt() || sequence.request.repeatable) return {};
  const int most = std::min(sequence.text_cells(), static_cast<int>(sequence.tokens.size()) - 1);
  return std::span(sequence.tokens).first(static_cast<std::size_t>(most));
}

/// Who is going to compute most of what `sequence` begins with; nobody when it is not worth
/// waiting.
void Scheduler::find_leader(Sequence& sequence) const {
  const std::span<const Token> wanted = shareable(sequence);
  sequence.leader = 0;
  sequence.awaited = tree_.longest(wanted).length + tokens_worth_waiting - 1;
  for (const SequencePtr& other : running_) {
    const std::span<const Token> text = std::span(other->tokens).first(other->text_cells());
    const int common = common_length(wanted, text);
    if (other.get() == &sequence || common <= sequence.awaited) continue;
    sequence.leader = other->id;
    sequence.awaited = common;
  }
}

/// More cells than there are, once all that run have computed what is known of them.
int Scheduler::excess_cells() const {
  int cells = tree_.cells() - cells_;
  for (const SequencePtr& sequence : running_) cells += sequence->promised();
  return cells;
}

/// Beside those that run; what is kept for others can go.
bool Scheduler::fits(const Sequence& next) const {
  if (running_.empty()) return true;
  const int shared = next.leader ? next.awaited : tree_.longest(shareable(next)).pinned;
  const int growth = growth_cells * static_cast<int>(running_.size() + 1);
  const int kept = tree_.cells() - tree_.pinned_cells();
  return excess_cells() - kept + next.missing() - shared + growth <= 0;
}

void Scheduler::admit() {
  while (!waiting_.empty() && static_cast<int>(running_.size()) < options_.parallel) {
    Sequence& sequence = *waiting_.front();
    find_leader(sequence);
    if (!fits(sequence)) break;
    if (sequence.request.repeatable && running_.empty()) drop_all_kept();
    sequence.slot = take_slot();
    if (!sequence.leader) take_beginning(sequence);
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  deliver();
}

/// There are more than may run: one of those that are kept gives way.
int Scheduler::take_slot() {
  while (true) {
    if (const auto slot = tree_.take()) return *slot;
    const int oldest = *tree_.oldest_unpinned();
    forget(oldest, 0);
    tree_.give_back(oldest);
  }
}

/// Those whose leaders have computed what they wait for, or do not run any more, go on by
/// themselves.
void Scheduler::follow() {
  for (const SequencePtr& sequence : running_) {
    if (!sequence->leader) continue;
    const auto leader = std::ranges::find(running_, sequence->leader,
                                          [](const SequencePtr& running) { return running->id; });
    const bool goes_on = leader != running_.end() && (*leader)->computed < sequence->awaited;
    if (!goes_on) take_beginning(*sequence);
  }
}

void Scheduler::take_beginning(Sequence& sequence) {
  sequence.leader = 0;
  const PrefixTree::Match match = tree_.longest(shareable(sequence));
  if (match.length > 0) {
    decoder_.share(match.sequence, sequence.slot, match.length);
    tree_.share(match.sequence, sequence.slot, match.length);
    tree_.touch(match.sequence);
    sequence.computed = match.length;
  }
  if (!sequence.started) sequence.begun_with = match.length;
  if (!sequence.weighs_prompt()) start(sequence);
}

void Scheduler::start(Sequence& sequence) {
  if (std::exchange(sequence.started, true)) return;
  stats_.prompt_tokens += static_cast<std::uint64_t>(sequence.request.prompt.cells());
  stats_.prefix_hit_tokens += static_cast<std::uint64_t>(sequence.begun_with);
  MessageStart message;
  message.usage = sequence.usage();
  message.prompt_likelihoods = std::move(sequence.prompt_likelihoods);
  put(sequence.outbox, std::move(message));
}

/// The one whose turn came last.
void Scheduler::evict_newest() {
  ++stats_.evictions;
  auto newest = running_.begin();
  for (auto next = running_.begin(); next != running_.end(); ++next) {
    if ((*newest)->goes_before(**next)) newest = next;
  }
  SequencePtr evicted = std::move(*newest);
  running_.erase(newest);
  release(*evicted, Cells::keep);
  evicted->computed = 0;
  put_in_line(std::move(evicted));
}

void Scheduler::make_room() {
  for (int excess = excess_cells(); excess > 0; excess = excess_cells()) {
    if (drop_kept(excess)) continue;
    if (running_.size() <= 1) return;
    evict_newest();
  }
  if (excess_cells() + options_.guessed_max > 0) drop_kept(options_.guessed_max);
}

/// Drops of what is kept for others up to so many cells; false when nothing is kept any more.
bool Scheduler::drop_kept(int cells) {
  const auto oldest = tree_.oldest_unpinned();
  if (!oldest) return false;
  const int dropped = std::max(cells, cells_dropped_at_once);
  if (dropped < tree_.exclusive(*oldest)) {
    forget(*oldest, tree_.length(*oldest) - dropped);
  } else {
    forget(*oldest, 0);
    tree_.give_back(*oldest);
  }
  return true;
}

void Scheduler::drop_all_kept() {
  while (drop_kept(options_.cells)) {
  }
}

/// Of a sequence without images: there a token is a position.
void Scheduler::forget(int slot, int length) {
  decoder_.forget(slot, length);
  tree_.keep(slot, length);
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
    const bool can = sequence->can_advance() && sequence->missing_text() > 0;
    if (sequence->suspect && can) return sequence.get();
  }
  return nullptr;
}

/// The oldest whose prompt goes on with an image.
Scheduler::Sequence* Scheduler::next_to_see() const {
  for (const SequencePtr& sequence : running_) {
    if (sequence->next_image() && sequence->can_advance()) return sequence.get();
  }
  return nullptr;
}

void Scheduler::fill_batch(SteadyTime now) {
  batch_.clear();
  shares_.clear();
  outputs_ = 0;
  if (Sequence* suspect = next_suspect()) return put_in_batch(*suspect, batch_most_);
  for (const SequencePtr& sequence : running_) {
    const bool next_token = sequence->missing() == 1 && sequence->can_advance();
    if (next_token && room_in_batch(options_.batch_tokens) > 0) put_in_batch(*sequence, 1);
  }
  const auto answers = static_cast<int>(batch_.size());
  const int most =
      answers > 0 ? answers + options_.prompt_tokens_beside_answers : options_.batch_tokens;
  for (const SequencePtr& sequence : running_) {
    if (sequence->missing() <= 1 || !sequence->can_advance()) continue;
    const int room = room_in_batch(std::min(most, options_.batch_tokens));
    if (room > 0) put_in_batch(*sequence, room);
  }
  if (static_cast<int>(batch_.size()) == answers) put_guesses_in_batch(now);
}

/// No more than may be asked for still, beside its next token.
int Scheduler::most_guessed(const Sequence& sequence) const {
  const Request& request = sequence.request;
  const int room = request.context_tokens - static_cast<int>(sequence.tokens.size());
  const int left = request.tokens_max.value_or(request.context_tokens) - sequence.generated();
  return std::min({options_.guessed_max, room - 1, left - 1});
}

/// Of a batch of answers alone, each one's next token is followed by what is guessed of it.
void Scheduler::put_guesses_in_batch(SteadyTime now) {
  if (options_.guessed_max <= 0 || !decoder_.shares() || batch_most_ < options_.batch_tokens)
    return;
  auto tokens = static_cast<int>(batch_.size());
  double expected = tokens;
  const int most =
      std::min({options_.batch_tokens, tokens + options_.outputs_max - options_.parallel,
                tokens - excess_cells()});
  Drafter* drafter = shares_.size() == 1 ? options_.drafter : nullptr;
  for (Share& share : shares_) {
    Sequence& sequence = *share.sequence;
    if (sequence.weighs_prompt() || sequence.request.repeatable) continue;
    const GuessedBatch joined{.tokens = tokens,
                              .expected = expected,
                              .most = std::min(most - tokens, most_guessed(sequence)),
                              .now = now};
    share.guessed = sequence.guesser.guess(sequence.tokens, joined, cost_, drafter);
    tokens += static_cast<int>(share.guessed.size());
    expected += sequence.guesser.expected();
  }
  const auto answers = static_cast<int>(batch_.size());
  if (tokens > answers && !cost_.worth_changing(answers, tokens, expected)) {
    for (Share& share : shares_) share.guessed.clear();
  }
  std::vector<BatchEntry> batch;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    BatchEntry entry = batch_[i];
    batch.push_back(entry);
    for (const Token token : shares_[i].guessed) {
      entry = {token, entry.position + 1, entry.sequence, true};
      batch.push_back(entry);
    }
  }
  batch_ = std::move(batch);
}

void Scheduler::computed_batch() {
  if (++batches_done_ >= patience_) {
    batch_most_ = std::min(options_.batch_tokens, batch_most_ * 2);
    batches_done_ = 0;
  }
  std::vector<Choice> choices(shares_.size());
  std::size_t end = 0;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    const Share& share = shares_[i];
    const std::size_t next = end + share.tokens;
    advance(share, end);
    if (share.sequence->missing() == 0) choices[i] = {share.sequence, decoder_.logits(next - 1)};
    end = next + share.guessed.size();
  }
  choose(choices);
  end = 0;
  for (std::size_t i = 0; i < shares_.size(); ++i) {
    const std::size_t next = end + shares_[i].tokens;
    if (choices[i].sequence) accept(choices[i]);
    computed_guess(shares_[i], next);
    end = next + shares_[i].guessed.size();
  }
}

/// The share's own tokens, from entry `begin` of the batch on, are computed.
void Scheduler::advance(const Share& share, std::size_t begin) {
  Sequence& sequence = *share.sequence;
  if (sequence.weighs_prompt()) weigh_prompt(sequence, begin, begin + share.tokens);
  tree_.append(sequence.slot, std::span(sequence.tokens).subspan(sequence.computed, share.tokens));
  sequence.computed += share.tokens;
  sequence.suspect = false;
  sequence.ahead = static_cast<int>(share.guessed.size());
}

/// Chooses each one's token where one is wanted.
void Scheduler::choose(std::span<Choice> choices) const {
  std::vector<Choice*> wanted;
  for (Choice& choice : choices) {
    if (choice.sequence && wants_token(*choice.sequence)) wanted.push_back(&choice);
  }
  const auto choose_one = [&](std::size_t i) {
    Choice& choice = *wanted[i];
    Request& request = choice.sequence->request;
    const AnswerFilter filter(decoder_, request.assembler);
    choice.token =
        request.sampler.choose(choice.logits, request.assembler.constrains() ? &filter : nullptr);
  };
  if (options_.crew && wanted.size() >= choices_worth_sharing) {
    return options_.crew->share(wanted.size(), choose_one);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) choose_one(i);
}

/// The part of the guess that the model would have chosen is computed already: its logits, from
/// entry `first` of the batch on, say what follows. The rest is forgotten.
void Scheduler::computed_guess(const Share& share, std::size_t first) {
  Sequence& sequence = *share.sequence;
  const std::span<const Token> guessed = share.guessed;
  for (std::size_t i = 0; i < guessed.size() && sequence.slot >= 0; ++i) {
    if (sequence.missing() != 1 || sequence.tokens.back() != guessed[i]) break;
    tree_.append(sequence.slot, guessed.subspan(i, 1));
    ++sequence.computed;
    --sequence.ahead;
    Choice choice{&sequence, decoder_.logits(first + i)};
    choose({&choice, 1});
    accept(choice);
  }
  if (sequence.slot >= 0 && std::exchange(sequence.ahead, 0) > 0) {
    decoder_.forget(sequence.slot, sequence.position());
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
  if (no_room && make_room_for(static_cast<int>(batch_.size()))) return;
  for (const Share& share : shares_) share.sequence->suspect = true;
  batch_most_ = std::max(1, static_cast<int>(batch_.size()) / 2);
  batches_done_ = 0;
  patience_ = std::min(patience_ * 2, patience_max);
  if (batch_.size() == 1) fail(*shares_.front().sequence, model_broke());
}

/// An image cannot be computed by halves: one that fails alone fails for good.
void Scheduler::failed_image(Sequence& sequence, bool no_room) {
  const int cells = sequence.next_image()->piece->cells;
  log::warning("image_failed",
               {{"cells", std::int64_t{cells}}, {"reason", no_room ? "no_room" : "compute"}});
  forget_uncomputed(sequence);
  if (no_room && make_room_for(cells)) return;
  fail(sequence, model_broke());
}

void Scheduler::forget_uncomputed(Sequence& sequence) {
  if (decoder_.forget(sequence.slot, sequence.position())) return;
  tree_.keep(sequence.slot, 0);
  sequence.computed = 0;
}

/// The decoder has not as many cells as it said. False when a sequence is alone and has all there
/// is.
bool Scheduler::make_room_for(int cells) {
  cells_ = std::min(cells_, tree_.cells() + cells - 1);
  if (drop_kept(cells)) return true;
  if (running_.size() <= 1) return false;
  evict_newest();
  return true;
}

/// False when no token was asked for, or not one more.
bool Scheduler::wants_token(const Sequence& sequence) const {
  const std::optional<int>& most = sequence.request.tokens_max;
  return !most || sequence.generated() < *most;
}

void Scheduler::accept(const Choice& choice) {
  Sequence& sequence = *choice.sequence;
  start(sequence);
  Request& request = sequence.request;
  AnswerAssembler& assembler = request.assembler;
  if (!wants_token(sequence)) return finish(sequence, StopReason::max_tokens);
  const std::optional<Token>& token = choice.token;
  if (!token) return fail(sequence, model_broke());
  sequence.tokens.push_back(*token);
  ++stats_.generated_tokens;
  sequence.guesser.chose(*token);
  if (decoder_.ends_answer(*token)) return finish(sequence, StopReason::end_turn);

  const std::string bytes = text_of(*token, decoder_, assembler);
  TokenPiece piece{.bytes = bytes, .output_tokens = sequence.generated()};
  if (request.likelihoods != Likelihoods::none) {
    piece.likelihood = likelihood_of(*token, choice.logits, decoder_);
  }
  std::vector<Event> events;
  assembler.add(std::move(piece), events);
  hand_over(sequence, std::move(events));
  if (assembler.complete()) return finish(sequence, StopReason::end_turn);
  const bool full = static_cast<int>(sequence.tokens.size()) >= request.context_tokens;
  if (!wants_token(sequence)) return finish(sequence, StopReason::max_tokens);
  if (full) finish(sequence, StopReason::full_context);
}

void Scheduler::hand_over(Sequence& sequence, std::vector<Event> events) {
  for (Event& event : events) put(sequence.outbox, std::move(event));
}

void Scheduler::finish(Sequence& sequence, StopReason reason) {
  std::vector<Event> events;
  sequence.request.assembler.finish(reason, events);
  Usage usage = sequence.usage();
  usage.output_tokens = sequence.generated();
  events.emplace_back(usage);
  hand_over(sequence, std::move(events));
  release(sequence, Cells::keep);
}

/// What the reader has not taken yet is lost: a failure is the last event.
void Scheduler::fail(Sequence& sequence, Error error) {
  release(sequence, Cells::forget);
  sequence.outbox.clear();
  if (sequence.request.generation->cancelled()) return;
  sequence.request.generation->offer(Failure{std::move(error), std::nullopt});
}

/// Kept is what nobody else holds of its text.
void Scheduler::release(Sequence& sequence, Cells cells) {
  if (sequence.slot < 0) return;
  const int slot = std::exchange(sequence.slot, -1);
  sequence.leader = 0;
  const int text = std::min(sequence.text_cells(), sequence.computed);
  const bool more = text < sequence.computed || std::exchange(sequence.ahead, 0) > 0;
  if (cells == Cells::keep && keeps()) {
    if (more) forget(slot, text);
    if (tree_.exclusive(slot) > 0) return tree_.unpin(slot);
  }
  forget(slot, 0);
  tree_.give_back(slot);
}

}  // namespace craton::engines::llama
