#include "http/awaitable.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <mutex>
#include <utility>

namespace craton::http {
namespace {

namespace asio = boost::asio;

// Where the waker and the waiting coroutine meet. The coroutine sleeps on a timer in its own frame;
// the waker may touch that timer, and with it the executor, only while `timer` is set, and then
// only to post. So neither outlives the other harmfully, whichever goes first.
class Meeting {
 public:
  void wake(const std::shared_ptr<Meeting>& self) {
    const std::lock_guard lock(mutex_);
    if (std::exchange(woken_, true) || !timer_) return;
    asio::post(timer_->get_executor(), [self] { self->end_sleep(); });
  }

  /// False when it was woken before.
  bool sleep_on(asio::steady_timer& timer) {
    const std::lock_guard lock(mutex_);
    if (!woken_) timer_ = &timer;
    return !woken_;
  }

  /// Whether it was woken.
  bool leave() {
    const std::lock_guard lock(mutex_);
    timer_ = nullptr;
    return woken_;
  }

 private:
  // On the executor, where alone the timer is used and destroyed: no lock is needed to keep it.
  void end_sleep() {
    asio::steady_timer* timer = nullptr;
    {
      const std::lock_guard lock(mutex_);
      timer = timer_;
    }
    if (timer) timer->cancel();
  }

  std::mutex mutex_;
  bool woken_ = false;
  asio::steady_timer* timer_ = nullptr;
};

struct Leaving {
  Meeting& meeting;
  ~Leaving() { meeting.leave(); }
};

asio::awaitable<bool> sleep(std::shared_ptr<Meeting> meeting, std::optional<SteadyTime> deadline) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, deadline.value_or(SteadyTime::max()));
  const Leaving leaving{*meeting};  // also when the frame is destroyed in its sleep
  if (!meeting->sleep_on(timer)) co_return true;
  boost::system::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (meeting->leave()) co_return true;
  if (error) throw boost::system::system_error(error);  // cancelled
  co_return false;
}

}  // namespace

asio::awaitable<bool> wait_until(const Subscribe& subscribe, std::optional<SteadyTime> deadline) {
  auto meeting = std::make_shared<Meeting>();
  subscribe([meeting] { meeting->wake(meeting); });
  return sleep(std::move(meeting), deadline);
}

boost::asio::awaitable<void> sleep_for(Milliseconds time) {
  const Subscribe nobody = [](const std::function<void()>&) {};
  const SteadyTime end = std::chrono::steady_clock::now() + time;
  co_await wait_until(nobody, end);
}

}  // namespace craton::http
