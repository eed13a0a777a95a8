// Waiting for a client's calls in a coroutine of Boost.Asio.
//
//   auto answer = co_await craton::wait(client.converse(model, conversation));
//
// The coroutine resumes on its own executor. Cancelling it gives the call up, which then ends with
// CallError::Kind::cancelled. The execution context outlives the client, whose thread posts to it:
// make it first. Needs Boost 1.81 or newer.
//
// Compiled by g++ 12, give what a call is made of a name before: that compiler destroys a temporary
// aggregate (a Conversation that a function returns, options in braces) twice in a statement that
// awaits.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "craton/call.h"

namespace craton {
namespace detail {

template <class T, class Handler>
struct Waiting {
  explicit Waiting(Handler waiting)
      : handler(std::move(waiting)),
        work(boost::asio::make_work_guard(boost::asio::get_associated_executor(handler))) {}

  Handler handler;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work;
};

}  // namespace detail

/// Sends the call, and gives its outcome to `token` (use_awaitable, use_future, a function).
template <class T, class Token>
auto async_wait(Call<T> call, Token&& token) {
  return boost::asio::async_initiate<Token, void(std::optional<Outcome<T>>)>(
      [](auto handler, Call<T> started) {
        using Waiting = detail::Waiting<T, decltype(handler)>;
        auto slot = boost::asio::get_associated_cancellation_slot(handler);
        auto waiting = std::make_shared<Waiting>(std::move(handler));
        Cancel cancel = std::move(started).then([waiting](Outcome<T> outcome) {
          auto executor = waiting->work.get_executor();
          boost::asio::post(executor, [waiting, told = std::move(outcome)]() mutable {
            waiting->work.reset();
            std::move(waiting->handler)(std::optional<Outcome<T>>(std::move(told)));
          });
        });
        if (slot.is_connected()) {
          slot.assign([cancel = std::move(cancel)](boost::asio::cancellation_type) { cancel(); });
        }
      },
      token, std::move(call));
}

template <class T>
boost::asio::awaitable<Outcome<T>> wait(Call<T> call) {
  std::optional<Outcome<T>> outcome =
      co_await async_wait(std::move(call), boost::asio::use_awaitable);
  co_return std::move(*outcome);
}

}  // namespace craton
