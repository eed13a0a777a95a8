// FNV-1a: a hash of bytes that is the same on every machine. No guard against who chooses them.
// Source: draft-eastlake-fnv.
#pragma once

#include <cstdint>
#include <string_view>

namespace craton {

inline std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace craton
