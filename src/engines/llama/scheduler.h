// Scheduler: which tokens go into the next batch.
//
//   add() ─► waiting ──admit──► running ──finished──► draining ─► gone
//               ▲ (first in,       │ one batch a step: the next token of every running answer,
//               │  first out)      │ then pieces of prompts, oldest first
//               └────evicted───────┘ no cells left: the newest gives its cells up, and computes
//                                    again later what it had; its caller sees a pause
//
// What prompts have in common is computed once. A new one begins with what any sequence holds of
// its beginning, by reference; where an older one is about to compute more of it, the new one waits
// for that. The cells of finished answers are kept for those to come, until they are needed (least
// recently used first).
//
// How an answer goes on is guessed where it can be (guesser.h), and the guess computed with its
// next token, as far as that is worth its time. What the model chooses is the same: a guess only
// saves steps where it turns out to be that.
//
// An image in a prompt is computed as a whole, in a step of its own; batches of the others' tokens
// take turns with images.
//
// All sequences share the cells of one KV cache. A sequence whose reader does not keep up
// (Generation::offer refuses) sits steps out until there is room again; nobody waits for it. The
// oldest sequence always fits alone, so something always advances.
//
// No clock, no threads of its own: one thread calls it and says what time it is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "conversation/event.h"
#include "engines/engine.h"
#include "engines/generation.h"
#include "engines/llama/answer_assembler.h"
#include "engines/llama/crew.h"
#include "engines/llama/decoder.h"
#include "engines/llama/drafter.h"
#include "engines/llama/guesser.h"
#include "engines/llama/prefix_tree.h"
#include "engines/llama/prompt.h"
#include "engines/llama/sampler.h"
#include "engines/llama/step_cost.h"
#include "engines/turn.h"

namespace craton::engines::llama {

/// An answer to make: everything that could be found out before the model's turn.
struct Request {
  Prompt prompt;           ///< Fewer cells than `context_tokens`; a token is its end.
  int context_tokens = 0;  ///< Prompt and answer together; at most the cells of the KV cache.
  std::optional<int> tokens_max;
  std::optional<SteadyTime> deadline;
  Sampler sampler;
  AnswerAssembler assembler;
  Likelihoods likelihoods = Likelihoods::none;
  /// Its place among those that wait, and the last to be evicted (turn.h). Equals go in the order
  /// in which they were added.
  Priority priority = Priority::normal;
  SteadyTime arrived{};
  /// Computed as if there had never been another: its prompt anew, nothing guessed, and where it
  /// runs alone, in cells of its own. What batches do to the last bits of numbers is then the same
  /// each time.
  bool repeatable = false;
  /// Tokens up to the last point at which the caller asked for the prompt to be kept; 0: nowhere.
  int cache_point = 0;
  std::shared_ptr<Generation> generation;
  std::shared_ptr<void>
      place;  ///< Held until the request is gone: its place in the engine's bound.
};

struct SchedulerOptions {
  int cells = 0;     ///< Of the KV cache, tokens.
  int parallel = 1;  ///< Sequences that are computed at once.
  /// Sequences that the decoder knows, at least `parallel`: what is beyond holds the beginnings
  /// that are kept. 0: as `parallel`.
  int sequences = 0;
  int batch_tokens = 512;  ///< Most in one batch.
  /// Most prompt tokens in a batch that also carries running answers: what one more prompt may slow
  /// each of their tokens.
  int prompt_tokens_beside_answers = 128;
  /// Most tokens of a batch whose logits are wanted: what the decoder has memory for. At least
  /// `parallel`; what is beyond that serves prompts whose likelihoods are asked for.
  int outputs_max = 0;
  bool prefix_cache = true;  ///< False: nothing is shared, nothing kept.
  /// Most tokens of one answer that are guessed ahead; 0: none. No more than fit into
  /// `outputs_max`.
  int guessed_max = 0;
  /// Guesses too, where an answer is made alone; null: there is none. Outlives the scheduler.
  Drafter* drafter = nullptr;
  /// Chooses the tokens of several answers at once; null: one after another. Outlives the
  /// scheduler.
  Crew* crew = nullptr;
};

/// What a scheduler has done since it was made.
struct SchedulerStats {
  std::uint64_t prompt_tokens = 0;      ///< Cells of the prompts that were begun,
  std::uint64_t prefix_hit_tokens = 0;  ///< and how many of them were there already.
  std::uint64_t generated_tokens = 0;
  std::uint64_t evictions = 0;
};

class Scheduler {
 public:
  Scheduler(Decoder& decoder, const SchedulerOptions& options);
  ~Scheduler();

