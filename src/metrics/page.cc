#include "metrics/page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace craton::metrics {
namespace {

struct FormatRow {
  Format format;
  std::string_view content_type;
  std::string_view end;
};
constexpr std::array formats{
    FormatRow{Format::prometheus, "text/plain; version=0.0.4; charset=utf-8", ""},
    FormatRow{Format::openmetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8",
              "# EOF\n"},
};
static_assert(formats[1].format == Format::openmetrics, "one row per Format, in its order");

const FormatRow& row_of(Format format) { return formats[static_cast<std::size_t>(format)]; }

constexpr std::array<std::string_view, 3> type_names{"counter", "gauge", "histogram"};

struct Escape {
  char character;
  std::string_view written;
};
constexpr std::array escapes{Escape{'\\', "\\\\"}, Escape{'\n', "\\n"}, Escape{'"', "\\\""}};

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto row = std::ranges::find(escapes, c, &Escape::character);
    row == escapes.end() ? out += c : out += row->written;
  }
}

void append_value(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    json::append_number(value, out);
  }
}

void append_labels(Labels labels, std::string& out) {
  bool first = true;
  for (const auto& [name, value] : labels) {
    if (value.empty()) continue;
    out += std::exchange(first, false) ? '{' : ',';
    out += name;
    out += "=\"";
    append_escaped(mended_utf8(value), out);
    out += '"';
  }
  if (!first) out += '}';
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Cuts off and gives what comes before the next `mark`.
std::string_view next_part(std::string_view& text, char mark) {
  const std::size_t end = text.find(mark);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return trimmed(part);
}

/// One of the media ranges of an Accept header.
struct Range {
  std::string_view type;
  std::string_view version;
  double quality = 1;
};

Range next_range(std::string_view& accept) {
  std::string_view text = next_part(accept, ',');
  Range range{.type = next_part(text, ';'), .version = {}};
  while (!text.empty()) {
    std::string_view parameter = next_part(text, ';');
    const std::string_view name = next_part(parameter, '=');
    if (name == "version") range.version = parameter;
    if (name == "q") std::from_chars(parameter.begin(), parameter.end(), range.quality);
  }
  return range;
}

}  // namespace

std::string_view content_type_of(Format format) { return row_of(format).content_type; }

Format format_for(std::string_view accept) {
  double open = 0, plain = 0;
  while (!accept.empty()) {
    const Range range = next_range(accept);
    const bool known = range.version.empty() || range.version == "1.0.0";
    if (range.type == "application/openmetrics-text" && known) open = range.quality;
    if (range.type == "text/plain") plain = std::max(plain, range.quality);
  }
  return open > 0 && open >= plain ? Format::openmetrics : Format::prometheus;
}

void Page::begin(const Metric& metric) {
  name_ = metric.name;
  std::string_view declared = metric.name;
  if (format_ == Format::openmetrics && metric.type == Type::counter) {
    declared.remove_suffix(std::string_view("_total").size());
  }
  text_ += "# HELP ";
  text_ += declared;
  text_ += ' ';
  text_ += metric.help;  // of this program: nothing to escape
  text_ += "\n# TYPE ";
  text_ += declared;
  text_ += ' ';
  text_ += type_names[static_cast<std::size_t>(metric.type)];
  text_ += '\n';
}

void Page::sample(Labels labels, std::uint64_t value) {
  text_ += name_;
  append_labels(labels, text_);
  text_ += ' ';
  text_ += std::to_string(value);
  text_ += '\n';
}

void Page::sample(Labels labels, double value) { append_sample(name_, labels, value, text_); }

void Page::sample(Labels labels, const HistogramCounts& counts) {
  const std::string name = std::exchange(name_, name_ + "_bucket");
  std::vector<Label> with_bound(labels.begin(), labels.end());
  with_bound.push_back({"le", {}});
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.counts.size(); ++i) {
    std::string bound;
    append_value(i < counts.bounds.size() ? counts.bounds[i] : INFINITY, bound);
    with_bound.back().value = bound;
    sample(with_bound, below += counts.counts[i]);
  }
  name_ = name + "_sum";
  sample(labels, counts.sum);
  name_ = name + "_count";
  sample(labels, below);
  name_ = name;
}

std::string Page::take() {
  text_ += row_of(format_).end;
  return std::move(text_);
}

void append_sample(std::string_view name, Labels labels, double value, std::string& out) {
  out += name;
  append_labels(labels, out);
  out += ' ';
  append_value(value, out);
  out += '\n';
}

}  // namespace craton::metrics
