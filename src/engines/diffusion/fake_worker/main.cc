// A stand-in for craton-diffusion that misbehaves when it is asked to. For tests only.
//
// The name of the model file says how it loads, the prompt how it draws: see the tables below.
// Otherwise a picture is of one color, (seed, steps, process id), or the source with its colors
// inverted.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "engines/diffusion/messages.h"

namespace craton::engines::diffusion {
namespace {

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (size <= 0) _exit(0);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void send(const Message& message) {
  std::string wire;
  if (!encode(message, wire)) _exit(9);
  write_all(wire);
}

Decoder decoder;

/// The next message within `wait_ms` (-1: however long it takes); nullopt when none came.
std::optional<Message> receive(int wait_ms) {
  for (;;) {
    auto message = decoder.next();
    if (!message) _exit(8);
    if (*message) return **std::move(message);
    pollfd polled{STDIN_FILENO, POLLIN, 0};
    if (poll(&polled, 1, wait_ms) == 0) return std::nullopt;
    std::array<char, 65536> piece;
    const ssize_t size = read(STDIN_FILENO, piece.data(), piece.size());
    if (size <= 0) _exit(0);
    decoder.feed({piece.data(), static_cast<std::size_t>(size)});
  }
}

void crash() { std::abort(); }
void leave() { _exit(7); }
void hang() {
  for (;;) pause();
}
void babble() {
  write_all("\xff\xff\xff\x7f nonsense");
  hang();
}
void say_no() {
  send(Failed{"there is no tensor in /srv/models/tiny.gguf"});
  _exit(1);
}
void say_what_a_server_says() {
  send(Cancel{1});
  hang();
}
void stop_in_a_message() {
  write_all(std::string("\x40\0\0\0\6abc", 8));
  _exit(0);
}

struct Mischief {
  std::string_view word;
  void (*run)();
};
constexpr std::array mischief{
    Mischief{"crash", crash},
    Mischief{"leave", leave},
    Mischief{"hang", hang},
    Mischief{"babble", babble},
    Mischief{"no weights", say_no},
    Mischief{"wrong way", say_what_a_server_says},
    Mischief{"half", stop_in_a_message},
};

void misbehave(std::string_view text) {
  for (const Mischief& each : mischief) {
    if (text == each.word) each.run();
  }
}

int open_descriptors() {
  return static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                        std::filesystem::directory_iterator())) -
         1;  // the folder's own
}

Finished picture_of(const Draw& draw) {
  Finished finished{.id = draw.id, .width = draw.width, .height = draw.height, .rgb = draw.source};
  for (char& byte : finished.rgb) byte = static_cast<char>(~byte);
  if (!draw.source.empty()) return finished;
  const int last = draw.prompt == "descriptors" ? open_descriptors() : static_cast<int>(getpid());
  const std::array color{static_cast<char>(draw.seed), static_cast<char>(draw.steps),
                         static_cast<char>(last)};
  for (std::uint32_t i = 0; i < draw.width * draw.height; ++i) {
    finished.rgb.append(color.data(), color.size());
  }
  if (draw.prompt == "wrong size") {
    finished.width = 1;
    finished.height = 1;
    finished.rgb.resize(3);
  }
  return finished;
}

/// "slow" takes 20 ms a step, and looks after each whether it is to go on.
bool is_cancelled(const Draw& draw) {
  const auto message = receive(draw.prompt == "slow" ? 20 : 0);
  const auto* cancel = message ? std::get_if<Cancel>(&*message) : nullptr;
  return cancel && cancel->id == draw.id;
}

void draw(const Draw& draw) {
  for (std::uint32_t step = 0; step <= draw.steps; ++step) {
    send(Progress{.id = draw.id, .step = step, .steps = draw.steps});
    if (step == 1) misbehave(draw.prompt);
    if (is_cancelled(draw)) return send(Undone{.id = draw.id, .cancelled = true});
  }
  send(Said{Said::Level::info, "drawn"});
  if (draw.prompt == "undone") return send(Undone{.id = draw.id, .reason = "no memory"});
  send(picture_of(draw));
}

}  // namespace
}  // namespace craton::engines::diffusion

int main() {
  using namespace craton::engines::diffusion;
  for (;;) {
    const auto message = receive(-1);
    if (const auto* load = std::get_if<Load>(&*message)) {
      misbehave(std::filesystem::path(load->model).stem().string());
      send(Ready{});
    } else if (const auto* asked = std::get_if<Draw>(&*message)) {
      draw(*asked);
    }
  }
}
