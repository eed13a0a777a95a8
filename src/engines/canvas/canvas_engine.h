// The engine that needs no model: it draws gradients and shapes, and the prompt on them, so that
// applications that make images can be built and tested. Masks and source pictures are really
// applied. What it draws says of itself that no model made it.
//
//   draw() ── queue, by priority ──► a few threads, which start with the first request
//
// Threads: as Engine.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engines/canvas/lettering.h"
#include "engines/engine.h"

namespace craton::engines::canvas {

struct CanvasOptions {
  int threads = 2;
  /// Held at once: those that wait, those that are drawn, and those whose pictures somebody still
  /// has. The next are throttled.
  int requests_max = 64;
  /// Of the pictures of all requests held at once, those that were given and those to be made. One
  /// request alone may have more.
  std::size_t bytes_max = std::size_t{512} << 20;
  std::vector<std::string> font_files = known_font_files();
};

std::unique_ptr<Engine> make_canvas_engine(CanvasOptions options = {});

}  // namespace craton::engines::canvas
