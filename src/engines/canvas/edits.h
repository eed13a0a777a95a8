// What is done to pictures that somebody gave: resized, blended, masked, cut out, followed.
//
// No I/O, no globals.
#pragma once

#include <functional>
#include <string_view>

#include "conversation/drawing.h"
#include "engines/canvas/composition.h"
#include "engines/canvas/palette.h"

namespace craton::engines::canvas {

/// `picture` so large that it covers `width` x `height`, and its middle cut out; itself where it is
/// of that size.
Picture covering(const Picture& picture, int width, int height);

/// `over` laid over `under`, which is of its size. `share`: 0 to 256 keeps nothing of `under`.
void blend(const Picture& over, int share, Picture& under);

/// The smallest box that has all that may change; empty where nothing may.
Box changed_box(const Mask& mask);

/// `source` where the mask says that nothing may change, byte for byte, and `made` where all may;
/// `share` of that, 0 to 256. All three are of one size.
Picture masked(const Picture& source, const Picture& made, const Mask& mask, int share);

/// `source` with what may change filled in from both sides.
Picture filled_in(const Picture& source, const Mask& mask);

/// Where something that words name might be: an ellipse about the middle, chosen by the words
/// alone.
Mask mask_of_words(std::string_view words, int width, int height);

/// What may change, and what may not, exchanged.
void turn(Mask& mask);

/// Makes transparent what looks like the border and hangs together with it.
void remove_background(Picture& picture);

/// Draws the edges of `control`. Both are of one size; `share`: 0 to 256.
void follow_edges(const Picture& control, const Rgb& color, int share, Picture& picture);

/// Gives each of five shades of `control` a colour. As above.
void follow_segments(const Picture& control, const Palette& palette, int share, Picture& picture);

/// From the darkest colour to the lightest by the light of `source`. As above.
void follow_light(const Picture& source, std::vector<Rgb> colors, int share, Picture& picture);

}  // namespace craton::engines::canvas
