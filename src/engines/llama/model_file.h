// Looks at a model's file before llama.cpp does, to say in plain words what is wrong with it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace craton::engines::llama {

/// Why `path` cannot be a model, and what to do; nullopt when it begins like a GGUF file.
/// For the operator: names the path.
std::optional<std::string> why_no_model(const std::filesystem::path& path);

}  // namespace craton::engines::llama
