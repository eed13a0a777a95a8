#include "cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace craton::cli {
namespace {

constexpr std::array watched{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};

constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l";  // other screen, no cursor
constexpr std::string_view leave_text = "\x1b[0m\x1b[?25h\x1b[?1049l";

/// The whole of `text`, as far as the terminal lives.
void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? TerminalSize{size.ws_col, size.ws_row} : TerminalSize{};
}

bool is_terminal() {
  const std::string_view kind = variable("TERM");
  return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !kind.empty() && kind != "dumb";
}

bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first that is set decides
    const std::string_view locale = variable(name);
    if (locale.empty()) continue;
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

bool wants_colour() { return variable("NO_COLOR").empty(); }

Terminal::Terminal() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : watched) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, &blocked_before_);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  tcgetattr(STDIN_FILENO, &before_);
  enter();
}

Terminal::~Terminal() {
  leave();
  close(signals_);
  pthread_sigmask(SIG_SETMASK, &blocked_before_, nullptr);
}

/// Keys come one by one and unseen; ^C and ^Z stay signals.
void Terminal::enter() {
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  put(enter_text);
}

void Terminal::leave() {
  put(leave_text);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

Terminal::Event Terminal::wait(std::chrono::milliseconds most) {
  std::array<pollfd, 2> sources{pollfd{signals_, POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
  const int ready = poll(sources.data(), sources.size(), static_cast<int>(most.count()));
  if (ready <= 0) return Event::nothing;
  if (sources[0].revents != 0) return take_signal();
  return take_key();
}

bool Terminal::end_is_due() const {
  sigset_t pending;
  sigpending(&pending);
  return std::ranges::any_of(std::array{SIGINT, SIGTERM, SIGHUP, SIGQUIT},
                             [&](int signal) { return sigismember(&pending, signal) == 1; });
}

Terminal::Event Terminal::take_signal() {
  signalfd_siginfo signal{};
  if (read(signals_, &signal, sizeof signal) != sizeof signal) return Event::nothing;
  if (signal.ssi_signo == SIGWINCH) return Event::resized;
  if (signal.ssi_signo != SIGTSTP) return Event::end;
  leave();
  kill(getpid(), SIGSTOP);  // and here it goes on, when the shell says so
  enter();
  return Event::resized;
}

/// The terminal's end is ours.
Terminal::Event Terminal::take_key() {
  char key = 0;
  const ssize_t count = read(STDIN_FILENO, &key, 1);
  return count <= 0 || key == 'q' || key == 'Q' ? Event::end : Event::nothing;
}

/// Each line is written over the one before it, so that nothing flickers.
void Terminal::show(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  const auto rows = static_cast<std::size_t>(std::max(1, terminal_size().rows));
  for (std::size_t row = 0; row < std::min(rows, lines.size()); ++row) {
    if (row > 0) text += "\r\n";
    text += lines[row];
    text += "\x1b[K";
  }
  put(text += "\x1b[J");
}

}  // namespace craton::cli
