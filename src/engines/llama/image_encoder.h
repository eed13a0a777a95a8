// ImageEncoder: images as a language model takes them, by a projector (an "mmproj" GGUF file) made
// for that model. Over llama.cpp's mtmd.
//
//   bytes ──► pixels ──► vision model, projector ──► pieces:  <start_of_image> 256 embeddings
//   <end…>
//            (image_pixels.h)      (encode)                        tokens         cells tokens
//
// An image becomes pieces that stand in its place in the prompt, in order: tokens of text that the
// model wants around it, and embeddings, each a cell of the KV cache like a token. Models differ in
// how many, and some cut an image into tiles with tokens between.
//
// measure() tells the pieces without looking at a pixel, for counting and for limits. encode()
// takes seconds on a CPU and lets one caller in at a time; it is not for the thread that decodes.
// Both may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engines/llama/decoder.h"
#include "engines/llama/image_piece.h"
#include "engines/llama/image_pixels.h"

struct llama_batch_ext;
struct llama_context;
struct llama_model;
struct mtmd_bitmap;
struct mtmd_context;

namespace craton::engines::llama {

struct ImageEncoderOptions {
  std::string path;        ///< The projector.
  int threads = 1;         ///< That compute.
  int batch_tokens = 512;  ///< Of the context that is to take the pieces: its n_ubatch.
  int tokens_max = 0;  ///< Of one image, where the model leaves a choice. 0: the projector's own.
  PixelLimits pixels = {};
};

class ImageEncoder {
 public:
  /// `model` outlives the encoder. Fails with `model_error`; the message is for the operator and
  /// names the path.
  static Result<std::unique_ptr<ImageEncoder>> load(const ImageEncoderOptions& options,
                                                    const llama_model& model);
  ~ImageEncoder();

  /// What encode() will give, without its embeddings.
  /// Fails with `validation` for what is no image or exceeds `options.pixels`, with `model_error`
  /// when the model wants more of an image at once than `options.batch_tokens`.
  Result<ImagePieces> measure(std::string_view bytes) const;

  /// Fails as measure() does, also for images that are damaged further on, and with `model_error`
  /// when the vision model fails.
  Result<ImagePieces> encode(std::string_view bytes);

  /// Computes the embeddings of `piece` (not its tokens: those go in with other tokens) into the KV
  /// cache of `sequence`, from `position` on, in a batch of its own or several. It asks for no
  /// logits: text always follows. When it does not end with `done`, forget what the cache holds of
  /// the sequence from `position` on. Only on the thread that owns `context`.
  DecodeStatus decode(llama_context& context, const ImagePiece& piece, int position,
                      int sequence) const;

 private:
  struct Free {
    void operator()(mtmd_context* context) const;
  };

  explicit ImageEncoder(const ImageEncoderOptions& options) : options_(options) {}
  Result<void> open(const llama_model& model);
  Result<void> try_out(const llama_model& model) const;
  Result<ImagePieces> pieces_of(const mtmd_bitmap& bitmap, bool encoded) const;
  Result<void> fits(const ImagePiece& piece) const;
  struct Range {
    int begin;
    int end;
  };
  bool fill(llama_batch_ext& batch, const ImagePiece& piece, Range range, int position,
            int sequence) const;

  const ImageEncoderOptions options_;
  std::unique_ptr<mtmd_context, Free> context_;
  std::size_t width_ = 0;  ///< Floats of one embedding.
  std::mutex encoding_;    ///< The vision model computes one image at a time.
};

}  // namespace craton::engines::llama
