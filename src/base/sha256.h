// SHA-256, a piece at a time. Over OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace craton {

class Sha256 {
 public:
  Sha256();

  void add(std::string_view bytes);

  /// Of all that was added, 64 hexadecimal digits in lower case. Call once, last.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace craton
