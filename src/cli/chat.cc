// craton chat: a conversation, line by line.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/nearest.h"
#include "cli/answer_view.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/line_editor.h"
#include "cli/prompt.h"
#include "cli/terminal.h"

namespace craton::cli {
namespace {

class Chat {
 public:
  Chat(const Client& client, PromptFlags flags)
      : client_(client), flags_(std::move(flags)), conversation_(begun_conversation(flags_)) {
    images_ = flags_.images;
  }

  /// False: it is over.
  bool take(const std::string& line);
  int exit_code() const { return exit_code_; }

 private:
  struct Command {
    std::string_view name;
    std::string_view argument;
    std::string_view help;
    void (Chat::*run)(const std::string& argument);
  };
  static const std::span<const Command> commands;

  void help(const std::string&);
  void model(const std::string& id);
  void system(const std::string& text);
  void image(const std::string& file);
  void tokens(const std::string&);
  void clear(const std::string&);
  void quit(const std::string&) { over_ = true; }

  void run(std::string_view line);
  void say(const std::string& text);
  void note(const std::string& text) const;

  const Client& client_;
  PromptFlags flags_;
  Conversation conversation_;
  std::vector<std::string> images_;  ///< For the next turn.
  bool over_ = false;
  int prompt_tokens_ = 0;  ///< Of the last request, as its answer told.
  int exit_code_ = exit_ok;
};

const std::span<const Chat::Command> Chat::commands = [] {
  static constexpr Command all[] = {
      {"help", "", "what there is", &Chat::help},
      {"model", "ID", "ask another model from here on; without an id, tell which it is",
       &Chat::model},
      {"system", "TEXT", "what the model is told before; without a text, nothing", &Chat::system},
      {"image", "FILE", "show it with the next line", &Chat::image},
      {"tokens", "", "count the conversation's tokens", &Chat::tokens},
      {"clear", "", "begin anew", &Chat::clear},
      {"exit", "", "end; so does Ctrl-D", &Chat::quit},
  };
  return std::span<const Command>(all);
}();

bool Chat::take(const std::string& line) {
  if (line.starts_with('/')) {
    run(std::string_view(line).substr(1));
  } else if (line.find_first_not_of(" \t") != std::string::npos) {
    say(line);
  }
  return !over_;
}

void Chat::run(std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::string_view name = line.substr(0, space);
  std::string argument(space == line.npos ? std::string_view() : line.substr(space + 1));
  argument.erase(0, std::min(argument.find_first_not_of(' '), argument.size()));
  std::vector<std::string_view> names;
  for (const Command& command : commands) {
    if (command.name == name) return (this->*command.run)(argument);
    names.push_back(command.name);
  }
  const std::string_view near = nearest(name, names);
  note("There is no /" + std::string(name) +
       (near.empty() ? "; /help tells what there is."
                     : "; did you mean /" + std::string(near) + "?"));
}

void Chat::help(const std::string&) {
  for (const Command& command : commands) {
    std::string left = "/" + std::string(command.name) + " " + std::string(command.argument);
    left.resize(16, ' ');
    note(left + std::string(command.help));
  }
}

void Chat::model(const std::string& id) {
  if (!id.empty()) flags_.model = id;
  note("model: " + flags_.model);
}

void Chat::system(const std::string& text) {
  conversation_.system.clear();
  if (!text.empty()) conversation_.system.push_back({text});
  note(text.empty() ? "system: nothing" : "system: " + text);
}

void Chat::image(const std::string& file) {
  const Result<Turn> turn = user_turn("", {file});
  if (!turn) return note(turn.error().message);
  images_.push_back(file);
  note("It goes with your next line.");
}

void Chat::tokens(const std::string&) {
  if (conversation_.turns.empty()) return note("Nothing has been said yet.");
  Conversation asked = conversation_;
  if (asked.turns.back().role == Role::assistant) asked.turns.pop_back();
  const auto count = client_.count_tokens(flags_.model, asked).get();
  // Bedrock counts for some models alone; the last answer's own count is always there.
  note(std::to_string(count ? *count : prompt_tokens_) + " tokens up to your last line");
}

void Chat::clear(const std::string&) {
  conversation_.turns.clear();
  images_.clear();
  note("A new conversation.");
}

void Chat::say(const std::string& text) {
  Result<Turn> turn = user_turn(text, images_);
  if (!turn) return note(turn.error().message);
  conversation_.turns.push_back(std::move(*turn));
  const ViewedAnswer viewed = view_answer(client_, flags_.model, conversation_, true);
  const bool stopped = viewed.error && viewed.error->kind == CallError::Kind::cancelled;
  if (viewed.error && !stopped) exit_code_ = fail(*viewed.error);
  if (viewed.answer.content.empty()) {
    conversation_.turns.pop_back();  // so that it can be said again
    return;
  }
  Turn answered{Role::assistant, {}};
  for (const AnswerBlock& block : viewed.answer.content) {
    std::visit([&](const auto& one) { answered.content.emplace_back(one); }, block);
  }
  conversation_.turns.push_back(std::move(answered));
  images_.clear();
  prompt_tokens_ = prompt_tokens(viewed.answer.usage);
  if (!viewed.error) exit_code_ = exit_ok;
  note(stopped ? "stopped" : viewed.told());
}

/// What is no answer: dim, beside the answers.
void Chat::note(const std::string& text) const {
  const bool dim = isatty(STDERR_FILENO) && wants_colour();
  std::fprintf(stderr, "%s%s%s\n", dim ? "\033[2m" : "", text.c_str(), dim ? "\033[0m" : "");
}

/// ~/.local/state/craton/chat_history
std::string history_file() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state && *state) return std::string(state) + "/craton/chat_history";
  return home && *home ? std::string(home) + "/.local/state/craton/chat_history" : std::string();
}

int chat(const ConnectionFlags& where, const PromptFlags& flags) {
  if (!flags.texts.empty()) return fail("chat takes no text; craton ask does"), exit_usage;
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error());
  if (is_terminal()) {
    std::printf("%s at %s. /help tells what there is; Ctrl-D ends.\n", flags.model.c_str(),
                connection->local() ? "the model in this program"
                                    : connection->client().endpoint_url().c_str());
  }
  LineEditor editor("> ", history_file());
  Chat conversation(connection->client(), flags);
  while (const auto line = editor.read()) {
    if (!conversation.take(*line)) break;
  }
  return conversation.exit_code();
}

}  // namespace

void add_chat(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("chat", "Talk with a model");
  const auto where = add_connection(*command, {"text"});
  const auto flags = add_prompt(*command, default_chat_model);
  add_conversation(*command, *flags);
  command->callback([=, &exit_code] { exit_code = chat(*where, *flags); });
}

}  // namespace craton::cli
