#include "families/image_format.h"

namespace craton::families {

std::string_view image_format(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return "png";
  if (bytes.starts_with("\xFF\xD8\xFF")) return "jpeg";
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return "gif";
  constexpr std::size_t form_at = 8;  // behind RIFF and the size
  const bool is_riff = bytes.starts_with("RIFF") && bytes.size() > form_at;
  return is_riff && bytes.substr(form_at).starts_with("WEBP") ? "webp" : "";
}

}  // namespace craton::families
