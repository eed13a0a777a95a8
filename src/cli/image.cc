// craton image: pictures from a text, into files.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/base64.h"
#include "base/ids.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/prompt.h"
#include "families/native_form.h"

namespace craton::cli {
namespace {

constexpr std::string_view default_image_model = "amazon.nova-canvas-v1:0";

struct ImageFlags {
  std::string out;
  std::string size = "1024x1024";
  std::optional<std::uint32_t> seed;
  int count = 1;
};

/// Of a reply's pictures, those of SDXL in objects, the others as they are.
Outcome<std::vector<std::string>> pictures_of(const Reply& reply,
                                              const families::NativeForm& form) {
  const Result<json::value> value = json::parse(reply.body);
  boost::system::error_code missing;
  const json::value* found = value ? value->find_pointer(form.answer, missing) : nullptr;
  std::vector<std::string> pictures;
  if (found && found->is_array()) {
    for (const json::value& one : found->get_array()) {
      const json::value* text = one.is_object() ? one.get_object().if_contains("base64") : &one;
      const auto bytes =
          text && text->is_string() ? base64_bytes(text->get_string()) : std::nullopt;
      if (bytes) pictures.push_back(*bytes);
    }
  }
  if (!pictures.empty()) return pictures;
  return tl::unexpected(
      CallError{.kind = CallError::Kind::protocol,
                .message = "the reply has no picture: " + reply.body.substr(0, 200)});
}

/// "cat.png", and "cat-2.png" for the second.
std::string file_of(const std::string& out, std::size_t number) {
  if (number == 0) return out;
  const std::filesystem::path path(out);
  return (path.parent_path() /
          (path.stem().string() + "-" + std::to_string(number + 1) + path.extension().string()))
      .string();
}

Result<void> write_file(const std::string& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (stream) return {};
  return Error{ErrorCode::validation, "cannot write '" + file + "'"};
}

bool read_size(const std::string& text, families::FormValues& values) {
  int end = 0;
  return std::sscanf(text.c_str(), "%dx%d%n", &values.width, &values.height, &end) == 2 &&
         static_cast<std::size_t>(end) == text.size();
}

int image(const ConnectionFlags& where, const PromptFlags& prompt, const ImageFlags& flags) {
  const families::NativeForm* form = families::image_form_of(prompt.model);
  if (!form) {
    return fail("'" + prompt.model +
                "' makes no images; craton models --can image lists those that do"),
           exit_usage;
  }
  const Result<std::string> text = text_of(prompt);
  if (!text) return fail(text.error().message), exit_usage;
  families::FormValues values{.text = *text, .count = flags.count};
  if (!read_size(flags.size, values)) {
    return fail("'" + flags.size + "' is no size such as 1024x1024"), exit_usage;
  }
  // Those who want the same picture again are told the seed; providers take 31 bits at most.
  values.seed = flags.seed.value_or(static_cast<std::uint32_t>(random_number() % 858'993'460));

  const bool json = where.output == "json";
  const Outcome<Connection> connection = Connection::open(where);
  if (!connection) return fail(connection.error(), json);
  const auto reply =
      connection->client().invoke_model(prompt.model, native_body(*form, values)).get();
  if (!reply) return fail(reply.error(), json);
  const auto pictures = pictures_of(*reply, *form);
  if (!pictures) return fail(pictures.error(), json);
  json::array files;
  for (std::size_t i = 0; i < pictures->size(); ++i) {
    const std::string file = file_of(flags.out, i);
    const Result<void> written = write_file(file, (*pictures)[i]);
    if (!written) return fail(written.error().message);
    files.emplace_back(file);
    if (!json)
      std::printf("%s (%zu bytes, seed %u)\n", file.c_str(), (*pictures)[i].size(), values.seed);
  }
  if (json) {
    std::puts(
        json::to_text(json::object{{"files", std::move(files)}, {"seed", values.seed}}).c_str());
  }
  return exit_ok;
}

}  // namespace

void add_image(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("image", "Make an image from a text");
  const auto where = add_connection(*command, {"text", "json"});
  const auto prompt = add_prompt(*command, default_image_model);
  auto flags = std::make_shared<ImageFlags>();
  command->add_option("-o,--out", flags->out, "The file to write")->required()->type_name("FILE");
  command->add_option("--size", flags->size, "Pixels (default 1024x1024)")->type_name("WxH");
  command->add_option("--seed", flags->seed, "The same seed gives the same image")->type_name("N");
  command->add_option("-n,--count", flags->count, "How many; the second is FILE-2")
      ->check(CLI::Range(1, 5))
      ->type_name("N");
  command->callback([=, &exit_code] { exit_code = image(*where, *prompt, *flags); });
}

}  // namespace craton::cli
