// The attention kernel, of which cmake/llama.cpp.attention.patch replaces a part, held against what
// attention is: softmax(q·k·scale + mask)·v, row by row, in double precision.
#include <ggml-cpu.h>
#include <ggml.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

namespace craton::engines::llama {
namespace {

struct Shape {
  int width = 64;  ///< Of a head.
  int queries = 1;
  int heads = 14;
  int kv_heads = 2;
  int cells = 256;
  int sequences = 1;  ///< Batches of all that.
  int mask_heads = 1;
  ggml_type type = GGML_TYPE_F16;
  float max_bias = 0;  ///< ALiBi, when above.
  float softcap = 0;
  bool sinks = false;
  bool masked = true;
};

/// What of the cache a query sees.
enum class Sight { all, causal, own, nothing_at_times, one };

class AttentionKernel : public testing::Test {
 protected:
  struct Free {
    void operator()(ggml_context* context) const { ggml_free(context); }
  };

  float number() { return uniform_(random_); }

  ggml_tensor* filled(ggml_context* context, ggml_type type, int a, int b, int c, int d) {
    ggml_tensor* tensor = ggml_new_tensor_4d(context, type, a, b, c, d);
    for (std::int64_t i = 0; i < ggml_nelements(tensor); ++i) {
      if (type == GGML_TYPE_F16) {
        static_cast<ggml_fp16_t*>(tensor->data)[i] = ggml_fp32_to_fp16(number());
      } else {
        static_cast<float*>(tensor->data)[i] = number();
      }
    }
    return tensor;
  }

  bool sees(Sight sight, const Shape& shape, int query, int cell) {
    switch (sight) {
      case Sight::all: return true;
      case Sight::causal: return cell <= shape.cells - shape.queries + query;
      case Sight::own: return cell < 40 || (cell * 7 / 3) % std::max(shape.queries, 2) == query;
      case Sight::nothing_at_times: return query % 3 != 1 && number() > 0.9F;
      case Sight::one: return cell == (query * 37) % shape.cells;
    }
    return true;
  }

  static float value(const ggml_tensor* tensor, int a, int b, int c, int d) {
    const char* at = static_cast<const char*>(tensor->data) + a * tensor->nb[0] +
                     b * tensor->nb[1] + c * tensor->nb[2] + d * tensor->nb[3];
    return tensor->type == GGML_TYPE_F16
               ? ggml_fp16_to_fp32(*reinterpret_cast<const ggml_fp16_t*>(at))
               : *reinterpret_cast<const float*>(at);
  }

  void check(const Shape& shape, Sight sight, int threads) {
    const std::unique_ptr<ggml_context, Free> context(
        ggml_init({.mem_size = 64U << 20, .mem_buffer = nullptr, .no_alloc = false}));
    ggml_context* const c = context.get();
    ggml_tensor* q =
        filled(c, GGML_TYPE_F32, shape.width, shape.queries, shape.heads, shape.sequences);
    ggml_tensor* k =
        filled(c, shape.type, shape.width, shape.cells, shape.kv_heads, shape.sequences);
    ggml_tensor* v =
        filled(c, shape.type, shape.width, shape.cells, shape.kv_heads, shape.sequences);
    ggml_tensor* mask = nullptr;
    if (shape.masked) {
      mask = ggml_new_tensor_4d(c, GGML_TYPE_F16, shape.cells, shape.queries, shape.mask_heads,
                                shape.sequences);
      for (std::int64_t i = 0; i < ggml_nelements(mask); ++i) {
        const int cell = static_cast<int>(i % shape.cells);
        const int query = static_cast<int>(i / shape.cells % shape.queries);
        const float bias = shape.max_bias > 0 ? -static_cast<float>(shape.cells - cell) : 0;
        static_cast<ggml_fp16_t*>(mask->data)[i] = ggml_fp32_to_fp16(
            sees(sight, shape, query, cell) ? bias : -std::numeric_limits<float>::infinity());
      }
    }
    const float scale = 1 / std::sqrt(static_cast<float>(shape.width));
    ggml_tensor* made = ggml_flash_attn_ext(c, q, k, v, mask, scale, shape.max_bias, shape.softcap);
    ggml_tensor* sinks = shape.sinks ? filled(c, GGML_TYPE_F32, shape.heads, 1, 1, 1) : nullptr;
    if (sinks) ggml_flash_attn_ext_add_sinks(made, sinks);
    ggml_cgraph* graph = ggml_new_graph(c);
    ggml_build_forward_expand(graph, made);
    ASSERT_EQ(ggml_graph_compute_with_ctx(c, graph, threads), GGML_STATUS_SUCCESS);

    for (int s = 0; s < shape.sequences; ++s) {
      for (int head = 0; head < shape.heads; ++head) {
        for (int query = 0; query < shape.queries; ++query) {
          const std::vector<double> expected =
              attended(shape, {q, k, v, mask, sinks}, scale, query, head, s);
          for (int i = 0; i < shape.width; ++i) {
            ASSERT_NEAR(value(made, i, head, query, s), expected[i], 5e-3)
                << "element " << i << " of head " << head << ", query " << query << ", sequence "
                << s;
          }
        }
      }
    }
  }

