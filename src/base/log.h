// Structured log lines on standard error: a time, an event's name, and fields as logfmt.
//
//   2026-11-24T02:08:04.123Z info request operation=InvokeModel status=200 ms=412.7
//
// Lines are written by a thread of their own, so that no caller waits for a slow terminal; past a
// bound of waiting lines the oldest are dropped. Any function may be called from any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace craton::log {

enum class Level { debug, info, warning, error, off };

/// A field that is monostate or empty text is left out of its line.
using FieldValue = std::variant<std::monostate, std::string_view, std::int64_t, double>;

struct Field {
  std::string_view name;
  FieldValue value;
};

/// Lines below `level` are not written. Call before the first line; `info` unless called.
void set_level(Level level);

/// Writes one line. Text with blanks, quotes or control characters is quoted and escaped.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

/// Waits until every line so far is written; no longer than two seconds, if nobody takes them.
void flush();

}  // namespace craton::log
