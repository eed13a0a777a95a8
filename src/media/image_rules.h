// Bedrock's rules for images in prompts, in the words of the models that refuse.
//
// `place` is where in the request the image's bytes are: "messages.0.content.2.image.source.bytes"
// in Converse, "messages.0.content.2.image.source.base64" in Claude's own schema,
// "#/messages/0/content/2/image_url/url" in OpenAI's. Converse puts "The model returned the
// following errors: " in front of these texts, others wrap them in their own way.
// Source: Message in Bedrock's API reference (counts, sizes), recorded refusals (texts).
//
// No I/O, no globals. All fail with `validation`.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "media/image_info.h"

namespace craton::media {

inline constexpr std::size_t images_max = 20;  ///< In one request.
/// Of one image, in base64 as it travels: 3.75 MiB of the image itself.
inline constexpr std::size_t image_base64_bytes_max = 5u << 20;
inline constexpr std::uint32_t image_side_max = 8000;  ///< Pixels of width, and of height.

struct FileCounts {
  std::size_t images;
  std::size_t documents;  ///< Only told in the message.
};

/// `place`: of all files together, "messages".
Result<void> check_image_count(std::string_view place, const FileCounts& counts);

/// `bytes`: of the image itself, not of its base64.
Result<void> check_image_size(std::string_view place, std::size_t bytes);

Result<void> check_image_dimensions(std::string_view place, const ImageInfo& image);

/// `said`: what the request says that the image is.
Result<void> check_image_format(std::string_view place, ImageFormat said, ImageFormat found);

/// An image in a request.
struct GivenImage {
  std::string place;                ///< Of its bytes.
  std::string_view inside;          ///< What follows it where a refusal is about what they show.
  std::optional<ImageFormat> said;  ///< nullopt: nobody says, or what is said does not matter.
  std::string_view bytes;
};

/// All that can be said of one image: its size, that its header can be read, its format, its
/// dimensions.
Result<ImageInfo> check_image(const GivenImage& image);

}  // namespace craton::media
