// craton count-tokens: how many tokens a model reads in a text.
#include <boost/json/object.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/prompt.h"

namespace craton::cli {
namespace {

/// Of those that Bedrock counts for.
constexpr std::string_view default_model = "anthropic.claude-haiku-4-5-20251001-v1:0";

int count_tokens(const ConnectionFlags& where, const PromptFlags& flags) {
  const Result<Conversation> conversation = conversation_of(flags);
  if (!conversation) return fail(conversation.error().message), exit_usage;
  const bool json = where.output == "json";
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  const auto count = connection->client().count_tokens(flags.model, *conversation).get();
  if (!count) return fail(count.error(), json);
  if (json) {
    std::puts(json::to_text(json::object{{"inputTokens", *count}}).c_str());
  } else {
    std::printf("%d\n", *count);
  }
  return exit_ok;
}

}  // namespace

void add_count_tokens(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("count-tokens", "Count the tokens of a text");
  const auto where = add_connection(*command, {"text", "json"});
  const auto flags = add_prompt(*command, default_model);
  command->add_option("--system", flags->system, "Counted too")->type_name("TEXT");
  command->add_option("--image", flags->images, "Counted too")->type_name("FILE");
  command->callback([=, &exit_code] { exit_code = count_tokens(*where, *flags); });
}

}  // namespace craton::cli
