// Waiting in a coroutine for news from another thread.
//
//   auto subscribe = [generation](std::function<void()> wake) {
//   generation->notify(std::move(wake)); }; const bool in_time = co_await
//   http::wait_until(std::move(subscribe), deadline);
//
// Give the lambda a name first: g++ 12 destroys twice a capturing lambda that is made in the
// statement of a co_await.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>

#include "base/clock.h"

namespace craton::http {

/// Takes a function and calls it when there is news, once or oftener, from any thread, at once or
/// later; also after the wait is over, when it does nothing.
using Subscribe = std::function<void(std::function<void()> wake)>;

/// Calls `subscribe` and suspends until `wake` is called; resumes on the coroutine's own executor,
/// which must run on one thread. Returns true then, and false when `deadline` passes first.
/// When the coroutine is cancelled, leaves with boost::system::system_error(operation_aborted).
///
/// Whoever holds `wake` may keep it for as long as it likes, past the coroutine and its executor.
boost::asio::awaitable<bool> wait_until(const Subscribe& subscribe,
                                        std::optional<SteadyTime> deadline);

/// Waits for nothing but the time to pass; cancelled as wait_until() is.
boost::asio::awaitable<void> sleep_for(Milliseconds time);

}  // namespace craton::http
