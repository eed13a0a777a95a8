#include "cli/answer_view.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <future>
#include <variant>

#include "cli/terminal.h"

namespace craton::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<bool> interrupted = false;

/// Takes Ctrl-C while an answer comes.
class Interrupts {
 public:
  Interrupts() {
    interrupted = false;
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = true; };
    sigaction(SIGINT, &action, &before_);
  }
  ~Interrupts() { sigaction(SIGINT, &before_, nullptr); }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  struct sigaction before_{};
};

/// The outcome of a call, which Ctrl-C gives up.
template <class T>
Outcome<T> wait_for(Call<T> call) {
  auto promise = std::make_shared<std::promise<Outcome<T>>>();
  auto future = promise->get_future();
  const Cancel cancel = std::move(call).then(
      [promise](Outcome<T> outcome) { promise->set_value(std::move(outcome)); });
  while (future.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    if (interrupted) cancel();
  }
  return future.get();
}

class View {
 public:
  explicit View(bool show) : show_(show), dims_(show && isatty(STDOUT_FILENO) && wants_colour()) {}

  void take(const Event& event) {
    if (!show_) return;
    if (const auto* text = std::get_if<TextDelta>(&event)) {
      begin(Part::text);
      write(text->text);
    } else if (const auto* thought = std::get_if<ReasoningDelta>(&event)) {
      begin(Part::thought);
      write(thought->text);
    } else if (const auto* use = std::get_if<ToolUseStart>(&event)) {
      begin(Part::none);
      begin(Part::tool);
      write(use->name + " ");
    } else if (const auto* input = std::get_if<ToolInputDelta>(&event)) {
      write(input->json);
    }
  }

  void end() { begin(Part::none); }

 private:
  enum class Part { none, text, thought, tool };

  void begin(Part part) {
    if (part == part_) return;
    if (dims_ && part_ != Part::none && part_ != Part::text) write("\033[0m");
    if (part_ != Part::none && !at_line_start_) write("\n");
    if (dims_ && part != Part::none && part != Part::text) std::fputs("\033[2m", stdout);
    part_ = part;
  }

  void write(const std::string& text) {
    if (text.empty()) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    at_line_start_ = text.back() == '\n';
  }

  const bool show_;
  const bool dims_;
  Part part_ = Part::none;
  bool at_line_start_ = true;
};

std::chrono::milliseconds since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

/// A stream that broke off has no usage; what came counts all the same.
Answer folded(AnswerBuilder& builder) {
  if (!builder.complete()) builder.add(Usage{});
  auto answer = builder.take();
  return answer ? std::move(*answer) : Answer{};
}

}  // namespace

std::string ViewedAnswer::told() const {
  const double seconds = std::chrono::duration<double>(whole - first).count();
  std::string text =
      fmt::format("{} tokens in, {} out", prompt_tokens(answer.usage), answer.usage.output_tokens);
  if (answer.usage.output_tokens > 1 && seconds > 0) {
    text += fmt::format(" · {:.1f} tokens/s", (answer.usage.output_tokens - 1) / seconds);
  }
  return text +
         fmt::format(" · first after {:.2f} s", std::chrono::duration<double>(first).count());
}

ViewedAnswer view_answer(const Client& client, const std::string& model,
                         const Conversation& conversation, bool show) {
  const Interrupts interrupts;
  const Clock::time_point begin = Clock::now();
  ViewedAnswer viewed;
  Outcome<Stream<Event>> stream = wait_for(client.converse_stream(model, conversation));
  if (!stream) {
    viewed.error = std::move(stream.error());
    return viewed;
  }
  View view(show);
  AnswerBuilder builder;
  while (true) {
    Outcome<std::optional<Event>> event = wait_for(stream->next());
    if (!event) viewed.error = std::move(event.error());
    if (!event || !*event) break;
    if (viewed.first.count() == 0 && !std::holds_alternative<MessageStart>(**event)) {
      viewed.first = std::max(since(begin), std::chrono::milliseconds(1));
    }
    view.take(**event);
    builder.add(std::move(**event));
  }
  view.end();
  viewed.whole = since(begin);
  viewed.answer = folded(builder);
  return viewed;
}

}  // namespace craton::cli
