// Decoder: the model as the scheduler sees it. Tokens of many sequences go in together, the logits
// of the next token of each come out.
//
// One thread calls it. Behind it is llama.cpp (loaded_model.h) or, in tests, a table.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace craton::engines::llama {

using Token = std::int32_t;

struct ImagePiece;

struct BatchEntry {
  Token token;
  int position;       ///< In its sequence, from 0; after an image as many further as it says.
  int sequence;       ///< 0 to the number of parallel sequences.
  bool wants_logits;  ///< Set for the last known token of a sequence: what follows is to be chosen.
};

enum class DecodeStatus {
  done,
  no_room,      ///< The KV cache has no cells left for this batch. It is unchanged.
  interrupted,  ///< The engine is being destroyed.
  failed,       ///< What was computed of the batch is undefined: forget() it.
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  /// Computes `batch`: positions of a sequence follow without gap on those it has already.
  virtual DecodeStatus decode(std::span<const BatchEntry> batch) = 0;

  /// Computes embeddings of an image, which stand at `position` of `sequence`. No logits come of
  /// it: text follows. When it does not end with `done`, a part of it may be computed: forget() it.
  virtual DecodeStatus decode_image(const ImagePiece& piece, int position, int sequence) = 0;

  /// What the model says may follow entry `index` of the last batch, one number a token of the
  /// vocabulary. Only for an entry that wanted logits. Valid until the next decode().
  virtual std::span<const float> logits(std::size_t index) = 0;

  /// Drops what the KV cache holds of `sequence` from `position` on. False: the model cannot drop a
  /// part (a recurrent one), so everything of the sequence was dropped.
  virtual bool forget(int sequence, int position) = 0;

  /// False: a sequence's beginning cannot be had without its end (a recurrent model), so nothing is
  /// shared.
  virtual bool shares() const = 0;

  /// `to`, which holds nothing, holds the first `tokens` of `from` as well, by reference. Text only.
  virtual void share(int from, int to, int tokens) = 0;

  /// True when `token` ends the answer.
  virtual bool ends_answer(Token token) const = 0;

  /// The bytes that `token` stands for: any piece of UTF-8, nothing for a control token.
  virtual std::string bytes_of(Token token) const = 0;

  /// The text of a control token: "<|im_end|>". Nothing for others.
  virtual std::string control_text(Token) const { return {}; }
};

}  // namespace craton::engines::llama
