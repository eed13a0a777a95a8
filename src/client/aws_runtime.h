// What AWS's C libraries need before they are used, and their texts.
#pragma once

#include <aws/common/byte_buf.h>
#include <aws/common/common.h>
#include <aws/common/string.h>

#include <memory>
#include <string>
#include <string_view>

namespace craton::client {

/// Begins the libraries, once; they last as long as the process.
void begin_aws();

struct FreeAwsString {
  void operator()(aws_string* text) const { aws_string_destroy(text); }
};
using AwsString = std::unique_ptr<aws_string, FreeAwsString>;

inline AwsString aws_string_of(std::string_view text) {
  return AwsString(aws_string_new_from_array(
      aws_default_allocator(), reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

inline std::string text_of(aws_byte_cursor cursor) {
  return {reinterpret_cast<const char*>(cursor.ptr), cursor.len};
}

inline std::string text_of(const aws_string* text) { return aws_string_c_str(text); }

inline aws_byte_cursor cursor_of(std::string_view text) {
  return aws_byte_cursor_from_array(text.data(), text.size());
}

}  // namespace craton::client
