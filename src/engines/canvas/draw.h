// What is drawn for a request. The same request gives the same pictures, and other words, another
// seed or another style give others.
//
// No I/O but fonts'.
#pragma once

#include <functional>
#include <optional>

#include "conversation/drawing.h"
#include "engines/canvas/lettering.h"

namespace craton::engines::canvas {

/// Nothing when `stopped()`, which is asked before each picture, says so. The request is as
/// Engine::draw() takes it: width, height and count at least 1; what a task needs is there.
std::optional<Drawings> draw(const DrawingRequest& request, Lettering& lettering,
                             const std::function<bool()>& stopped);

}  // namespace craton::engines::canvas
