// A request and its answer, whatever the protocol that carries them.
//
// Threads: call on the connection's I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <exception>
#include <string>

#include "http/surroundings.h"

namespace craton::http {

/// Answers, or pieces of one, in a row before other connections of the thread get their turn.
inline constexpr int turns_in_a_row_max = 16;

/// Has the handler answer `request`. An exception becomes a 500 and a line in the log; an empty
/// answer when `gone`, which says afterwards whether anybody is still there to be answered.
boost::asio::awaitable<Response> answer_of(const Surroundings& surroundings, Request request,
                                           const bool& gone);

/// Notes in the log that a stream failed.
void log_stream_failure(const std::exception_ptr& problem);

/// True for the exception of a cancelled coroutine.
bool is_abort(const std::exception_ptr& problem);

std::string text_of(const std::exception_ptr& problem);

}  // namespace craton::http
