// The page that Craton began with, in C++: the models that there are, then a question.
#include <craton/client.h>

#include <iostream>

int main() {
  auto client = craton::Client::make();  // AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, …
  if (!client) {
    std::cerr << client.error().message << '\n';
    return 1;
  }

  auto models = client->list_foundation_models().get();
  if (!models) {
    std::cerr << models.error().message << '\n';
    return 1;
  }
  for (const craton::ModelSummary& model : *models) {
    std::cout << model.provider << "  " << model.id << '\n';
  }

  craton::Conversation conversation;
  craton::append_turn(conversation, craton::Role::user, "대한민국의 수도는?");
  conversation.sampling.tokens_max = 100;
  const char* haiku = "anthropic.claude-3-haiku-20240307-v1:0";

  // Whole,
  auto answer = client->converse(haiku, conversation).get();
  if (!answer) {
    std::cerr << answer.error().type << ": " << answer.error().message << '\n';
    return 1;
  }
  std::cout << answer->text() << " (" << answer->usage.output_tokens << " tokens)\n";

  // and as it comes.
  auto stream = client->converse_stream(haiku, conversation).get();
  if (!stream) {
    std::cerr << stream.error().message << '\n';
    return 1;
  }
  for (const craton::Event& event : *stream) {
    if (const auto* text = std::get_if<craton::TextDelta>(&event))
      std::cout << text->text << std::flush;
  }
  std::cout << '\n';
  if (stream->error()) std::cerr << stream->error()->message << '\n';
  return stream->error() ? 1 : 0;
}
