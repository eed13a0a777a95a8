#include "engines/llama/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace craton::engines::llama {
namespace {

using testing::HasSubstr;

class ModelFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string("craton-model-file-") +
             testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { std::filesystem::remove_all(path_); }

  std::string why_not(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    return why_no_model(path_).value_or("");
  }

  std::filesystem::path path_;
};

TEST_F(ModelFile, IsGoodWhenItBeginsLikeGguf) {
  EXPECT_EQ(why_not("GGUF" + std::string(40, '\0')), "");
}

TEST_F(ModelFile, MustExist) {
  EXPECT_THAT(why_no_model(path_).value(), HasSubstr("does not exist"));
  EXPECT_THAT(why_no_model(path_).value(), HasSubstr("craton pull"));
  EXPECT_THAT(why_no_model("").value(), HasSubstr("does not exist"));
}

TEST_F(ModelFile, MustBeAFile) {
  std::filesystem::create_directory(path_);
  EXPECT_THAT(why_no_model(path_).value(), HasSubstr("is a folder"));
}

TEST_F(ModelFile, MustBeGguf) {
  EXPECT_THAT(why_not("These are my notes about models, and no model.\n"),
              HasSubstr("not a GGUF file"));
  EXPECT_THAT(why_not(""), HasSubstr("not a GGUF file"));
  EXPECT_THAT(why_not("GG"), HasSubstr("not a GGUF file"));
}

TEST_F(ModelFile, MustHaveAHeader) { EXPECT_THAT(why_not("GGUF\3"), HasSubstr("cut short")); }

}  // namespace
}  // namespace craton::engines::llama
