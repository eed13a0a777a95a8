#include "base/sha256.h"

#include <gtest/gtest.h>

namespace craton {
namespace {

struct Vector {
  std::string_view text;
  std::string_view digest;
};

// Source: FIPS 180-4 examples.
constexpr Vector vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

TEST(Sha256, IsTheStandardsHoweverTheTextIsCut) {
  for (const Vector& row : vectors) {
    for (std::size_t cut = 0; cut <= row.text.size(); ++cut) {
      Sha256 digest;
      digest.add(row.text.substr(0, cut));
      digest.add(row.text.substr(cut));
      EXPECT_EQ(digest.hex(), row.digest) << row.text;
    }
    EXPECT_EQ(hex_of(bytes_of(sha256(row.text))), row.digest);
  }
}

// Source: RFC 4231, test case 2.
TEST(HmacSha256, IsTheStandards) {
  EXPECT_EQ(hex_of(bytes_of(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(EqualInConstantTime, IsEquality) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

}  // namespace
}  // namespace craton
