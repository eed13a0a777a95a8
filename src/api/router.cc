// Which operation a method and target ask for, by the URI templates of the service models.
#include <algorithm>
#include <optional>
#include <tuple>

#include "api/operation.h"
#include "api/tables.h"
#include "api/uri.h"

namespace craton::api {
namespace {

/// The longest template has 7 segments, and an ARN whose slashes were left bare has a few more.
constexpr std::size_t segments_max = 32;

using Segments = std::vector<std::string>;  ///< Of a path, decoded.

/// nullopt for a path that no template can fit.
std::optional<Segments> split(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  Segments segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty() || segments.size() == segments_max) return std::nullopt;
    segments.push_back(percent_decoded(segment));
    path.remove_prefix(segment.size());
  }
  return segments;
}

std::string joined(std::span<const std::string> segments) {
  std::string text = segments.front();
  for (const std::string& segment : segments.subspan(1)) text += "/" + segment;
  return text;
}

/// How many segments a label may take that starts at the first of `path`: an ARN's slashes are
/// often left bare by those who write requests by hand.
std::size_t label_reach(std::span<const std::string> path) {
  return path.front().starts_with("arn:") ? path.size() : 1;
}

/// Fits `segments` of a template to all of `path`, adding the labels' values; the longest first.
bool fits(std::span<const Segment> segments, std::span<const std::string> path, Match& match) {
  if (segments.empty() || path.empty()) return segments.empty() && path.empty();
  const Segment& first = segments.front();
  if (!first.is_label) {
    return first.text == path.front() && fits(segments.subspan(1), path.subspan(1), match);
  }
  for (std::size_t taken = label_reach(path); taken > 0; --taken) {
    match.labels.emplace_back(first.text, joined(path.first(taken)));
    if (fits(segments.subspan(1), path.subspan(taken), match)) return true;
    match.labels.pop_back();
  }
  return false;
}

std::span<const Route> candidates(std::string_view method, std::string_view first_segment) {
  const auto key = [](const Route& route) {
    return std::tuple(route.operation->method, route.segments.front().text);
  };
  const auto found = std::ranges::equal_range(routes(), std::tuple(method, first_segment), {}, key);
  return {found.begin(), found.end()};
}

Error unknown_operation(std::string_view method, std::string_view path) {
  constexpr std::size_t shown_max = 256;
  return {ErrorCode::unknown_operation, "No operation of Amazon Bedrock is requested with " +
                                            percent_decoded(method.substr(0, shown_max)) + " " +
                                            percent_decoded(path.substr(0, shown_max)) + "."};
}

}  // namespace

Result<Match> route(std::string_view method, std::string_view target) {
  const std::string_view path = path_of(target);
  const std::optional<Segments> segments = split(path);
  if (!segments || segments->empty()) return unknown_operation(method, path);

  // Of several that fit, the one with the most literals: an ARN could swallow them.
  std::optional<Match> best;
  std::size_t best_size = 0;
  for (const Route& route : candidates(method, segments->front())) {
    Match match{route.operation, {}};
    if (route.segments.size() > best_size && fits(route.segments, *segments, match)) {
      best_size = route.segments.size();
      best = std::move(match);
    }
  }
  if (!best) return unknown_operation(method, path);
  return std::move(*best);
}

const Operation* find_operation(std::string_view name) {
  const auto found = std::ranges::lower_bound(operations(), name, {}, &Operation::name);
  return found != operations().end() && found->name == name ? &*found : nullptr;
}

}  // namespace craton::api
