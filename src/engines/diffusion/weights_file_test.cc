#include "engines/diffusion/weights_file.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "engines/diffusion/diffusion_engine.h"

namespace craton::engines::diffusion {
namespace {

std::string number(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}
std::string text(std::string_view value) { return number(value.size(), 8) + std::string(value); }

/// With a string, an array of strings and one of numbers in front of the tensors.
std::string gguf(std::initializer_list<std::string_view> tensors) {
  std::string file = "GGUF" + number(3, 4) + number(tensors.size(), 8) + number(3, 8);
  file += text("general.architecture") + number(8, 4) + text("sd1");
  file += text("words") + number(9, 4) + number(8, 4) + number(2, 8) + text("a") + text("bc");
  file += text("numbers") + number(9, 4) + number(4, 4) + number(2, 8) + number(7, 8);
  for (const std::string_view name : tensors) {
    file += text(name) + number(2, 4) + number(8, 8) + number(8, 8) + number(1, 4) + number(0, 8);
  }
  return file;
}

std::string safetensors(std::initializer_list<std::string_view> tensors) {
  std::string header = R"({"__metadata__": {"format": "pt"})";
  for (const std::string_view name : tensors) {
    header += ", \"" + std::string(name) +
              R"(": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]})";
  }
  header += "}";
  return number(header.size(), 8) + header;
}

struct Case {
  std::initializer_list<std::string_view> tensors;
  WeightsKind kind;
};
const Case cases[] = {
    {{"model.diffusion_model.input_blocks.0.0.bias", "model.diffusion_model.out.0.weight"},
     WeightsKind::unet},
    {{"a", "input_blocks.0.0.weight"}, WeightsKind::unet},
    {{"unet.conv_in.weight"}, WeightsKind::unet},
    {{"model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"}, WeightsKind::flow},
    {{"double_blocks.0.img_attn.qkv.weight", "guidance_in.in_layer.weight"},
     WeightsKind::distilled},
    {{"double_blocks.0.img_attn.qkv.weight", "distilled_guidance_layer.in_proj.weight"},
     WeightsKind::flow},
    {{"blk.0.attn_q.weight", "token_embd.weight"}, WeightsKind::other},
    {{"first_stage_model.decoder.conv_in.weight"}, WeightsKind::other},
    {{}, WeightsKind::other},
};

TEST(WeightsFile, IsToldByItsTensors) {
  for (const Case& each : cases) {
    EXPECT_EQ(kind_of_head(gguf(each.tensors)), each.kind);
    EXPECT_EQ(kind_of_head(safetensors(each.tensors)), each.kind);
  }
}

TEST(WeightsFile, ThatIsCutIsReadAsFarAsItReaches) {
  const std::string file = gguf({"input_blocks.0.0.weight", "second"});
  EXPECT_EQ(kind_of_head(file.substr(0, file.size() - 10)), WeightsKind::unet);
  for (std::size_t size = 0; size < file.size(); ++size) kind_of_head(file.substr(0, size));
  const std::string other = safetensors({"input_blocks.0.0.weight"});
  for (std::size_t size = 0; size < other.size(); ++size) {
    EXPECT_EQ(kind_of_head(other.substr(0, size)), WeightsKind::other);
  }
}

TEST(WeightsFile, ThatIsNoneHoldsNoModel) {
  EXPECT_EQ(kind_of_head(""), WeightsKind::other);
  EXPECT_EQ(kind_of_head("PK\3\4 a zip of PyTorch's"), WeightsKind::other);
  EXPECT_EQ(kind_of_head("GGUF" + number(3, 4) + number(~0ull, 8) + number(~0ull, 8)),
            WeightsKind::other);
  EXPECT_EQ(kind_of_head(number(2, 8) + "[]"), WeightsKind::other);
  EXPECT_FALSE(is_diffusion("/there/is/no/such/file"));
  EXPECT_FALSE(is_diffusion("/"));
}

}  // namespace
}  // namespace craton::engines::diffusion