  void add(Request request);

  /// Advances every answer that can. False when none can, until a request is added, a reader makes
  /// room or gives up, or next_deadline() passes.
  bool step(SteadyTime now);

  /// The earliest deadline of all requests held.
  std::optional<SteadyTime> next_deadline() const;

  /// Ends every answer with `error`.
  void fail_all(const Error& error);

  /// Requests that hold cells, and those that wait for them.
  std::size_t running() const { return running_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

  /// Requests that are computed and whose readers have not taken everything yet.
  std::size_t draining() const { return draining_.size(); }

  const SchedulerStats& stats() const { return stats_; }

  /// Cells that hold something, and those of running answers among them.
  int cells() const { return tree_.cells(); }
  int pinned_cells() const { return tree_.pinned_cells(); }

 private:
  struct Sequence {
    Sequence(Request made, std::uint64_t number)
        : request(std::move(made)),
          tokens(request.prompt.tokens()),
          id(number),
          turn(turn_of(request.priority, request.arrived)) {}

    Request request;
    std::vector<Token> tokens;  ///< The prompt, then what was chosen: one for each cell.
    std::uint64_t id;
    SteadyTime turn;
    int computed = 0;          ///< How many of `tokens` the KV cache holds.
    int slot = -1;             ///< The decoder's sequence, when running.
    int begun_with = 0;        ///< How many of the prompt's were there already, at first.
    std::uint64_t leader = 0;  ///< Who computes the beginning of this one too: it waits. 0: nobody.
    int awaited = 0;           ///< How much of it.
    int ahead = 0;  ///< Tokens that the cache holds beyond `computed`: guesses to be looked at.
    Guesser guesser;
    bool started = false;      ///< MessageStart is out.
    bool suspect = false;      ///< Was in a batch that failed: computed alone next.
    std::deque<Event> outbox;  ///< What the reader has no room for yet.
    std::vector<TokenLikelihood> prompt_likelihoods;  ///< Of the prompt's tokens but the first.

    bool reader_keeps_up() const { return outbox.empty(); }
    int missing() const { return static_cast<int>(tokens.size()) - computed; }
    int generated() const { return static_cast<int>(tokens.size()) - request.prompt.cells(); }
    /// Without the tokens of the answer. What others had computed of a part that is to be kept was
    /// read from the cache; the rest of that part is written to it.
    Usage usage() const {
      const int read = std::min(begun_with, request.cache_point);
      const int written = request.cache_point - read;
      return {.input_tokens = request.prompt.cells() - read - written,
              .cache_read_tokens = read,
              .cache_write_tokens = written};
    }
    bool goes_before(const Sequence& other) const {
      return std::tie(turn, id) < std::tie(other.turn, other.id);
    }
    bool can_advance() const { return reader_keeps_up() && !leader; }
    /// Cells that it is going to take by itself.
    int promised() const { return missing() - (leader ? std::max(0, awaited - computed) : 0); }
    /// Tokens before its first image.
    int text_cells() const {
      const Prompt::Image* image = request.prompt.image_from(0);
      return image ? image->begin : static_cast<int>(tokens.size());
    }
    int position() const { return request.prompt.position_of(computed); }
    /// Every position of the prompt has something to tell.
    bool weighs_prompt() const {
      return request.likelihoods == Likelihoods::all && !started && !request.prompt.has_images();
    }
    /// The image that is to be computed next; null when text is, or nothing.
    const Prompt::Image* next_image() const {
      const Prompt::Image* image = request.prompt.image_from(computed);
      return image && image->begin == computed ? image : nullptr;
    }
    /// How many of the missing tokens come before an image.
    int missing_text() const {
      const Prompt::Image* image = request.prompt.image_from(computed);
      return image ? image->begin - computed : missing();
    }
  };
  using SequencePtr = std::unique_ptr<Sequence>;

  struct Share {
    Sequence* sequence;
    int tokens;                       ///< How many of this batch are its, before guesses.
    std::vector<Token> guessed = {};  ///< What follows on them in the batch.
  };
  /// The token that follows on an entry of the batch, to be chosen.
  struct Choice {
    Sequence* sequence;
    std::span<const float> logits;
    std::optional<Token> token = {};
  };

  void drop_given_up(std::deque<SequencePtr>& sequences, SteadyTime now);
  void deliver();
  void admit();
  bool fits(const Sequence& next) const;
  bool keeps() const { return options_.prefix_cache && decoder_.shares(); }
  std::span<const Token> shareable(const Sequence& sequence) const;
  void find_leader(Sequence& sequence) const;
  void follow();
  void take_beginning(Sequence& sequence);
  int take_slot();
  int excess_cells() const;
  void make_room();
  bool drop_kept(int cells);
  void drop_all_kept();
  void evict_newest();
  void put_in_line(SequencePtr sequence);
  bool step_image();
  bool step_batch(SteadyTime now);
  void fill_batch(SteadyTime now);
  Sequence* next_suspect() const;
  Sequence* next_to_see() const;
  void start(Sequence& sequence);
  void put_in_batch(Sequence& sequence, int most);
  void put_guesses_in_batch(SteadyTime now);
  int most_guessed(const Sequence& sequence) const;
  void learn_step_cost(SteadyTime now);
  int room_in_batch(int most) const;
  void computed_batch();
  void advance(const Share& share, std::size_t begin);
  void choose(std::span<Choice> choices) const;
  void computed_guess(const Share& share, std::size_t first);
  void failed_batch(bool no_room);
  void failed_image(Sequence& sequence, bool no_room);
  void forget_uncomputed(Sequence& sequence);
  bool make_room_for(int cells);
  void weigh_prompt(Sequence& sequence, std::size_t begin, std::size_t end);
  bool wants_token(const Sequence& sequence) const;
  void accept(const Choice& choice);
  void hand_over(Sequence& sequence, std::vector<Event> events);
  void finish(Sequence& sequence, StopReason reason);
  void fail(Sequence& sequence, Error error);
  enum class Cells { keep, forget };
  void release(Sequence& sequence, Cells cells);
  void forget(int slot, int length);
  void retire();

  Decoder& decoder_;
  const SchedulerOptions options_;
  int cells_;       ///< Shrinks when the decoder turns out to have fewer than it said.
  int batch_most_;  ///< Shrinks while batches fail.
  /// Batches until it grows again, and those computed of them. Each failure asks for more: a
  /// recurrent model forgets everything with a batch that fails, and must not do so for ever.
  int patience_ = 1;
  int batches_done_ = 0;
  std::deque<SequencePtr> waiting_;
  std::deque<SequencePtr> running_;   ///< Oldest first.
  std::deque<SequencePtr> draining_;  ///< Finished; their readers have not read everything.
  PrefixTree tree_;                   ///< What the decoder holds.
  std::uint64_t sequences_made_ = 0;
  std::vector<BatchEntry> batch_;
  int outputs_ = 0;  ///< Entries of it that want logits beside each sequence's last.
  std::vector<Share> shares_;
  bool image_was_last_ = false;  ///< What the last step computed.
  StepCost cost_;
  SchedulerStats stats_;
  /// When the last step began, if it computed a batch: `batch_` is still that one's.
  std::optional<SteadyTime> step_began_;
};

}  // namespace craton::engines::llama
