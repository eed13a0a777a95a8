#include "monitor/screen.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "base/json.h"
#include "base/utf8.h"

namespace craton::monitor {
namespace {

// Numbers.

template <class... Values>
std::string printed(const char* format, Values... values) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

struct Unit {
  double size;
  std::string_view name;
};

/// Three digits and the largest unit that leaves some before the point.
template <std::size_t size>
std::string scaled(double value, const std::array<Unit, size>& units) {
  const Unit* unit = &units.back();
  for (const Unit& row : units) {
    if (value + row.size / 2000 < row.size) continue;  // that rounds up to it
    unit = &row;
    break;
  }
  const double shown = value / unit->size;
  const bool whole = shown == std::floor(shown) && unit->size == 1;
  const int digits = whole || shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2;
  return printed("%.*f", digits, shown) + std::string(unit->name);
}

constexpr std::array count_units{Unit{1e9, "G"}, Unit{1e6, "M"}, Unit{1e3, "k"}, Unit{1, ""}};
constexpr std::array byte_units{Unit{1e9, " GB"}, Unit{1e6, " MB"}, Unit{1e3, " kB"},
                                Unit{1, " B"}};
constexpr std::array time_units{Unit{1, " s"}, Unit{1e-3, " ms"}};

std::string count_text(double value) { return scaled(value, count_units); }

std::string percent(double share) { return printed("%.0f %%", share * 100); }

std::string time_text(const std::optional<Quantile>& time) {
  if (!time) return "-";
  return (time->above ? ">" : "") + scaled(time->value, time_units);
}

std::string uptime_text(double seconds) {
  const auto all = static_cast<long long>(seconds);
  const long long days = all / 86'400, hours = all / 3'600 % 24, minutes = all / 60 % 60;
  if (days > 0) return printed("%lld d %lld h", days, hours);
  if (hours > 0) return printed("%lld h %lld min", hours, minutes);
  if (minutes > 0) return printed("%lld min %lld s", minutes, all % 60);
  return printed("%lld s", all);
}

// Text in columns.

/// Characters that take two columns, roughly: East Asian ones and emoji.
constexpr std::array<std::pair<char32_t, char32_t>, 5> wide{
    {{0x1100, 0x115F}, {0x2E80, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF}, {0x1F300, 0x1FAFF}}};

/// Takes the first character off `text`, UTF-8; the columns that it takes.
int take_character(std::string_view& text) {
  std::size_t size = 1;
  while (size < text.size() && !begins_character(text[size])) ++size;
  const auto lead = static_cast<unsigned char>(text.front());
  char32_t code = size == 1 ? lead : lead & (0x7F >> size);
  for (std::size_t i = 1; i < size; ++i) {
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  text.remove_prefix(size);
  const bool two = std::ranges::any_of(
      wide, [&](const auto& range) { return code >= range.first && code <= range.second; });
  return two ? 2 : 1;
}

/// Takes an escape sequence off the beginning of `text`; false when none is there.
bool take_colour(std::string_view& text) {
  if (!text.starts_with("\x1b[")) return false;
  text.remove_prefix(std::min(text.size(), text.find('m')) + 1);
  return true;
}

/// The beginning of `text` that takes `width` columns at most.
std::string_view fitting(std::string_view text, int width) {
  std::string_view rest = text;
  for (int used = 0; !rest.empty();) {
    const std::string_view before = rest;
    used += take_character(rest);
    if (used > width) return text.substr(0, text.size() - before.size());
  }
  return text;
}

std::string padded(std::string_view text, int width) {
  std::string out(fitting(text, width));
  out.append(static_cast<std::size_t>(std::max(0, width - columns_of(out))), ' ');
  return out;
}

std::string right(std::string_view text, int width) {
  std::string out(static_cast<std::size_t>(std::max(0, width - columns_of(text))), ' ');
  return out += text;
}

/// Draws lines; wraps nothing.
class Canvas {
 public:
  explicit Canvas(const Style& style) : style_(style) {}

  int width() const { return std::max(20, style_.width); }
  bool unicode() const { return style_.unicode; }

  void line(std::string_view text = {}) { put("", text); }
  void heading(std::string_view text) { put("\x1b[1m", text); }
  void alarm(std::string_view text) { put("\x1b[31m", text); }

  /// Facts side by side, on as many lines as they need.
  void facts(const std::vector<std::string>& all) {
    const std::string between = style_.unicode ? "  ·  " : "  |  ";
    std::string text;
    for (const std::string& fact : all) {
      const int more = columns_of(text) + columns_of(between) + columns_of(fact);
      if (!text.empty() && more > width()) {
        line(text);
        text.clear();
      }
      text += (text.empty() ? "" : between) + fact;
    }
    line(text);
  }

  std::vector<std::string> take() { return std::move(lines_); }

 private:
  void put(std::string_view colour, std::string_view text) {
    std::string shown(fitting(text, style_.width));
    if (style_.colour && !colour.empty()) shown = std::string(colour) + shown + "\x1b[0m";
    lines_.push_back(std::move(shown));
  }

  const Style style_;
  std::vector<std::string> lines_;
};

// What is drawn.

void draw_server(const View& view, Canvas& canvas) {
  const std::string name = "craton " + view.now.version + "  " + view.url;
  const std::string up = "up " + uptime_text(view.uptime);
  canvas.heading(name + right(up, std::max(2 + columns_of(up), canvas.width() - columns_of(name))));
  canvas.facts(
      {count_text(view.requests_per_s) + " requests/s", count_text(view.errors_per_s) + " errors/s",
       count_text(view.now.connections) + " connections",
       scaled(view.received_per_s, byte_units) + "/s in",
       scaled(view.sent_per_s, byte_units) + "/s out",
       scaled(view.now.memory, byte_units) + " memory", printed("%.2f", view.cpu) + " cores busy"});
}

/// Cells that are used, kept and free, as a bar `width` columns long.
std::string bar(const ModelReading& model, int width, bool unicode) {
  if (width < 4 || model.cells <= 0) return {};
  const double column = model.cells / width;
  // What is there is seen: some is at least a column.
  const auto columns = [&](double cells) {
    return cells <= 0 ? 0 : std::clamp(static_cast<int>(std::lround(cells / column)), 1, width);
  };
  const int used = columns(model.cells_used);
  const int kept = std::min(columns(model.cells_kept), width - used);
  std::string text;
  for (int i = 0; i < width; ++i) {
    const int kind = i < used ? 0 : i < used + kept ? 1 : 2;
    constexpr std::array<std::string_view, 3> blocks{"█", "▒", "·"}, plain{"#", "+", "."};
    text += (unicode ? blocks : plain)[static_cast<std::size_t>(kind)];
  }
  return text + " ";
}

std::string cells_text(const ModelReading& model) {
  if (model.cells <= 0) return "-";
  return percent(model.cells_used / model.cells) + " of " + count_text(model.cells);
}

/// What stands in a model's row beside its name.
std::string model_numbers(const ModelView& model) {
  return right(count_text(model.now.queue), 7) + right(count_text(model.now.running), 6) +
         right(count_text(model.prompt_tokens_per_s), 9) +
         right(count_text(model.generated_tokens_per_s), 9) +
         right(model.hit_rate ? percent(*model.hit_rate) : "-", 8) + "  ";
}

constexpr int model_numbers_width = 7 + 6 + 9 + 9 + 8 + 2;
constexpr int cells_text_width = 15;
constexpr int bar_width_max = 40;

void draw_models(const View& view, Canvas& canvas) {
  if (view.models.empty()) return canvas.line("No model is bound.");
  int name_width = 5;
  for (const ModelView& model : view.models) {
    name_width = std::max(name_width, columns_of(model.name) + 10);  // " (loading)"
  }
  const int others = model_numbers_width + cells_text_width;
  name_width = std::min(name_width, std::max(12, canvas.width() - others));
  const int bar_width = std::min(bar_width_max, canvas.width() - others - name_width);
  canvas.heading(padded("MODEL", name_width) + right("QUEUE", 7) + right("RUN", 6) +
                 right("TOK/S IN", 9) + right("OUT", 9) + right("CACHED", 8) + "  KV CELLS");
  for (const ModelView& model : view.models) {
    const std::string state = model.now.ready > 0 ? "" : " (not ready)";
    canvas.line(padded(model.name + state, name_width) + model_numbers(model) +
                bar(model.now, bar_width, canvas.unicode()) + cells_text(model.now));
  }
}

constexpr int time_width = 10;

std::string times(const Latency& latency) {
  return right(time_text(latency.p50), time_width) + right(time_text(latency.p95), time_width) +
         right(time_text(latency.p99), time_width);
}
std::string time_headings() {
  return right("P50", time_width) + right("P95", time_width) + right("P99", time_width);
}

std::string latency_heading(const View& view) {
  if (view.since_start) return "since the start";
  return "last " + uptime_text(view.latency_time + 0.5);
}

struct LatencyRow {
  std::string_view name;
  Latency ModelView::* member;
};
constexpr std::array latency_rows{
    LatencyRow{"time to first token", &ModelView::first_token},
    LatencyRow{"between tokens", &ModelView::inter_token},
    LatencyRow{"engine step", &ModelView::step},
};

void draw_latencies(const View& view, Canvas& canvas) {
  const int name_width = std::max(20, std::min(44, canvas.width() - 3 * time_width - 10));
  for (const ModelView& model : view.models) {
    const bool many = view.models.size() > 1;
    const std::string heading =
        "LATENCY, " + latency_heading(view) + (many ? ", " + model.name : "");
    canvas.line();
    canvas.heading(padded(heading, name_width) + time_headings() + right("COUNT", 10));
    for (const LatencyRow& row : latency_rows) {
      const Latency& latency = model.*row.member;
      canvas.line(padded(row.name, name_width) + times(latency) +
                  right(count_text(latency.count), 10));
    }
  }
}

void draw_operations(const View& view, Canvas& canvas) {
  if (view.operations.empty()) return;
  const int name_width = std::max(20, std::min(44, canvas.width() - 3 * time_width - 20));
  canvas.line();
  canvas.heading(padded("OPERATION", name_width) + time_headings() + right("REQ/S", 10) +
                 right("ERR/S", 10));
  for (const OperationView& operation : view.operations) {
    const std::string row = padded(operation.name, name_width) + times(operation.seconds) +
                            right(count_text(operation.requests_per_s), 10) +
                            right(count_text(operation.errors_per_s), 10);
    operation.errors_per_s > 0 ? canvas.alarm(row) : canvas.line(row);
  }
}

// JSON.

json::value json_of(const std::optional<Quantile>& time) {
  return time ? json::value(time->value) : json::value(nullptr);
}

json::object json_of(const Latency& latency) {
  return {{"count", latency.count},
          {"p50_s", json_of(latency.p50)},
          {"p95_s", json_of(latency.p95)},
          {"p99_s", json_of(latency.p99)}};
}

json::object json_of(const ModelView& model) {
  const ModelReading& now = model.now;
  return {{"model", model.name},
          {"engine", now.engine},
          {"ready", now.ready > 0},
          {"queue_length", now.queue},
          {"running", now.running},
          {"kv_cells", now.cells},
          {"kv_cells_used", now.cells_used},
          {"kv_cells_kept", now.cells_kept},
          {"prompt_tokens_per_s", model.prompt_tokens_per_s},
          {"generated_tokens_per_s", model.generated_tokens_per_s},
          {"prefix_hit_rate", model.hit_rate ? json::value(*model.hit_rate) : json::value(nullptr)},
          {"evictions", now.evictions},
          {"time_to_first_token", json_of(model.first_token)},
          {"inter_token", json_of(model.inter_token)},
          {"step", json_of(model.step)}};
}

json::object json_of(const OperationView& operation) {
  return {{"operation", operation.name},
          {"requests_per_s", operation.requests_per_s},
          {"errors_per_s", operation.errors_per_s},
          {"seconds", json_of(operation.seconds)}};
}

template <class Part>
json::array array_of(const std::vector<Part>& parts) {
  json::array all;
  for (const Part& part : parts) all.push_back(json_of(part));
  return all;
}

}  // namespace

int columns_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    if (!take_colour(text)) columns += take_character(text);
  }
  return columns;
}

std::string clipped(std::string_view text, int width) { return std::string(fitting(text, width)); }

std::vector<std::string> draw(const View& view, const Style& style) {
  Canvas canvas(style);
  draw_server(view, canvas);
  canvas.line();
  draw_models(view, canvas);
  draw_latencies(view, canvas);
  draw_operations(view, canvas);
  return canvas.take();
}

std::string json_of(const View& view) {
  return json::to_text(json::object{{"url", view.url},
                                    {"version", view.now.version},
                                    {"uptime_s", view.uptime},
                                    {"since_start", view.since_start},
                                    {"rate_time_s", view.rate_time},
                                    {"latency_time_s", view.latency_time},
                                    {"requests_per_s", view.requests_per_s},
                                    {"errors_per_s", view.errors_per_s},
                                    {"connections", view.now.connections},
                                    {"received_bytes_per_s", view.received_per_s},
                                    {"sent_bytes_per_s", view.sent_per_s},
                                    {"memory_bytes", view.now.memory},
                                    {"cpu_cores", view.cpu},
                                    {"models", array_of(view.models)},
                                    {"operations", array_of(view.operations)}});
}

}  // namespace craton::monitor
