// From an encoder's vectors to those that a model id promises.
//
// A map of n numbers to D is fixed by n and D alone, and linear: signs that look random, then rows
// of an orthonormal cosine transform. Where D is at least n its columns are orthonormal, so that
// lengths, distances and cosines stay what they were; where D is less, D of n rows are taken, and
// cosines stay nearly (the difference has a deviation of about sqrt((1/D)(1 - D/n))).
//
// No I/O, no globals.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "families/embedding_family.h"

namespace craton::families {

/// `vector` mapped to `dimension` numbers, at least 1; as it is where it has as many.
std::vector<float> mapped(std::span<const float> vector, int dimension);

/// Makes its length 1. A vector of zeros becomes one of equal numbers.
void normalize(std::vector<float>& vector);

/// The cosine of the angle between two vectors of one dimension, -1 to 1.
double cosine(std::span<const float> a, std::span<const float> b);

/// The vector that the reply has of that item: as many numbers, and of the length, that the body
/// asks for; what was declared, as it is.
std::vector<float> reply_vector(const EmbeddingReply& reply, std::size_t item);

/// "384 numbers mapped to 1024"; empty where they are as many.
std::string mapping_note(const EmbeddingReply& reply);

/// Appends a vector as a JSON array. Of unit vectors, int8 and uint8 reach to four deviations of a
/// number; bits say which numbers are positive, the first in a byte's highest bit.
void append_vector(std::span<const float> vector, VectorType type, std::string& out);

/// Appends one number, as vectors have them: "0.9".
void append_number(float number, std::string& out);

/// Appends a bit a number: 1 where it is positive (Titan's `binary`).
void append_bits(std::span<const float> vector, std::string& out);

}  // namespace craton::families
