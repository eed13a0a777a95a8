// For tests: a coroutine's result, with a thread and an io_context of its own until it is there.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

namespace craton::http {

template <class T>
T run_to_end(boost::asio::awaitable<T> coroutine) {
  std::optional<T> result;
  std::exception_ptr failure;
  boost::asio::io_context io;
  boost::asio::co_spawn(io, std::move(coroutine), [&](std::exception_ptr error, T made) {
    failure = error;
    if (!error) result = std::move(made);
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return *std::move(result);
}

}  // namespace craton::http
