// craton ask: one question, one answer, as it comes.
#include <unistd.h>

#include <boost/json/object.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/answer_view.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/prompt.h"
#include "cli/terminal.h"

namespace craton::cli {
namespace {

void print_json(const ViewedAnswer& viewed, const std::string& model) {
  const Usage& usage = viewed.answer.usage;
  const json::object object{{"model", model},
                            {"text", viewed.answer.text()},
                            {"inputTokens", prompt_tokens(usage)},
                            {"outputTokens", usage.output_tokens},
                            {"firstMs", viewed.first.count()},
                            {"totalMs", viewed.whole.count()}};
  std::puts(json::to_text(object).c_str());
}

int ask(const ConnectionFlags& where, const PromptFlags& flags, bool stats) {
  const bool json = where.output == "json";
  const Result<Conversation> conversation = conversation_of(flags);
  if (!conversation) return fail(conversation.error().message), exit_usage;
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  const ViewedAnswer viewed = view_answer(connection->client(), flags.model, *conversation, !json);
  if (viewed.error) return fail(*viewed.error, json);
  if (json) {
    print_json(viewed, flags.model);
  } else if (stats) {
    std::fprintf(stderr, "%s\n", viewed.told().c_str());
  }
  return exit_ok;
}

}  // namespace

void add_ask(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("ask", "Ask a model, and print its answer as it comes");
  const auto where = add_connection(*command, {"text", "json"});
  const auto flags = add_prompt(*command, default_chat_model);
  add_conversation(*command, *flags);
  auto stats = std::make_shared<bool>(false);
  command->add_flag("--stats", *stats, "Tell tokens and speed on standard error");
  command->callback([=, &exit_code] { exit_code = ask(*where, *flags, *stats); });
}

}  // namespace craton::cli
