// Forwarding: requests that AWS itself answers, sent on and their answers handed back, byte for
// byte where the protocols allow.
//
//   request ─► signed anew (client/forwarder.h) ─► AWS ─► status, header, body, or a stream's bytes
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "api/operation.h"
#include "base/result.h"
#include "client/forwarder.h"
#include "http/message.h"

namespace craton::service {

/// The answer of the service that `forwarder` leads to. Fails with `service_unavailable` when there
/// is none, and `model_timeout` when it did not come in time. Cancelled with its coroutine, or with
/// the body of what it gives.
boost::asio::awaitable<Result<http::Response>> forward(std::shared_ptr<client::Forwarder> forwarder,
                                                       api::Service service,
                                                       const http::Request& request);

}  // namespace craton::service
