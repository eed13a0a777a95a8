// The least that each provider's native schema needs: a body around one text, and where the reply
// has its answer. For those who have a text and a model id, and no body.
//
// One row a schema. No I/O: any function may be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace craton::families {

struct NativeForm {
  std::string_view id_pattern;  ///< Of model ids, also behind a geography's prefix or in an ARN.
  std::string_view body;        ///< JSON, in which {{text}}, {{max_tokens}}, {{width}}, … stand.
  std::string_view answer;      ///< JSON pointer into the reply: a text, a vector, base64.
  std::string_view piece = {};  ///< The same, into a piece of a streamed reply; empty: none is.
};

/// Of models that write text; every id has one, as the rest speak OpenAI's schema.
const NativeForm& text_form_of(std::string_view model_id);

/// Of models that make vectors; null when the id is none's.
const NativeForm* vector_form_of(std::string_view model_id);

/// Of models that make images; null when the id is none's.
const NativeForm* image_form_of(std::string_view model_id);

/// What stands in a form's gaps. Those that a form has not are left out.
struct FormValues {
  std::string_view text;  ///< UTF-8
  int max_tokens = 512;
  int width = 1024;
  int height = 1024;
  std::uint32_t seed = 0;
  int count = 1;  ///< Of images.
};

/// The body, JSON text.
std::string native_body(const NativeForm& form, const FormValues& values);

}  // namespace craton::families
