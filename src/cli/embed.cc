// craton embed: vectors of texts.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/prompt.h"
#include "cli/table.h"
#include "families/native_form.h"

namespace craton::cli {
namespace {

constexpr std::string_view default_embed_model = "amazon.titan-embed-text-v2:0";

/// Each argument, and each line of standard input where "-" stands.
Result<std::vector<std::string>> texts_of(const PromptFlags& flags) {
  if (flags.texts.empty()) {
    CRATON_TRY_ASSIGN(std::string text, text_of(flags));
    return std::vector<std::string>{std::move(text)};
  }
  std::vector<std::string> texts;
  for (const std::string& text : flags.texts) {
    if (text != "-") {
      texts.push_back(text);
      continue;
    }
    CRATON_TRY_ASSIGN(const std::string all, contents_of(text));
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) texts.push_back(line);
    }
  }
  return texts;
}

Outcome<json::array> vector_of(const Client& client, const std::string& model,
                               const families::NativeForm& form, const std::string& text) {
  const auto reply = client.invoke_model(model, native_body(form, {.text = text})).get();
  if (!reply) return tl::unexpected(reply.error());
  const Result<json::value> value = json::parse(reply->body);
  boost::system::error_code missing;
  const json::value* found = value ? value->find_pointer(form.answer, missing) : nullptr;
  if (found && found->is_array()) return found->get_array();
  return tl::unexpected(
      CallError{.kind = CallError::Kind::protocol,
                .message = "the reply has no vector: " + reply->body.substr(0, 200)});
}

std::vector<std::string> row_of(const std::string& text, const json::array& vector) {
  double squares = 0;
  std::string first;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const double number = vector[i].to_number<double>();
    squares += number * number;
    if (i < 4) first += fmt::format("{}{:.4f}", i > 0 ? ", " : "", number);
  }
  return {std::to_string(vector.size()), fmt::format("{:.4f}", std::sqrt(squares)), first + ", …",
          text};
}

int embed(const ConnectionFlags& where, const PromptFlags& flags) {
  const families::NativeForm* form = families::vector_form_of(flags.model);
  if (!form) {
    return fail("'" + flags.model +
                "' makes no vectors; craton models --can embed lists those that do"),
           exit_usage;
  }
  const auto texts = texts_of(flags);
  if (!texts) return fail(texts.error().message), exit_usage;
  const bool json = where.output == "json";
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  json::array all;
  std::vector<std::vector<std::string>> rows;
  for (const std::string& text : *texts) {
    auto vector = vector_of(connection->client(), flags.model, *form, text);
    if (!vector) return fail(vector.error(), json);
    if (json) {
      all.emplace_back(json::object{{"text", text}, {"embedding", std::move(*vector)}});
    } else {
      rows.push_back(row_of(text, *vector));
    }
  }
  if (json) {
    std::puts(json::to_text(json::value(std::move(all))).c_str());
  } else {
    print_table({"NUMBERS", "LENGTH", "FIRST", "TEXT"}, rows);
  }
  return exit_ok;
}

}  // namespace

void add_embed(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("embed", "Make vectors of texts");
  const auto where = add_connection(*command, {"table", "json"});
  const auto flags = add_prompt(*command, default_embed_model);
  command->callback([=, &exit_code] { exit_code = embed(*where, *flags); });
}

}  // namespace craton::cli
