// Vectors that no model makes: hashes of a text's words, for tests of what searches by similarity.
//
// Equal texts have equal vectors, and texts that share words are nearer than others: each word adds
// 4, and each run of three characters in it 1 (where some are not ASCII: of two, and 3), to four
// numbers that its hash chooses, with signs that it chooses too; the sum is brought to length 1. A
// word's beginning counts as a character, and so does its end where it is ASCII. Letters count
// without their case (ASCII's). Takes time in proportion to the text: some ten
// nanoseconds a byte. Nothing of it changes with a version: stored vectors stay comparable.
//
// No I/O, no globals: any function may be called from any thread.
#pragma once

#include <vector>

#include "conversation/embedding.h"

namespace craton::engines::script {

/// `dimension`, at least 1, numbers of length 1 for the item's text and image.
std::vector<float> hash_vector(const EmbeddingItem& item, int dimension);

}  // namespace craton::engines::script
