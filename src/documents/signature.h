// What bytes look like, whatever they are said to be.
#pragma once

#include <string_view>

namespace craton::documents {

enum class Look {
  text,  ///< Nothing below: text, or something unknown.
  pdf,
  zip,            ///< docx, xlsx and much else
  binary_office,  ///< Office's files of 1997 to 2003; newer ones that a password locks look the
                  ///< same.
  other,
};

struct Signature {
  Look look;
  std::string_view words;  ///< With an article: "a PNG image". Empty for `text`.
};

Signature signature_of(std::string_view bytes);

/// True also where something stands before the header, as mail programs and scanners do it.
bool has_pdf_header(std::string_view bytes);

}  // namespace craton::documents
