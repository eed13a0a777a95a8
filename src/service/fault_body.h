// What faults do to a streamed answer's bytes, event by event.
//
//   EventBody ── bytes ──► cut into events ── late, wrong, in slices or not at all ──► the
//   connection
#pragma once

#include <memory>
#include <vector>

#include "conversation/event.h"
#include "http/body_stream.h"
#include "http/message.h"
#include "service/event_body.h"
#include "service/invocation.h"
#include "service/operations.h"

namespace craton::service {

/// How a stream's bytes are cut into events.
enum class Framing { aws_event_stream, server_sent_events };

/// The body of a streamed answer, with the faults that `account` has for it.
std::unique_ptr<http::BodyStream> stream_body(Event first, std::vector<Running> running,
                                              std::unique_ptr<EventWriter> writer,
                                              std::shared_ptr<Account> account, Framing framing);

/// What faults do to an answer whose head is about to go out.
void mark_faults(const Account& account, http::Response& response);

}  // namespace craton::service
