#include "engines/llama/image_encoder.h"

#include <llama-cpp.h>
#include <llama.h>
#include <mtmd.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "base/log.h"
#include "engines/llama/llama_log.h"
#include "engines/llama/model_file.h"

namespace craton::engines::llama {
namespace {

Error broken(std::string reason) { return {ErrorCode::model_error, std::move(reason)}; }

/// The caller is told less than the log.
Error not_encoded(std::string_view reason) {
  log::error("image_not_encoded", {{"reason", reason}});
  return broken("The model could not read the image.");
}

struct FreeBitmap {
  void operator()(mtmd_bitmap* bitmap) const { mtmd_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<mtmd_bitmap, FreeBitmap>;

struct FreeChunks {
  void operator()(mtmd_input_chunks* chunks) const { mtmd_input_chunks_free(chunks); }
};
using Chunks = std::unique_ptr<mtmd_input_chunks, FreeChunks>;

/// Attention that sees the whole image, for as long as it lives.
class NonCausal {
 public:
  explicit NonCausal(llama_context* context) : context_(context) {
    if (context_) llama_set_causal_attn(context_, false);
  }
  ~NonCausal() {
    if (context_) llama_set_causal_attn(context_, true);
  }
  NonCausal(const NonCausal&) = delete;
  NonCausal& operator=(const NonCausal&) = delete;

 private:
  llama_context* context_;  ///< Null: nothing to do.
};

mtmd_context_params parameters(const ImageEncoderOptions& options) {
  mtmd_context_params params = mtmd_context_params_default();
  params.use_gpu = false;
  params.print_timings = false;
  params.n_threads = options.threads;
  params.image_max_tokens = options.tokens_max > 0 ? options.tokens_max : -1;
  return params;
}

/// llama.cpp's numbers, as loaded_model.cc reads them.
DecodeStatus status_of(int result) {
  switch (result) {
    case 0: return DecodeStatus::done;
    case 1: return DecodeStatus::no_room;
    case 2: return DecodeStatus::interrupted;
    default: return DecodeStatus::failed;
  }
}

ImagePiece text_piece(const mtmd_input_chunk* chunk) {
  std::size_t count = 0;
  const llama_token* tokens = mtmd_input_chunk_get_tokens_text(chunk, &count);
  return {.tokens = {tokens, tokens + count},
          .cells = static_cast<int>(count),
          .positions = static_cast<int>(count)};
}

/// Without the pixels, which are larger than all the rest.
ImagePiece image_piece(const mtmd_input_chunk* chunk) {
  return {.cells = static_cast<int>(mtmd_input_chunk_get_n_tokens(chunk)),
          .positions = static_cast<int>(mtmd_input_chunk_get_n_pos(chunk)),
          .places = {mtmd_input_chunk_get_placeholder(chunk), mtmd_input_chunk_free}};
}

int sum(const std::vector<ImagePiece>& pieces, int ImagePiece::* number) {
  int total = 0;
  for (const ImagePiece& piece : pieces) total += piece.*number;
  return total;
}

}  // namespace

int ImagePieces::cells() const { return sum(pieces, &ImagePiece::cells); }
int ImagePieces::positions() const { return sum(pieces, &ImagePiece::positions); }

void ImageEncoder::Free::operator()(mtmd_context* context) const { mtmd_free(context); }
ImageEncoder::~ImageEncoder() = default;

Result<std::unique_ptr<ImageEncoder>> ImageEncoder::load(const ImageEncoderOptions& options,
                                                         const llama_model& model) {
  adopt_llama_log();
  if (const auto reason = why_no_model(options.path)) return broken(*reason);
  std::unique_ptr<ImageEncoder> encoder(new ImageEncoder(options));
  CRATON_TRY(encoder->open(model));
  CRATON_TRY(encoder->try_out(model));
  return encoder;
}

Result<void> ImageEncoder::open(const llama_model& model) {
  const ErrorCollector collector;
  context_.reset(mtmd_init_from_file(options_.path.c_str(), &model, parameters(options_)));
  if (!context_) {
    return broken("projector " + options_.path +
                  " cannot be loaded: " + collector.errors_or("no reason was given") +
                  ". Name the mmproj file that was made for this model.");
  }
  if (!mtmd_support_vision(context_.get()))
    return broken("projector " + options_.path + " is not for images.");
  width_ = static_cast<std::size_t>(llama_model_n_embd_inp(&model));
  return {};
}

/// A projector of another model may have the right width and still want tokens around an image that
/// this model does not have. A large image shows all that it wants.
Result<void> ImageEncoder::try_out(const llama_model& model) const {
  constexpr std::uint32_t width = 3000;
  constexpr std::uint32_t height = 2000;
  const Bitmap image(mtmd_bitmap_init(width, height, nullptr));
  CRATON_TRY_ASSIGN(const ImagePieces pieces, pieces_of(*image, false));
  const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(&model));
  for (const ImagePiece& piece : pieces.pieces) {
    const bool known = std::ranges::all_of(
        piece.tokens, [vocabulary](Token token) { return token >= 0 && token < vocabulary; });
    if (known) continue;
    return broken(
        "projector " + options_.path +
        " wants tokens around an image that the model does not have. Name the mmproj file "
        "that was made for this model.");
  }
  return {};
}

Result<ImagePieces> ImageEncoder::measure(std::string_view bytes) const {
  CRATON_TRY_ASSIGN(const Pixels pixels, measure_pixels(bytes, options_.pixels));
  const Bitmap placeholder(mtmd_bitmap_init(pixels.width, pixels.height, nullptr));
  return pieces_of(*placeholder, false);
}

Result<ImagePieces> ImageEncoder::encode(std::string_view bytes) {
  const std::scoped_lock lock(encoding_);
  try {
    Bitmap bitmap;
    {
      CRATON_TRY_ASSIGN(const Pixels pixels, decode_pixels(bytes, options_.pixels));
      bitmap.reset(mtmd_bitmap_init(pixels.width, pixels.height, pixels.rgb.data()));
    }
    return pieces_of(*bitmap, true);
  } catch (const std::exception& exception) {  // out of memory, mostly
    return not_encoded(exception.what());
  }
}

Result<ImagePieces> ImageEncoder::pieces_of(const mtmd_bitmap& bitmap, bool encoded) const {
  const Chunks chunks(mtmd_input_chunks_init());
  const mtmd_input_part part{.text = nullptr, .bitmap = &bitmap};
  const mtmd_input_part* parts = &part;
  const ErrorCollector collector;
  if (mtmd_tokenize_from_parts(context_.get(), chunks.get(), &parts, 1, false) != 0) {
    log::warning("image_not_prepared", {{"reason", collector.errors_or("unknown")}});
    return Error{ErrorCode::validation, "Could not process image"};
  }
  ImagePieces result;
  for (std::size_t i = 0; i < mtmd_input_chunks_size(chunks.get()); ++i) {
    const mtmd_input_chunk* chunk = mtmd_input_chunks_get(chunks.get(), i);
    const bool text = mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_TEXT;
    ImagePiece& piece = result.pieces.emplace_back(text ? text_piece(chunk) : image_piece(chunk));
    if (text) continue;
    if (!piece.places) return not_encoded("its places cannot be described");
    CRATON_TRY(fits(piece));
    if (!encoded) continue;
    if (mtmd_encode_chunk(context_.get(), chunk) != 0)
      return not_encoded(collector.errors_or("unknown"));
    const float* embeddings = mtmd_get_output_embd(context_.get());
    piece.embeddings.assign(embeddings,
                            embeddings + static_cast<std::size_t>(piece.cells) * width_);
    if (!std::ranges::all_of(piece.embeddings, [](float x) { return std::isfinite(x); }))
      return not_encoded("its embeddings are no numbers");
  }
  return result;
}

/// Attention that sees the whole image must see it in one batch: llama.cpp aborts otherwise.
Result<void> ImageEncoder::fits(const ImagePiece& piece) const {
  const bool at_once = mtmd_decode_use_non_causal(context_.get(), piece.places.get());
  if (!at_once || piece.cells <= options_.batch_tokens) return {};
  return broken("The model wants " + std::to_string(piece.cells) +
                " tokens of an image at once, and is served with batches of " +
                std::to_string(options_.batch_tokens) + ".");
}

DecodeStatus ImageEncoder::decode(llama_context& context, const ImagePiece& piece, int position,
                                  int sequence) const {
  const bool non_causal = mtmd_decode_use_non_causal(context_.get(), piece.places.get());
  const int batch_most = static_cast<int>(llama_n_ubatch(&context));
  if (non_causal && piece.cells > batch_most) return DecodeStatus::failed;
  const NonCausal attention(non_causal ? &context : nullptr);
  const llama_batch_ext_ptr batch(llama_batch_ext_init(&context));
  try {
    for (int begin = 0; begin < piece.cells; begin += batch_most) {
      const Range range{begin, std::min(begin + batch_most, piece.cells)};
      if (!fill(*batch, piece, range, position, sequence)) return DecodeStatus::failed;
      const int result = llama_process(&context, LLAMA_PROCESS_TYPE_DECODE, batch.get());
      if (result != 0) return status_of(result);
    }
  } catch (const std::exception& exception) {  // out of memory, mostly
    log::error("decode_failed", {{"reason", exception.what()}});
    return DecodeStatus::failed;
  }
  return DecodeStatus::done;
}

/// The embeddings of `range` of `piece`. False when the batch does not take them.
bool ImageEncoder::fill(llama_batch_ext& batch, const ImagePiece& piece, Range range, int position,
                        int sequence) const {
  const mtmd_image_tokens* places = mtmd_input_chunk_get_tokens_image(piece.places.get());
  const bool mrope = mtmd_decode_use_mrope(context_.get());
  llama_batch_ext_clear(&batch);
  for (int i = range.begin; i < range.end; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const int index = llama_batch_ext_add_embd(&batch, sequence,
                                               {piece.embeddings.data() + row * width_, 1, width_});
    if (index < 0) return false;
    const auto place = mtmd_image_tokens_get_decoder_pos(places, position, row);
    // M-RoPE's sections are time, height and width; without it only the first number counts.
    const llama_pos where[] = {static_cast<llama_pos>(mrope ? place.t : position + row),
                               static_cast<llama_pos>(place.y), static_cast<llama_pos>(place.x),
                               static_cast<llama_pos>(place.z)};
    llama_batch_ext_set_pos(&batch, index, where);
  }
  return true;
}

}  // namespace craton::engines::llama
