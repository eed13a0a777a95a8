#include "store/objects.h"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <unistd.h>

#include <memory>

#include "base/files.h"

namespace craton::store {
namespace {

TEST(Objects, ABucketIsNamedAsS3NamesIt) {
  for (const char* good : {"abc", "my-bucket.logs", "1-2"}) EXPECT_TRUE(check_bucket(good)) << good;
  for (const char* bad : {"ab", "..", "a..b", "-ab", "ab-", "Abc", "a/b", "a_b", ""}) {
    EXPECT_FALSE(check_bucket(bad)) << bad;
  }
  EXPECT_FALSE(check_bucket(std::string(64, 'a')));
}

TEST(Objects, APrefixStaysBelowItsBucket) {
  for (const char* good : {"", "a", "a/b", "a/b/", "...", "한글/b"}) {
    EXPECT_TRUE(check_prefix(good)) << good;
  }
  for (const char* bad : {"/", "/a", "..", "a/../b", "a/..", "./a", "a//b", "a\nb"}) {
    EXPECT_FALSE(check_prefix(bad)) << bad;
  }
  EXPECT_FALSE(check_prefix(std::string("a\0b", 3)));
  EXPECT_FALSE(check_prefix(std::string(201, 'a')));
}

TEST(Objects, WhatIsWrittenCanBeUnpacked) {
  char name[] = "/tmp/craton-objects-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  const std::string text(100'000, 'x');
  ASSERT_TRUE(Objects(folder).put_gzip("bucket", "a/b.json.gz", text));
  const std::string packed = *read_file(folder / "bucket/a/b.json.gz", 1 << 20);
  EXPECT_LT(packed.size(), 1000u);
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> unpacker(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  std::string unpacked(text.size(), '\0');
  EXPECT_EQ(libdeflate_gzip_decompress(unpacker.get(), packed.data(), packed.size(),
                                       unpacked.data(), unpacked.size(), nullptr),
            LIBDEFLATE_SUCCESS);
  EXPECT_EQ(unpacked, text);
  std::filesystem::remove_all(folder);
}

TEST(Objects, AFolderThatCannotBeMadeIsTold) {
  EXPECT_FALSE(Objects("/dev/null").put_gzip("bucket", "a", "x"));
}

}  // namespace
}  // namespace craton::store
