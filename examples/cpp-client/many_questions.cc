// Questions asked at once, each in a coroutine of Boost.Asio, on one thread.
#include <craton/asio.h>
#include <craton/client.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <iostream>
#include <string>

namespace {

boost::asio::awaitable<void> ask(const craton::Client& client, std::string text) {
  craton::Conversation conversation;
  craton::append_turn(conversation, craton::Role::user, text);
  conversation.sampling.tokens_max = 20;
  craton::Outcome<craton::Answer> answer =
      co_await craton::wait(client.converse("amazon.nova-lite-v1:0", conversation));
  std::cout << text << "  " << (answer ? answer->text() : answer.error().message) << '\n';
}

}  // namespace

int main() {
  boost::asio::io_context context;  // outlives the client, which posts to it
  const craton::Client client =
      craton::unwrap(craton::Client::make());  // throws where it cannot be
  for (int number = 1; number <= 8; ++number) {
    boost::asio::co_spawn(context, ask(client, "What is " + std::to_string(number) + " + 1?"),
                          boost::asio::detached);
  }
  context.run();
}
