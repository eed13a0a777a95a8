// Small pictures, and waiting for drawings. For tests only.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "engines/engine.h"

namespace craton::engines::diffusion {

/// Waits until `subscribe(wake)` has called wake; false when that takes too long.
inline bool wait_for(auto subscribe, std::chrono::seconds most = std::chrono::seconds(240)) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };
  const auto gate = std::make_shared<Gate>();
  subscribe([gate] {
    const std::lock_guard lock(gate->mutex);
    gate->open = true;
    gate->changed.notify_one();
  });
  std::unique_lock lock(gate->mutex);
  return gate->changed.wait_for(lock, most, [&] { return gate->open; });
}

inline void wait_until_loaded(Engine& engine) {
  if (!wait_for([&](auto wake) { engine.notify_loaded(wake); })) {
    throw std::runtime_error("the model does not load");
  }
}

inline Drawing::Outcome outcome_of(Drawing& drawing) {
  if (!wait_for([&](auto wake) { drawing.notify(wake); })) {
    throw std::runtime_error("the drawing does not end");
  }
  return *drawing.take();
}

/// Every pixel (`r`, `g`, `b`), opaque.
inline Picture plain(int width, int height, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Picture picture{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    for (const std::uint8_t byte : {r, g, b, std::uint8_t{255}}) picture.rgba.push_back(byte);
  }
  return picture;
}

/// The left half may change.
inline Mask left_half(int width, int height) {
  Mask mask{width, height, {}};
  for (int i = 0; i < width * height; ++i) mask.change.push_back(i % width < width / 2 ? 255 : 0);
  return mask;
}

inline DrawingRequest asking(std::string prompt, int steps = 2) {
  return {.prompts = {{std::move(prompt), 1}}, .width = 64, .height = 64, .steps = steps};
}

}  // namespace craton::engines::diffusion
