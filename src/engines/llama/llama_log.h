// What llama.cpp says, in our log: its lines at level debug, and its errors also to who wants them.
#pragma once

#include <string>

namespace craton::engines::llama {

/// Sends llama.cpp's log, which is one for the process, to ours. Idempotent.
void adopt_llama_log();

/// Collects the errors that llama.cpp logs on this thread while it lives. One at a time a thread.
class ErrorCollector {
 public:
  ErrorCollector();
  ~ErrorCollector();
  ErrorCollector(const ErrorCollector&) = delete;
  ErrorCollector& operator=(const ErrorCollector&) = delete;

  /// They, joined by "; ", or `otherwise` when there was none.
  std::string errors_or(std::string otherwise) const;

 private:
  std::string errors_;
};

}  // namespace craton::engines::llama
