#include "service/event_body.h"

#include <utility>

#include "service/quotas.h"

namespace craton::service {

EventBody::EventBody(Event first, std::vector<Running> running, std::unique_ptr<EventWriter> writer,
                     std::shared_ptr<Account> account)
    : first_(std::move(first)),
      running_(std::move(running)),
      writer_(std::move(writer)),
      account_(std::move(account)) {}

void EventBody::take(const Event& event) {
  writer_->write(event, static_cast<int>(current_), bytes_);
  if (const auto* usage = std::get_if<Usage>(&event)) {
    note_usage(*account_, *usage);
    ++current_;
  } else if (const auto* failure = std::get_if<Failure>(&event)) {
    account_->error = shape_of(failure->error.code).name;
    current_ = running_.size();
  }
}

boost::asio::awaitable<std::optional<std::string>> EventBody::next() {
  if (first_) take(*std::exchange(first_, std::nullopt));
  while (current_ < running_.size()) {
    if (std::optional<Event> event = running_[current_].try_next()) {
      take(*event);
    } else if (!bytes_.empty()) {
      break;
    } else {
      const Event event_to_come = co_await running_[current_].next();
      take(event_to_come);
    }
  }
  account_->complete = current_ >= running_.size();
  if (bytes_.empty()) co_return std::nullopt;
  co_return std::exchange(bytes_, {});
}

}  // namespace craton::service
