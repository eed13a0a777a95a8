// craton invoke: InvokeModel with a provider's own body, given or built around a text.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/prompt.h"
#include "families/native_form.h"

namespace craton::cli {
namespace {

struct InvokeFlags {
  std::string body;       ///< JSON, a file, or "-".
  std::string body_file;  ///< Where the reply goes.
  std::string accept = "application/json";
  bool stream = false;
  bool dry_run = false;
};

Result<std::string> body_of(const PromptFlags& prompt, const InvokeFlags& flags) {
  if (!flags.body.empty()) {
    return flags.body.starts_with('{') ? Result<std::string>(flags.body) : contents_of(flags.body);
  }
  CRATON_TRY_ASSIGN(const std::string text, text_of(prompt));
  families::FormValues values{.text = text};
  if (prompt.max_tokens) values.max_tokens = *prompt.max_tokens;
  for (auto* const form_of : {families::vector_form_of, families::image_form_of}) {
    if (const families::NativeForm* form = form_of(prompt.model)) {
      return native_body(*form, values);
    }
  }
  return native_body(families::text_form_of(prompt.model), values);
}

/// What `pointer` finds in JSON text, where that is a text.
std::string text_at(std::string_view reply, std::string_view pointer) {
  const Result<json::value> value = json::parse(reply);
  if (!value || pointer.empty()) return {};
  boost::system::error_code missing;
  const json::value* found = value->find_pointer(pointer, missing);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

int write_reply(const std::string& bytes, const std::string& file) {
  if (file.empty()) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    if (!bytes.ends_with('\n')) std::fputc('\n', stdout);
    return exit_ok;
  }
  std::FILE* out = std::fopen(file.c_str(), "wb");
  const bool written = out && std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
  if ((out && std::fclose(out) != 0) || !written) return fail("cannot write '" + file + "'");
  return exit_ok;
}

int invoke_streamed(const Client& client, const std::string& model, std::string body,
                    const InvokeOptions& options, bool text_only) {
  auto stream = client.invoke_model_stream(model, std::move(body), options).get();
  if (!stream) return fail(stream.error(), !text_only);
  const std::string_view pointer = families::text_form_of(model).piece;
  for (const StreamMessage& message : *stream) {
    const std::string piece =
        text_only ? text_at(message.payload, pointer) : message.payload + "\n";
    std::fwrite(piece.data(), 1, piece.size(), stdout);
    std::fflush(stdout);
  }
  if (text_only) std::fputc('\n', stdout);
  return stream->error() ? fail(*stream->error(), !text_only) : exit_ok;
}

int invoke(const ConnectionFlags& where, const PromptFlags& prompt, const InvokeFlags& flags) {
  Result<std::string> body = body_of(prompt, flags);
  if (!body) return fail(body.error().message), exit_usage;
  if (flags.dry_run) return write_reply(*body, flags.body_file);
  const bool json = where.output == "json";
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  const Client& client = connection->client();
  InvokeOptions options;
  options.accept = flags.accept;
  if (flags.stream) return invoke_streamed(client, prompt.model, std::move(*body), options, !json);
  const auto reply = client.invoke_model(prompt.model, std::move(*body), options).get();
  if (!reply) return fail(reply.error(), json);
  if (json) return write_reply(reply->body, flags.body_file);
  const std::string text = text_at(reply->body, families::text_form_of(prompt.model).answer);
  return write_reply(text.empty() ? reply->body : text, flags.body_file);
}

}  // namespace

void add_invoke(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("invoke", "Call InvokeModel with the provider's own body");
  const auto where = add_connection(*command, {"json", "text"});
  const auto prompt = add_prompt(*command, default_chat_model);
  auto flags = std::make_shared<InvokeFlags>();
  command
      ->add_option("--body", flags->body,
                   "The body: JSON, a file, or - (default: the least that the model's schema "
                   "needs, around TEXT)")
      ->type_name("JSON|FILE");
  command->add_option("--max-tokens", prompt->max_tokens, "Of the answer, where TEXT is given")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_option("--accept", flags->accept, "Content type of the reply")->type_name("TYPE");
  command->add_option("-o,--out", flags->body_file, "Write the reply there")->type_name("FILE");
  command->add_flag("--stream", flags->stream, "Call InvokeModelWithResponseStream");
  command->add_flag("--dry-run", flags->dry_run, "Print the body and send nothing");
  command->callback([=, &exit_code] { exit_code = invoke(*where, *prompt, *flags); });
}

}  // namespace craton::cli
