// Documents of a conversation: their texts in their place, since engines read text alone.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "conversation/conversation.h"
#include "service/worker_pool.h"

namespace craton::service {

/// `conversation` with a text block for each document. The reading is done by `workers`; whoever
/// waits for it may leave. Fails with `validation` when a document cannot be read, and with
/// `throttling` when too many wait to be.
boost::asio::awaitable<Result<Conversation>> with_documents_read(WorkerPool& workers,
                                                                 Conversation conversation);

}  // namespace craton::service
