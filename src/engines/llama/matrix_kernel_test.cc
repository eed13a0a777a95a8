// The products of quantized matrices, of which cmake/ggml.matrix.patch makes some, held
// against what they are: the dot products of what rows and columns hold, in double precision.
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <ggml.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace craton::engines::llama {
namespace {

struct Shape {
  int rows;
  int columns;
  int inner;  ///< Numbers of a row.
};

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << shape.rows << " rows of " << shape.inner << " times " << shape.columns
             << " columns";
}

/// How weights lie.
enum class Layout { plain, interleaved };

struct Weights {
  ggml_type type;
  Layout layout = Layout::plain;
};

/// As ggml has it, which tells nobody.
struct BlockQ8K {
  float scale;
  std::int8_t numbers[256];
  std::int16_t sums[16];
};

std::vector<float> floats_of(ggml_type type, std::span<const std::byte> row, int inner) {
  std::vector<float> floats(static_cast<std::size_t>(inner));
  if (type != GGML_TYPE_Q8_K) {
    ggml_get_type_traits(type)->to_float(row.data(), floats.data(), inner);
    return floats;
  }
  for (int at = 0; at < inner; ++at) {
    BlockQ8K block;
    std::memcpy(&block, row.data() + sizeof(block) * (static_cast<std::size_t>(at) / 256),
                sizeof(block));
    floats[static_cast<std::size_t>(at)] =
        block.scale * static_cast<float>(block.numbers[at % 256]);
  }
  return floats;
}

class MatrixKernel : public testing::TestWithParam<Weights> {
 protected:
  struct Free {
    void operator()(ggml_context* context) const { ggml_free(context); }
    void operator()(ggml_backend_buffer* buffer) const { ggml_backend_buffer_free(buffer); }
  };

  /// Of the processor, where weights are interleaved as they are put into it; null where it has
  /// none.
  static ggml_backend_buffer_type_t interleaving() {
    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    const auto others =
        reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(ggml_backend_reg_get_proc_address(
            ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
    for (auto* each = others ? others(device) : nullptr; each && *each; ++each) {
      if (std::string_view(ggml_backend_buft_name(*each)) == "CPU_REPACK") return *each;
    }
    return nullptr;
  }

  void SetUp() override {
    if (GetParam().layout == Layout::interleaved && !interleaving()) {
      GTEST_SKIP() << "this processor's weights are not interleaved";
    }
  }

  std::vector<float> numbers(int count) {
    std::vector<float> made(static_cast<std::size_t>(count));
    for (float& each : made) each = uniform_(random_);
    return made;
  }

  /// `rows` of them, one after another.
  static std::vector<std::byte> quantized(ggml_type type, std::span<const float> floats, int rows) {
    const auto inner = static_cast<std::int64_t>(floats.size()) / rows;
    std::vector<std::byte> made(ggml_row_size(type, inner) * static_cast<std::size_t>(rows));
    ggml_quantize_chunk(type, floats.data(), made.data(), 0, rows, inner, nullptr);
    return made;
  }

  static std::vector<float> product(std::span<const std::byte> weights,
                                    std::span<const float> columns, const Shape& shape,
                                    int threads) {
    const std::unique_ptr<ggml_context, Free> context(
        ggml_init({.mem_size = 64U << 20, .mem_buffer = nullptr, .no_alloc = false}));
    ggml_context* const c = context.get();
    const std::unique_ptr<ggml_context, Free> weights_context(
        ggml_init({.mem_size = 1U << 20, .mem_buffer = nullptr, .no_alloc = true}));
    ggml_tensor* a =
        ggml_new_tensor_2d(weights_context.get(), GetParam().type, shape.inner, shape.rows);
    const std::unique_ptr<ggml_backend_buffer, Free> buffer(
        ggml_backend_alloc_ctx_tensors_from_buft(weights_context.get(),
                                                 GetParam().layout == Layout::interleaved
                                                     ? interleaving()
                                                     : ggml_backend_cpu_buffer_type()));
    ggml_backend_tensor_set(a, weights.data(), 0, weights.size());
    ggml_tensor* b = ggml_new_tensor_2d(c, GGML_TYPE_F32, shape.inner, shape.columns);
    std::memcpy(b->data, columns.data(), columns.size_bytes());
    ggml_tensor* made = ggml_mul_mat(c, a, b);
    ggml_cgraph* graph = ggml_new_graph(c);
    ggml_build_forward_expand(graph, made);
    EXPECT_EQ(ggml_graph_compute_with_ctx(c, graph, threads), GGML_STATUS_SUCCESS);
    const auto* data = static_cast<const float*>(made->data);
    return {data, data + ggml_nelements(made)};
  }

  void check(const Shape& shape, int threads) {
    const std::vector<std::byte> weights =
        quantized(GetParam().type, numbers(shape.rows * shape.inner), shape.rows);
    const std::vector<float> columns = numbers(shape.columns * shape.inner);
    const std::vector<float> made = product(weights, columns, shape, threads);

    std::vector<std::vector<float>> rows;
    const std::size_t row_bytes = weights.size() / static_cast<std::size_t>(shape.rows);
    for (int i = 0; i < shape.rows; ++i) {
      rows.push_back(
          floats_of(GetParam().type,
                    std::span(weights).subspan(row_bytes * static_cast<std::size_t>(i), row_bytes),
                    shape.inner));
    }
    const ggml_type column_type = ggml_get_type_traits_cpu(GetParam().type)->vec_dot_type;
    std::vector<std::byte> taken(ggml_row_size(column_type, shape.inner));
    auto next = made.begin();
    for (int j = 0; j < shape.columns; ++j) {
      ggml_get_type_traits_cpu(column_type)
          ->from_float(columns.data() + std::ptrdiff_t{j} * shape.inner, taken.data(), shape.inner);
      const std::vector<float> column = floats_of(column_type, taken, shape.inner);
      float farthest = 0;
      for (std::size_t at = 0; at < column.size(); ++at) {
        const float asked = columns[static_cast<std::size_t>(j * shape.inner) + at];
        farthest = std::max(farthest, std::abs(column[at] - asked));
      }
      // Half a step, where the largest has 127, and what a scale of two bytes leaves out of q8_0.
      ASSERT_LE(farthest, 0.5 / 127 + 1.0 / 2048) << "column " << j;
      for (int i = 0; i < shape.rows; ++i) {
        double dot = 0;
        for (std::size_t at = 0; at < column.size(); ++at) {
          dot += static_cast<double>(rows[static_cast<std::size_t>(i)][at]) * column[at];
        }
        ASSERT_NEAR(*next++, dot, 2e-4) << "row " << i << " and column " << j;
      }
    }
  }

  std::mt19937 random_{7};
  std::uniform_real_distribution<float> uniform_{-1, 1};
};

TEST_P(MatrixKernel, MultipliesMatricesOfAnySize) {
  const int block = static_cast<int>(ggml_blck_size(GetParam().type));
  for (int rows : {1, 15, 16, 33, 130}) {
    if (GetParam().layout == Layout::interleaved) rows = (rows + 7) / 8 * 8;
    for (const int columns : {1, 2, 3, 7, 16, 17, 47, 65, 130}) {
      for (const int blocks : {1, 3, 7}) {
        const Shape shape{.rows = rows, .columns = columns, .inner = block * blocks};
        SCOPED_TRACE(shape);
        check(shape, columns % 4 == 0 ? 9 : columns % 4);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(MatrixKernel, MultipliesLongRows) {
  for (const int columns : {2, 9, 70}) {
    const Shape shape{.rows = 40, .columns = columns, .inner = 256 * 37};
    SCOPED_TRACE(shape);
    check(shape, 2);
    if (HasFatalFailure()) return;
  }
}

/// The most that weights and columns hold, whichever sign: sums of integers must have room for it.
TEST_P(MatrixKernel, HasRoomForTheLargest) {
  const Shape shape{.rows = 24, .columns = 5, .inner = 1024};
  for (const float sign : {1.0F, -1.0F}) {
    const std::vector<float> ones(static_cast<std::size_t>(shape.rows * shape.inner), sign);
    const std::vector<std::byte> weights = quantized(GetParam().type, ones, shape.rows);
    const std::vector<float> columns(static_cast<std::size_t>(shape.columns * shape.inner), 1.0F);
    for (const float made : product(weights, columns, shape, 2)) {
      ASSERT_NEAR(made, sign * 1024, 16);
    }
  }
}

/// So an answer does not depend on who else is answered, as far as these products go.
TEST_P(MatrixKernel, AColumnIsTheSameAmongOthers) {
  if (!ggml_cpu_has_avx512_vnni()) GTEST_SKIP() << "other kernels, which make no such promise";
  const Shape most{.rows = 56, .columns = 80, .inner = 256 * 9};
  const std::vector<std::byte> weights =
      quantized(GetParam().type, numbers(most.rows * most.inner), most.rows);
  const std::vector<float> columns = numbers(most.columns * most.inner);
  const std::vector<float> all = product(weights, columns, most, 2);
  const bool k_quant = ggml_blck_size(GetParam().type) == 256;
  for (const int few : {1, 2, 3, 8, 33, 64}) {
    if (few == 1 && k_quant) continue;  // one column alone is a dot product there
    Shape shape = most;
    shape.columns = few;
    const std::span<const float> first =
        std::span(columns).first(static_cast<std::size_t>(few * most.inner));
    const std::vector<float> made = product(weights, first, shape, 1);
    for (std::size_t i = 0; i < made.size(); ++i) ASSERT_EQ(made[i], all[i]) << few << " columns";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Types, MatrixKernel,
    testing::Values(Weights{GGML_TYPE_Q4_0}, Weights{GGML_TYPE_Q5_0}, Weights{GGML_TYPE_Q8_0},
                    Weights{GGML_TYPE_IQ4_NL}, Weights{GGML_TYPE_Q4_K}, Weights{GGML_TYPE_Q5_K},
                    Weights{GGML_TYPE_Q6_K}, Weights{GGML_TYPE_Q4_K, Layout::interleaved}),
    [](const auto& weights) {
      return std::string(ggml_type_name(weights.param.type)) +
             (weights.param.layout == Layout::interleaved ? "_interleaved" : "");
    });

}  // namespace
}  // namespace craton::engines::llama
