#include "cli/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "cli/terminal.h"

namespace craton::cli {
namespace {

constexpr int history_lines = 1000;

const std::string* current_prompt = nullptr;  // libedit asks a function for it

}  // namespace

struct LineEditor::Editor {
  EditLine* line = nullptr;
  History* history = nullptr;
  HistEvent event{};
};

LineEditor::LineEditor(std::string prompt, std::string history_file)
    : prompt_(std::move(prompt)), history_file_(std::move(history_file)) {
  if (!is_terminal()) return;
  // Characters of more than a byte need a locale that knows them; "C" does not.
  if (!std::setlocale(LC_CTYPE, "") || std::string_view(nl_langinfo(CODESET)) != "UTF-8") {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  editor_ = std::make_unique<Editor>();
  editor_->history = history_init();
  history(editor_->history, &editor_->event, H_SETSIZE, history_lines);
  history(editor_->history, &editor_->event, H_SETUNIQUE, 1);
  if (!history_file_.empty()) {
    history(editor_->history, &editor_->event, H_LOAD, history_file_.c_str());
  }
  editor_->line = el_init("craton", stdin, stdout, stderr);
  el_set(
      editor_->line, EL_PROMPT,
      +[](EditLine*) { return const_cast<char*>(current_prompt->c_str()); });
  el_set(editor_->line, EL_EDITOR, "emacs");
  el_set(editor_->line, EL_SIGNAL, 0);
  el_set(editor_->line, EL_HIST, history, editor_->history);
  el_set(editor_->line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  if (!editor_) return;
  el_end(editor_->line);
  if (!history_file_.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(history_file_).parent_path(),
                                        ignored);
    const mode_t before = umask(0077);  // what was asked is nobody else's
    history(editor_->history, &editor_->event, H_SAVE, history_file_.c_str());
    umask(before);
  }
  history_end(editor_->history);
}

std::optional<std::string> LineEditor::read() {
  if (!editor_) {
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  }
  current_prompt = &prompt_;
  struct sigaction interrupt{};
  struct sigaction before{};
  interrupt.sa_handler = [](int) {};  // makes el_gets() return, and nothing more
  sigaction(SIGINT, &interrupt, &before);
  int length = 0;
  errno = 0;
  const char* text = el_gets(editor_->line, &length);
  const bool interrupted = !text && errno == EINTR;
  sigaction(SIGINT, &before, nullptr);
  if (interrupted) {
    std::fputs("\n", stdout);
    el_reset(editor_->line);
    return "";
  }
  if (!text || length <= 0) return std::nullopt;
  std::string line(text, static_cast<std::size_t>(length));
  while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
  if (!line.empty()) history(editor_->history, &editor_->event, H_ENTER, line.c_str());
  return line;
}

}  // namespace craton::cli
