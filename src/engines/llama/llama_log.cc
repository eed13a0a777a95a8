#include "engines/llama/llama_log.h"

#include <llama.h>
#include <mtmd.h>

#include <string_view>

#include "base/log.h"

namespace craton::engines::llama {
namespace {

constexpr std::size_t errors_bytes_max = 1000;

thread_local std::string* collected = nullptr;

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \n\r\t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \n\r\t") - begin + 1);
}

void take_line(ggml_log_level level, const char* text, void*) {
  const std::string_view line = trimmed(text);
  if (line.empty() || line.find_first_not_of('.') == line.npos) return;  // a progress bar
  log::write(log::Level::debug, "llama", {{"said", line}});
  if (level != GGML_LOG_LEVEL_ERROR || !collected || collected->size() > errors_bytes_max) return;
  if (!collected->empty()) *collected += "; ";
  *collected += line;
}

/// llama.cpp ends the process after this: a machine that computed layers is gone, or a bug.
void take_last_words(const char* text) {
  log::error("llama_ended_the_process", {{"reason", trimmed(text)}});
  log::flush();
}

}  // namespace

void adopt_llama_log() {
  ggml_set_abort_callback(take_last_words);
  llama_log_set(take_line, nullptr);
  mtmd_log_set(take_line, nullptr);
}

ErrorCollector::ErrorCollector() { collected = &errors_; }
ErrorCollector::~ErrorCollector() { collected = nullptr; }

std::string ErrorCollector::errors_or(std::string otherwise) const {
  return errors_.empty() ? std::move(otherwise) : errors_;
}

}  // namespace craton::engines::llama
