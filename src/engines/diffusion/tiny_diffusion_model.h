// A Stable Diffusion 1 model of random weights, the smallest that stable-diffusion.cpp loads: its
// "tiny" U-Net of three levels, CLIP ViT-L/14's text half, and TAESD in the VAE's place. What it
// draws means nothing; sizes, seeds and masks can be seen even so. 450 MB on disk. For tests only.
//
// Shapes are stable-diffusion.cpp's: unet.hpp, clip.hpp and tae.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace craton::engines::diffusion {

/// A safetensors file of random eight-bit numbers (F8_E4M3), each some hundredths.
class RandomWeights {
 public:
  /// `in` to `out` channels, kernels of `side` pixels.
  RandomWeights& convolution(const std::string& name, int in, int out, int side, bool bias = true) {
    return add(name, {out, in, side, side}, bias ? out : 0);
  }
  RandomWeights& linear(const std::string& name, int in, int out, bool bias = true) {
    return add(name, {out, in}, bias ? out : 0);
  }
  /// Of a layer or of groups: 1 and a little.
  RandomWeights& norm(const std::string& name, int channels) {
    tensors_.push_back({name + ".weight", {channels}, true});
    tensors_.push_back({name + ".bias", {channels}, false});
    return *this;
  }
  RandomWeights& table(const std::string& name, int rows, int columns) {
    tensors_.push_back({name + ".weight", {rows, columns}, false});
    return *this;
  }

  void write(const std::filesystem::path& path) const {
    std::ofstream file(path, std::ios::binary);
    const std::string header = this->header();
    std::uint64_t size = header.size();
    for (int i = 0; i < 8; ++i) file.put(static_cast<char>(size >> (8 * i) & 0xff));
    file << header;
    std::uint64_t state = 0x9e3779b97f4a7c15;
    std::string numbers;
    for (const Tensor& tensor : tensors_) {
      numbers.assign(tensor.size(), '\x38');  // 1
      if (!tensor.ones) fill(numbers, state);
      file << numbers;
    }
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
  }

 private:
  struct Tensor {
    std::string name;
    std::vector<int> shape;
    bool ones;

    std::size_t size() const {
      std::size_t numbers = 1;
      for (const int side : shape) numbers *= static_cast<std::size_t>(side);
      return numbers;
    }
  };

  RandomWeights& add(const std::string& name, std::vector<int> shape, int bias) {
    tensors_.push_back({name + ".weight", std::move(shape), false});
    if (bias > 0) tensors_.push_back({name + ".bias", {bias}, false});
    return *this;
  }

  /// A sign, three bits of mantissa, and an exponent of 2 or 0: up to 0.06 either way.
  static void fill(std::string& numbers, std::uint64_t& state) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (i % 8 == 0) {  // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
      }
      numbers[i] = static_cast<char>(state >> (8 * (i % 8)) & 0x97);
    }
  }

  std::string header() const {
    std::string json = "{";
    std::size_t at = 0;
    for (const Tensor& tensor : tensors_) {
      std::string shape;
      for (const int side : tensor.shape) {
        shape += (shape.empty() ? "" : ",") + std::to_string(side);
      }
      json += (at == 0 ? "\"" : ",\"") + tensor.name + R"(":{"dtype":"F8_E4M3","shape":[)" + shape +
              R"(],"data_offsets":[)" + std::to_string(at) + ",";
      at += tensor.size();
      json += std::to_string(at) + "]}";
    }
    return json + "}";
  }

  std::vector<Tensor> tensors_;
};

class TinyDiffusionModel {
 public:
  static void write_model(const std::filesystem::path& path) {
    RandomWeights weights;
    add_unet(weights);
    add_text_model(weights);
    weights.write(path);
  }

  static void write_taesd(const std::filesystem::path& path) {
    RandomWeights weights;
    add_encoder(weights);
    add_decoder(weights);
    weights.write(path);
  }

 private:
  static constexpr int time_width = 1280;
  static constexpr int text_width = 768;
  static constexpr int autoencoder_width = 64;

  static void add_residual(RandomWeights& weights, const std::string& name, int in, int out) {
    weights.norm(name + ".in_layers.0", in)
        .convolution(name + ".in_layers.2", in, out, 3)
        .linear(name + ".emb_layers.1", time_width, out)
        .norm(name + ".out_layers.0", out)
        .convolution(name + ".out_layers.3", out, out, 3);
    if (in != out) weights.convolution(name + ".skip_connection", in, out, 1);
  }

