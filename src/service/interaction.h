// Interaction: a request and its answer, as they came and went. Plain values, for those who look at
// them afterwards: the invocation log, the journal.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/message.h"
#include "service/operations.h"

namespace craton::service {

/// The `error` of one whose caller left before the answer was whole.
inline constexpr std::string_view caller_left = "caller_left";

struct Interaction {
  std::string request_id;
  WallTime began;
  SteadyTime started;  ///< The same moment.
  std::chrono::nanoseconds took{};
  std::shared_ptr<Account> account;

  http::Request request;
  int status = 0;                           ///< 0: the caller left before there was one.
  std::string error;                        ///< Its type; empty when all went well.
  std::string content_type;                 ///< Of the answer.
  std::shared_ptr<const std::string> body;  ///< Of a whole answer.

  /// Of a streamed one: bytes as they were handed to the connection, and when.
  struct Piece {
    std::chrono::nanoseconds after;
    std::string bytes;
  };
  bool streamed = false;
  std::vector<Piece> pieces;
  std::size_t bytes = 0;  ///< Of the answer, those that were not kept among them.
};

}  // namespace craton::service
