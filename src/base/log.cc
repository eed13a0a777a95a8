#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/json.h"

namespace craton::log {
namespace {

constexpr std::size_t lines_waiting_max = 8192;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: break;
  }
  return spdlog::level::off;
}

// How long flush() waits for a standard error that nobody reads.
constexpr std::chrono::seconds flush_max{2};

/// Writes the lines, by one thread, in their order.
const std::shared_ptr<spdlog::details::thread_pool>& writer() {
  static const auto pool = std::make_shared<spdlog::details::thread_pool>(lines_waiting_max, 1);
  return pool;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::async_logger>(
        "craton", std::make_shared<spdlog::sinks::stderr_sink_mt>(), writer(),
        spdlog::async_overflow_policy::overrun_oldest);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f;
  });
}

bool is_absent(const FieldValue& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  return std::holds_alternative<std::monostate>(value) || (text && text->empty());
}

void append_value(const FieldValue& value, std::string& line) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    is_plain(*text) ? line.append(*text) : line.append(json::quote(*text));
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    line += std::to_string(*whole);
  } else {
    fmt::format_to(std::back_inserter(line), "{:.1f}", std::get<double>(value));
  }
}

}  // namespace

void set_level(Level level) { logger().set_level(to_spdlog(level)); }

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  const auto severity = to_spdlog(level);
  if (!logger().should_log(severity)) return;
  std::string line(event);
  for (const Field& field : fields) {
    if (is_absent(field.value)) continue;
    line += ' ';
    line += field.name;
    line += '=';
    append_value(field.value, line);
  }
  logger().log(severity, spdlog::string_view_t(line.data(), line.size()));
}

/// The logger's own only asks for it. When the second of two such wishes was taken from the queue,
/// the first, and all before it, is done.
void flush() {
  for (int i = 0; i < 2; ++i) logger().flush();
  const auto until = std::chrono::steady_clock::now() + flush_max;
  while (writer()->queue_size() > 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace craton::log
