// InvokeModel of models that make images: from the native body to the native reply.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "base/result.h"
#include "catalog/catalog.h"
#include "families/image_family.h"
#include "http/message.h"
#include "service/operations.h"

namespace craton::service {

/// The answer of `model`, which speaks the schema of `family`.
boost::asio::awaitable<Result<http::Response>> invoke_drawing(const Call& call,
                                                              const catalog::Model& model,
                                                              const families::ImageFamily& family);

}  // namespace craton::service
