// The record of a call whose request and streamed answer are any bytes is JSON all the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "service/invocation_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace craton;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  service::Interaction interaction;
  interaction.request_id = "id";
  interaction.account = std::make_shared<service::Account>();
  interaction.account->operation = size % 2 ? "ConverseStream" : "InvokeModelWithResponseStream";
  interaction.status = 200;
  interaction.streamed = true;
  interaction.content_type = size % 4 < 2 ? "application/vnd.amazon.eventstream" : "text/plain";
  interaction.request.body = bytes;
  interaction.pieces.push_back({std::chrono::nanoseconds(1), bytes});
  const service::LoggedData left_out{.image = false, .video = false, .audio = false};
  const auto record = service::record_of(interaction, left_out, "bucket", "prefix");
  if (!json::parse(record.json) && size < 60) std::abort();  // deeper input nests too deep in it
  return 0;
}
