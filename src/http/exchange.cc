#include "http/exchange.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/log.h"

namespace craton::http {

boost::asio::awaitable<Response> answer_of(const Surroundings& surroundings, Request request,
                                           const bool& gone) {
  std::exception_ptr problem;
  try {
    boost::asio::awaitable<Response> pending = surroundings.handler(std::move(request));
    Response response = co_await std::move(pending);
    co_return std::move(response);
  } catch (...) {
    problem = std::current_exception();
  }
  if (gone) co_return Response();
  log::error("handler_failed", {{"problem", text_of(problem)}});
  co_return surroundings.refuse(500, "The server failed to answer. Its log says why.");
}

void log_stream_failure(const std::exception_ptr& problem) {
  log::error("stream_failed", {{"problem", text_of(problem)}});
}

bool is_abort(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const boost::system::system_error& error) {
    return error.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string text_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace craton::http
