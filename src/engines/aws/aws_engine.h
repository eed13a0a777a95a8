// The aws engine: Amazon Bedrock itself answers, asked through ConverseStream, whatever form the
// caller spoke; for vectors and pictures, through InvokeModel in the caller's own words. For
// answers that are recorded, struck by faults, or asked for in forms that AWS has not; all others
// are forwarded as they came (client/forwarder.h).
//
// Threads: any function may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "craton/client.h"
#include "engines/engine.h"

namespace craton::engines::aws {

/// An engine for one model of the account that `client` asks for. `model_id`: as the caller named
/// it, an inference profile or ARN as well as a model.
std::shared_ptr<Engine> make_aws_engine(std::shared_ptr<const Client> client, std::string model_id);

}  // namespace craton::engines::aws
