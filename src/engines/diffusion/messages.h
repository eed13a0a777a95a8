// What the server and craton-diffusion, the program that draws, say to each other over a pipe.
//
//   | size u32, of what follows | type u8 | the type's fields |
//
//   server ── Load ──────────►
//          ◄── Log* (Ready | Failed) ──
//          ── Draw ──────────►
//          ◄── (Log | Progress)* (Finished | Undone) ──
//          ── Cancel, any time ►
//
// The server sends the next Draw when the one before is Finished or Undone. Integers are
// little-endian; text and pixels have their size in front, u32; a real number is the bits of its
// double. Both ends are of one build, so there are no versions.
//
// No I/O, no globals: distinct Decoders may be used from distinct threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace craton::engines::diffusion {

// What is over a limit is neither written nor read.
inline constexpr std::size_t text_max = 64 << 10;  ///< Of a prompt, a path, a line of a log; bytes.
inline constexpr std::uint32_t side_max = 4096 + 64;   ///< Pixels; Nova Canvas's 4096, rounded up.
inline constexpr std::uint32_t pixels_max = 10 << 20;  ///< Stability's largest source has 9437184.
inline constexpr std::uint32_t steps_max = 1000;       ///< As many as models are trained on.
inline constexpr std::size_t message_max = 4 * pixels_max + 16 * text_max;  ///< Bytes.

/// Files of weights; empty: none. Once, first of all.
struct Load {
  std::uint32_t threads = 0;         ///< That compute; 0: one per physical core.
  std::string model = {};            ///< All in one file,
  std::string diffusion_model = {};  ///< or what denoises alone.
  std::string vae = {};
  std::string taesd = {};  ///< A small stand-in for the VAE.
  std::string clip_l = {};
  std::string clip_g = {};
  std::string t5xxl = {};

  friend bool operator==(const Load&, const Load&) = default;
};

struct Draw {
  std::uint32_t id = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t steps = 0;
  std::uint64_t seed = 0;
  double guidance = 1;            ///< Between what the prompt and the negative prompt give.
  double distilled_guidance = 0;  ///< The one that models such as Flux have learned.
  double strength = 1;            ///< How far from the source; 0 to 1.
  double eta = 0;                 ///< Of the noise that the sampler adds anew; 0 to 1.
  std::string sampler = {};       ///< As stable-diffusion.cpp calls it; empty: the model's own.
  std::string prompt = {};
  std::string negative_prompt = {};
  std::string source = {};  ///< RGB, of the picture's size; empty: none.
  std::string mask = {};    ///< A byte a pixel, 255 where it may change; empty: everywhere.

  friend bool operator==(const Draw&, const Draw&) = default;
};

/// The drawing `id` is not wanted any more. Nothing happens where it has ended.
struct Cancel {
  std::uint32_t id = 0;

  friend bool operator==(const Cancel&, const Cancel&) = default;
};

struct Ready {
  friend bool operator==(const Ready&, const Ready&) = default;
};

/// The weights cannot be loaded. The last message.
struct Failed {
  std::string reason = {};

  friend bool operator==(const Failed&, const Failed&) = default;
};

struct Progress {
  std::uint32_t id = 0;
  std::uint32_t step = 0;  ///< Done, of
  std::uint32_t steps = 0;

  friend bool operator==(const Progress&, const Progress&) = default;
};

struct Finished {
  std::uint32_t id = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::string rgb = {};

  friend bool operator==(const Finished&, const Finished&) = default;
};

/// A drawing that will not be finished: by Cancel, or for a reason.
struct Undone {
  std::uint32_t id = 0;
  bool cancelled = false;
  std::string reason = {};

  friend bool operator==(const Undone&, const Undone&) = default;
};

/// A line that the library wrote.
struct Said {
  enum class Level : std::uint8_t { debug, info, warning, error };
  Level level = Level::debug;
  std::string text = {};

  friend bool operator==(const Said&, const Said&) = default;
};

/// The type on the wire is the place in this list.
using Message = std::variant<Load, Draw, Cancel, Ready, Failed, Progress, Finished, Undone, Said>;

/// Appends the wire form of `message` to `out`.
/// Fails with `validation`, leaving `out` as it was, when a limit above is exceeded or pixels are
/// not as many as the sizes say.
Result<void> encode(const Message& message, std::string& out);

/// Cuts a byte stream, in whatever pieces it arrives, into messages.
class Decoder {
 public:
  /// Keeps a copy of `bytes`.
  void feed(std::string_view bytes);

  /// The next whole message; nullopt when more bytes are needed.
  /// Fails with `validation` on what encode() would not have written, for good: framing is lost.
  Result<std::optional<Message>> next();

 private:
  std::string buffer_;
  std::size_t taken_ = 0;  ///< Bytes of it that are used up.
  bool lost_ = false;
};

}  // namespace craton::engines::diffusion