  static void add_attention(RandomWeights& weights, const std::string& name, int width) {
    const std::string block = name + ".transformer_blocks.0";
    weights.norm(name + ".norm", width)
        .convolution(name + ".proj_in", width, width, 1)
        .convolution(name + ".proj_out", width, width, 1);
    for (const auto& [attention, context] : {std::pair{".attn1", width}, {".attn2", text_width}}) {
      weights.linear(block + attention + ".to_q", width, width, false)
          .linear(block + attention + ".to_k", context, width, false)
          .linear(block + attention + ".to_v", context, width, false)
          .linear(block + attention + ".to_out.0", width, width);
    }
    weights.linear(block + ".ff.net.0.proj", width, 8 * width)
        .linear(block + ".ff.net.2", 4 * width, width);
    for (const char* norm : {".norm1", ".norm2", ".norm3"}) weights.norm(block + norm, width);
  }

  /// A residual block and the attention behind it.
  struct Block {
    const char* name;
    int in;
    int out;
  };

  static void add_unet(RandomWeights& weights) {
    const std::string prefix = "model.diffusion_model.";
    weights.linear(prefix + "time_embed.0", 320, time_width)
        .linear(prefix + "time_embed.2", time_width, time_width)
        .convolution(prefix + "input_blocks.0.0", 4, 320, 3)
        .convolution(prefix + "input_blocks.3.0.op", 320, 320, 3)
        .convolution(prefix + "input_blocks.6.0.op", 640, 640, 3)
        .convolution(prefix + "output_blocks.2.1.conv", 1280, 1280, 3)
        .convolution(prefix + "output_blocks.5.2.conv", 640, 640, 3)
        .norm(prefix + "out.0", 320)
        .convolution(prefix + "out.2", 320, 4, 3);
    for (const Block& block :
         {Block{"input_blocks.1", 320, 320}, Block{"input_blocks.4", 320, 640},
          Block{"input_blocks.7", 640, 1280}, Block{"output_blocks.0", 2560, 1280},
          Block{"output_blocks.1", 1920, 1280}, Block{"output_blocks.3", 1920, 640},
          Block{"output_blocks.4", 960, 640}, Block{"output_blocks.6", 960, 320},
          Block{"output_blocks.7", 640, 320}}) {
      add_residual(weights, prefix + block.name + ".0", block.in, block.out);
      add_attention(weights, prefix + block.name + ".1", block.out);
    }
  }

  static void add_text_model(RandomWeights& weights) {
    const std::string prefix = "cond_stage_model.transformer.text_model.";
    weights.table(prefix + "embeddings.token_embedding", 49408, text_width)
        .table(prefix + "embeddings.position_embedding", 77, text_width)
        .norm(prefix + "final_layer_norm", text_width);
    for (int i = 0; i < 12; ++i) {
      const std::string layer = prefix + "encoder.layers." + std::to_string(i);
      for (const char* part : {".q_proj", ".k_proj", ".v_proj", ".out_proj"}) {
        weights.linear(layer + ".self_attn" + part, text_width, text_width);
      }
      weights.norm(layer + ".layer_norm1", text_width)
          .norm(layer + ".layer_norm2", text_width)
          .linear(layer + ".mlp.fc1", text_width, 4 * text_width)
          .linear(layer + ".mlp.fc2", 4 * text_width, text_width);
    }
  }

  static void add_blocks(RandomWeights& weights, const std::string& prefix,
                         std::initializer_list<int> places) {
    for (const int place : places) {
      for (const char* part : {".conv.0", ".conv.2", ".conv.4"}) {
        weights.convolution(prefix + std::to_string(place) + part, autoencoder_width,
                            autoencoder_width, 3);
      }
    }
  }

  /// Where the picture is halved or doubled.
  static void add_steps(RandomWeights& weights, const std::string& prefix,
                        std::initializer_list<int> places) {
    for (const int place : places) {
      weights.convolution(prefix + std::to_string(place), autoencoder_width, autoencoder_width, 3,
                          false);
    }
  }

  static void add_encoder(RandomWeights& weights) {
    const std::string prefix = "encoder.layers.";
    weights.convolution(prefix + "0", 3, autoencoder_width, 3)
        .convolution(prefix + "14", autoencoder_width, 4, 3);
    add_blocks(weights, prefix, {1, 3, 4, 5, 7, 8, 9, 11, 12, 13});
    add_steps(weights, prefix, {2, 6, 10});
  }

  static void add_decoder(RandomWeights& weights) {
    const std::string prefix = "decoder.layers.";
    weights.convolution(prefix + "0", 4, autoencoder_width, 3)
        .convolution(prefix + "18", autoencoder_width, 3, 3);
    add_blocks(weights, prefix, {2, 3, 4, 7, 8, 9, 12, 13, 14, 17});
    add_steps(weights, prefix, {6, 11, 16});
  }
};

}  // namespace craton::engines::diffusion