  struct Inputs {
    const ggml_tensor *q, *k, *v, *mask, *sinks;
  };

  static std::vector<double> attended(const Shape& shape, const Inputs& in, float scale, int query,
                                      int head, int s) {
    const int kv_head = head / (shape.heads / shape.kv_heads);
    const int base = 1 << static_cast<int>(std::floor(std::log2(shape.heads)));
    const double slope =
        shape.max_bias <= 0 ? 1
        : head < base       ? std::pow(std::pow(2.0, -shape.max_bias / base), head + 1)
                      : std::pow(std::pow(2.0, -shape.max_bias / 2 / base), 2 * (head - base) + 1);
    std::vector<double> scores(static_cast<std::size_t>(shape.cells));
    double most = in.sinks ? value(in.sinks, head, 0, 0, 0) : -INFINITY;
    for (int cell = 0; cell < shape.cells; ++cell) {
      double score = 0;
      for (int i = 0; i < shape.width; ++i) {
        // The kernel for vectors has q as F16 too, where k is.
        score +=
            static_cast<double>(value(in.q, i, query, head, s)) * value(in.k, i, cell, kv_head, s);
      }
      score *= scale;
      if (shape.softcap > 0) score = shape.softcap * std::tanh(score / shape.softcap);
      if (in.mask) score += slope * value(in.mask, cell, query, head % shape.mask_heads, s);
      scores[static_cast<std::size_t>(cell)] = score;
      most = std::max(most, score);
    }
    std::vector<double> sum(static_cast<std::size_t>(shape.width), 0);
    if (!std::isfinite(most)) return sum;
    double weights = in.sinks ? std::exp(value(in.sinks, head, 0, 0, 0) - most) : 0;
    for (int cell = 0; cell < shape.cells; ++cell) {
      const double weight = std::exp(scores[static_cast<std::size_t>(cell)] - most);
      weights += weight;
      for (int i = 0; i < shape.width; ++i) {
        sum[static_cast<std::size_t>(i)] += weight * value(in.v, i, cell, kv_head, s);
      }
    }
    for (double& each : sum) each /= weights;
    return sum;
  }

  std::mt19937 random_{7};
  std::uniform_real_distribution<float> uniform_{-1, 1};
};

constexpr Sight sights[] = {Sight::all, Sight::causal, Sight::own, Sight::nothing_at_times,
                            Sight::one};

TEST_F(AttentionKernel, AttendsToWhatEachQuerySees) {
  for (const int queries : {1, 2, 10, 33, 70}) {
    for (const int cells : {100, 256, 600}) {
      for (const Sight sight : sights) {
        if (sight == Sight::causal && cells < queries) continue;
        SCOPED_TRACE(testing::Message() << queries << " queries, " << cells << " cells, sight "
                                        << static_cast<int>(sight));
        check({.queries = queries, .cells = cells}, sight, 1 + queries % 3);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(AttentionKernel, KnowsModelsOfAllKinds) {
  const Shape kinds[] = {
      {.heads = 8, .kv_heads = 8},                 // a head of k and v for each
      {.heads = 8, .kv_heads = 1},                 // one for all
      {.width = 128, .heads = 32, .kv_heads = 8},  // Llama 3
      {.width = 96, .heads = 6, .kv_heads = 2},    // no power of two
      {.heads = 70, .kv_heads = 1},                // more heads than a tile has rows
      {.type = GGML_TYPE_F32},
      {.heads = 12, .kv_heads = 4, .max_bias = 8},  // ALiBi
      {.heads = 16, .kv_heads = 8, .softcap = 30},  // Gemma 2
      {.heads = 64, .kv_heads = 8, .sinks = true},  // gpt-oss
      {.heads = 4, .kv_heads = 2, .mask_heads = 4},
      {.heads = 4, .kv_heads = 2, .sequences = 3},
      {.masked = false},
  };
  for (Shape shape : kinds) {
    for (const int queries : {1, 3, 24}) {
      for (const int cells : {120, 520}) {
        const int threads = queries == 3 ? 1 : 3;
        shape.queries = queries;
        shape.cells = cells;
        SCOPED_TRACE(testing::Message()
                     << shape.heads << '/' << shape.kv_heads << " heads of " << shape.width << ", "
                     << queries << " queries, " << cells << " cells, " << threads << " threads");
        check(shape, shape.masked ? Sight::own : Sight::all, threads);
        if (HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace
}  // namespace craton::engines::llama
