// Terminal: the whole screen of a terminal, for a program that draws it again and again; what was
// there before comes back when it goes, however the program ends in order.
//
// SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP and SIGWINCH come as values of wait(). Make it before
// any other thread. There is one at a time.
#pragma once

#include <signal.h>
#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

namespace craton::cli {

/// Columns and rows of the terminal on standard output; 80 and 24 when it does not say.
struct TerminalSize {
  int columns = 80;
  int rows = 24;
};
TerminalSize terminal_size();

/// True when standard input and output are a terminal that can move its cursor.
bool is_terminal();

/// True when it takes UTF-8, as far as the locale's variables tell.
bool speaks_utf8();

/// True unless NO_COLOR is set. Source: https://no-color.org
bool wants_colour();

class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  enum class Event { nothing, resized, end };

  /// Waits at most so long for something to happen. `end`: a signal, or the key q.
  Event wait(std::chrono::milliseconds most);

  /// True when a signal that ends the program has come and wait() has not told it.
  bool end_is_due() const;

  /// Puts `lines` on the screen, as many as there are rows.
  void show(const std::vector<std::string>& lines);

 private:
  void enter();
  void leave();
  Event take_signal();
  Event take_key();

  termios before_{};
  sigset_t blocked_before_{};
  int signals_ = -1;  ///< Descriptor that the signals come by.
};

}  // namespace craton::cli
