// LineEditor: lines that somebody types, with editing and a history that is kept; over libedit.
// Where standard input is no terminal, lines as they come.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace craton::cli {

class LineEditor {
 public:
  /// `history_file`: where lines of earlier runs are kept; empty: nowhere.
  LineEditor(std::string prompt, std::string history_file);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  /// The next line, without its end; nullopt at the end of input. Empty when it was interrupted.
  std::optional<std::string> read();

 private:
  struct Editor;
  const std::string prompt_;
  const std::string history_file_;
  std::unique_ptr<Editor> editor_;  ///< Null: no terminal.
};

}  // namespace craton::cli
