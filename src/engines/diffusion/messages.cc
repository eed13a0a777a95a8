#include "engines/diffusion/messages.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "engines/diffusion/bytes.h"

namespace craton::engines::diffusion {
namespace {

constexpr std::size_t size_bytes = 4;

/// Appends fields.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  bool ok() const { return ok_; }
  void check(bool holds) { ok_ = ok_ && holds; }

  template <class Number>
  void number(const Number& value) {
    static_assert(std::is_unsigned_v<Number>);
    for (std::size_t i = 0; i < sizeof value; ++i)
      out_ += static_cast<char>(value >> (8 * i) & 0xff);
  }
  void real(const double& value) {
    check(std::isfinite(value));
    number(std::bit_cast<std::uint64_t>(value));
  }
  void flag(const bool& value) { number(static_cast<std::uint8_t>(value)); }
  void level(const Said::Level& value) { number(static_cast<std::uint8_t>(value)); }
  void bytes(const std::string& value, std::size_t size_max) {
    check(value.size() <= size_max);
    if (!ok_) return;
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }

 private:
  std::string& out_;
  bool ok_ = true;
};

/// Takes fields in.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}

  bool ok() const { return ok_; }
  bool ended() const { return in_.left() == 0; }
  void check(bool holds) { ok_ = ok_ && holds; }

  template <class Number>
  void number(Number& value) {
    const auto read = in_.number(sizeof value);
    check(read.has_value());
    value = static_cast<Number>(read.value_or(0));
  }
  void real(double& value) {
    std::uint64_t bits = 0;
    number(bits);
    value = std::bit_cast<double>(bits);
    check(std::isfinite(value));
  }
  void flag(bool& value) {
    std::uint8_t read = 0;
    number(read);
    check(read <= 1);
    value = read == 1;
  }
  void level(Said::Level& value) {
    std::uint8_t read = 0;
    number(read);
    check(read <= static_cast<std::uint8_t>(Said::Level::error));
    value = static_cast<Said::Level>(read);
  }
  void bytes(std::string& value, std::size_t size_max) {
    std::uint32_t size = 0;
    number(size);
    check(size <= size_max);
    const auto read = ok_ ? in_.take(size) : std::nullopt;
    check(read.has_value());
    if (ok_) value = *read;
  }

 private:
  Bytes in_;
  bool ok_ = true;
};

bool fits(std::uint32_t width, std::uint32_t height) {
  return width > 0 && width <= side_max && height > 0 && height <= side_max &&
         std::uint64_t{width} * height <= pixels_max;
}

/// As many numbers as a picture of that size has, or none where that may be.
bool fills(const std::string& pixels, std::uint32_t width, std::uint32_t height,
           std::size_t channels, bool may_be_none) {
  return (may_be_none && pixels.empty()) || pixels.size() == channels * width * height;
}

// The fields of each type, in their order, and what holds of them: one function for both ways.

/// `M` is `Type`, const where it is written.
template <class M, class Type>
concept Is = std::is_same_v<std::remove_const_t<M>, Type>;

void fields(auto& io, Is<Load> auto& m) {
  io.number(m.threads);
  for (auto* path :
       {&m.model, &m.diffusion_model, &m.vae, &m.taesd, &m.clip_l, &m.clip_g, &m.t5xxl}) {
    io.bytes(*path, text_max);
  }
}

void fields(auto& io, Is<Draw> auto& m) {
  for (auto* number : {&m.id, &m.width, &m.height, &m.steps}) io.number(*number);
  io.number(m.seed);
  for (auto* real : {&m.guidance, &m.distilled_guidance, &m.strength, &m.eta}) io.real(*real);
  for (auto* text : {&m.sampler, &m.prompt, &m.negative_prompt}) io.bytes(*text, text_max);
  io.check(fits(m.width, m.height) && m.steps > 0 && m.steps <= steps_max);
  io.bytes(m.source, 3 * std::size_t{pixels_max});
  io.bytes(m.mask, pixels_max);
  io.check(fills(m.source, m.width, m.height, 3, true));
  io.check(fills(m.mask, m.width, m.height, 1, true));
}

void fields(auto& io, Is<Cancel> auto& m) { io.number(m.id); }

void fields(auto&, Is<Ready> auto&) {}

void fields(auto& io, Is<Failed> auto& m) { io.bytes(m.reason, text_max); }

void fields(auto& io, Is<Progress> auto& m) {
  for (auto* number : {&m.id, &m.step, &m.steps}) io.number(*number);
}

void fields(auto& io, Is<Finished> auto& m) {
  for (auto* number : {&m.id, &m.width, &m.height}) io.number(*number);
  io.check(fits(m.width, m.height));
  io.bytes(m.rgb, 3 * std::size_t{pixels_max});
  io.check(fills(m.rgb, m.width, m.height, 3, false));
}

void fields(auto& io, Is<Undone> auto& m) {
  io.number(m.id);
  io.flag(m.cancelled);
  io.bytes(m.reason, text_max);
}

void fields(auto& io, Is<Said> auto& m) {
  io.level(m.level);
  io.bytes(m.text, text_max);
}

template <std::size_t type>
std::optional<Message> read_as(std::string_view bytes) {
  std::variant_alternative_t<type, Message> message;
  Reader reader(bytes);
  fields(reader, message);
  if (!reader.ok() || !reader.ended()) return std::nullopt;
  return message;
}

/// nullopt where it is none of that type.
std::optional<Message> read(std::size_t type, std::string_view bytes) {
  return [&]<std::size_t... types>(std::index_sequence<types...>) {
    constexpr std::array readers{&read_as<types>...};
    return type < readers.size() ? readers[type](bytes) : std::nullopt;
  }(std::make_index_sequence<std::variant_size_v<Message>>());
}

Error refused(const char* what) { return {ErrorCode::validation, what}; }

}  // namespace

Result<void> encode(const Message& message, std::string& out) {
  const std::size_t start = out.size();
  Writer writer(out);
  writer.number(std::uint32_t{0});  // the size, once it is known
  writer.number(static_cast<std::uint8_t>(message.index()));
  std::visit([&](const auto& m) { fields(writer, m); }, message);
  const std::size_t size = out.size() - start - size_bytes;
  if (!writer.ok() || size > message_max) {
    out.resize(start);
    return refused("A message to or of craton-diffusion is past a limit.");
  }
  for (std::size_t i = 0; i < size_bytes; ++i) {
    out[start + i] = static_cast<char>(size >> (8 * i) & 0xff);
  }
  return {};
}

void Decoder::feed(std::string_view bytes) {
  buffer_.erase(0, std::exchange(taken_, 0));
  buffer_ += bytes;
}

Result<std::optional<Message>> Decoder::next() {
  const Error garbage = refused("What came is no message of craton-diffusion's.");
  if (lost_) return garbage;
  Bytes bytes(std::string_view(buffer_).substr(taken_));
  const auto size = bytes.number(size_bytes);
  if (!size) return std::optional<Message>();
  lost_ = *size == 0 || *size > message_max;
  if (lost_) return garbage;
  if (bytes.left() < *size) return std::optional<Message>();
  const auto type = bytes.number(1);
  auto message = read(static_cast<std::size_t>(*type), *bytes.take(*size - 1));
  lost_ = !message;
  if (lost_) return garbage;
  taken_ += size_bytes + *size;
  return message;
}

}  // namespace craton::engines::diffusion
