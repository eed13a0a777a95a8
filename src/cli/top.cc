// craton top: what a server does, live, from its /metrics.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "http/fetch.h"
#include "metrics/exposition.h"
#include "monitor/screen.h"
#include "monitor/view.h"
#include "server/config.h"

namespace craton::cli {
namespace {

using std::chrono::steady_clock;

struct TopFlags {
  std::string url = "http://127.0.0.1:" + std::to_string(server::default_port);
  std::string authority_file;
  std::string output = "table";
  double interval = 1;
  bool once = false;
};

/// A server's metrics, asked for again and again.
class Watch {
 public:
  Watch(const TopFlags& flags, std::function<bool()> given_up)
      : url_(without_slashes(flags.url)),
        fetcher_({.authority_file = flags.authority_file, .given_up = std::move(given_up)}) {}

  /// Takes a reading. The message says what is wrong, and what to do about it.
  tl::expected<void, std::string> look() {
    const auto text = fetcher_.get(url_ + "/metrics");
    if (!text) return tl::unexpected(no_answer(text.error()));
    const auto page = metrics::read_page(*text);
    if (!page) return tl::unexpected(not_craton(page.error().message));
    auto reading = monitor::read(*page, seconds_now());
    if (!reading) return tl::unexpected(not_craton(reading.error().message));
    history_.add(std::move(*reading));
    return {};
  }

  /// After look() has succeeded once.
  monitor::View view() const { return history_.view(url_, system_now()); }

 private:
  static std::string without_slashes(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
  }

  static double seconds_now() {
    return std::chrono::duration<double>(steady_clock::now().time_since_epoch()).count();
  }

  std::string no_answer(const http::FetchError& error) const {
    if (error.status > 0) return not_craton(error.message);
    return "no server answers at " + url_ + ": " + error.message +
           ". Start one with 'craton serve', or name it with --endpoint-url.";
  }

  std::string not_craton(const std::string& why) const {
    return url_ + " is not a Craton server's address: " + why + ". Name it with --endpoint-url.";
  }

  const std::string url_;
  http::Fetcher fetcher_;
  monitor::History history_;
};

void print(const monitor::View& view, const TopFlags& flags) {
  if (flags.output == "json") {
    std::puts(monitor::json_of(view).c_str());
  } else {
    const monitor::Style style{.width = terminal_size().columns, .unicode = speaks_utf8()};
    for (const std::string& line : monitor::draw(view, style)) std::puts(line.c_str());
  }
  std::fflush(stdout);
}

int print_once(const TopFlags& flags) {
  Watch watch(flags, nullptr);
  if (const auto seen = watch.look(); !seen) return fail(seen.error());
  print(watch.view(), flags);
  return exit_ok;
}

std::chrono::milliseconds interval_of(const TopFlags& flags) {
  return std::chrono::milliseconds(static_cast<int>(flags.interval * 1000));
}

/// A line each interval, until it is interrupted or nobody reads.
int print_for_ever(const TopFlags& flags) {
  Watch watch(flags, nullptr);
  while (true) {
    if (const auto seen = watch.look(); !seen) return fail(seen.error());
    print(watch.view(), flags);
    if (std::ferror(stdout)) return exit_failed;
    std::this_thread::sleep_for(interval_of(flags));
  }
}

/// The lines to show: what was seen last, and what is wrong now.
std::vector<std::string> screen(const Watch& watch, const std::string& problem) {
  const monitor::Style style{
      .width = terminal_size().columns, .colour = wants_colour(), .unicode = speaks_utf8()};
  std::vector<std::string> lines = monitor::draw(watch.view(), style);
  if (!problem.empty()) {
    lines.insert(lines.begin(), monitor::clipped("! " + problem, style.width));
  }
  return lines;
}

/// Waits for the next look, or for the end; draws anew when the size changes.
Terminal::Event pause(Terminal& terminal, const Watch& watch, const std::string& problem,
                      steady_clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    if (left.count() <= 0) return Terminal::Event::nothing;
    const Terminal::Event event = terminal.wait(left);
    if (event == Terminal::Event::end) return event;
    if (event == Terminal::Event::resized) terminal.show(screen(watch, problem));
  }
}

/// Draws until it is told to end. A server that goes away is waited for.
int watch_live(const TopFlags& flags) {
  Terminal* shown = nullptr;
  Watch watch(flags, [&shown] { return shown && shown->end_is_due(); });
  if (const auto seen = watch.look(); !seen) return fail(seen.error());
  Terminal terminal;
  shown = &terminal;
  std::string problem;
  for (auto next = steady_clock::now();;) {
    terminal.show(screen(watch, problem));
    next = std::max(next + interval_of(flags), steady_clock::now());
    if (pause(terminal, watch, problem, next) == Terminal::Event::end) return exit_ok;
    const auto seen = watch.look();
    problem = seen ? std::string() : seen.error();
  }
}

int top(const TopFlags& flags) {
  if (flags.once) return print_once(flags);
  if (flags.output == "json") return print_for_ever(flags);
  return is_terminal() ? watch_live(flags) : print_once(flags);
}

}  // namespace

void add_top(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("top", "Show what a server does, live");
  auto flags = std::make_shared<TopFlags>();
  command
      ->add_option("--endpoint-url", flags->url,
                   "The server (default: AWS_ENDPOINT_URL, or http://127.0.0.1:8420)")
      ->envname("AWS_ENDPOINT_URL")
      ->type_name("URL");
  command
      ->add_option("--ca-bundle", flags->authority_file,
                   "Certificates to trust, PEM (default: AWS_CA_BUNDLE, or the system's)")
      ->envname("AWS_CA_BUNDLE")
      ->type_name("FILE");
  command->add_flag("--once", flags->once, "Print what has been since the server's start, and end");
  command
      ->add_option("--output", flags->output,
                   "table, or json: an object a line, one each interval (default table)")
      ->check(CLI::IsMember({"table", "json"}));
  command->add_option("--interval", flags->interval, "Between two looks (default 1)")
      ->check(CLI::Range(0.1, 3600.0))
      ->type_name("SECONDS");
  command->footer(
      "Rates are those between the last two looks, latencies those of the last minute. q or ^C "
      "ends it.\nWithout a terminal it prints once.");
  command->callback([flags, &exit_code] { exit_code = top(*flags); });
}

}  // namespace craton::cli
