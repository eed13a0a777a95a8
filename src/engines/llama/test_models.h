// The real models that tests of this floor run on. For tests only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace craton::engines::llama {

struct TestModel {
  const char* name;
  const char* variable;  ///< Names the file; without it the file is where `craton pull` puts it.
  const char* file;
  const char* pull;
};

/// Small and quick; its answers mean little.
inline constexpr TestModel smollm{"smollm2", "CRATON_TEST_MODEL", "smollm2-135m-instruct-q4_1.gguf",
                                  "craton pull smollm2-135m-instruct"};
/// Answers sensibly, in Korean too.
inline constexpr TestModel qwen{"qwen", "CRATON_TEST_MODEL_QWEN",
                                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
                                "craton pull qwen2.5-coder-0.5b-instruct"};

/// Turns English texts into vectors of 384 numbers.
inline constexpr TestModel minilm{"minilm", "CRATON_TEST_MODEL_ENCODER",
                                  "all-minilm-l6-v2-f16.gguf", "craton pull all-minilm-l6-v2"};

inline std::filesystem::path cache_folder() {
  if (const char* own = std::getenv("CRATON_CACHE_DIR")) return own;
  if (const char* shared = std::getenv("XDG_CACHE_HOME")) {
    return std::filesystem::path(shared) / "craton";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home ? home : ".") / ".cache" / "craton";
}

/// Throws, saying what to run, when the file is missing: a test that needs it must not pass.
inline std::string path_of(const TestModel& model) {
  const char* named = std::getenv(model.variable);
  std::string path = named ? named : (cache_folder() / "models" / model.file).string();
  if (std::filesystem::exists(path)) return path;
  throw std::runtime_error("this test needs the model file " + path + "; run: " + model.pull +
                           " (or set " + model.variable + ")");
}

}  // namespace craton::engines::llama
