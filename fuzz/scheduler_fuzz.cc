// Requests, readers that come and go, and a model that fails: every answer that is read to its end
// is the one read off the model's table, and nothing is left behind.
//
// Input: bytes that set the scene, then one byte a deed.
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>

#include "base/log.h"
#include "engines/llama/scheduler.h"
#include "engines/llama/table_decoder.h"

using namespace craton;
using namespace craton::engines;
using namespace craton::engines::llama;

namespace {

struct Caller {
  Asked asked;
  std::shared_ptr<Generation> generation = std::make_shared<Generation>();
  AnswerBuilder builder = {};

  void read() {
    while (auto event = generation->try_next()) builder.add(std::move(*event));
  }
};

Request request_of(const Caller& caller) {
  return {.prompt = caller.asked.prompt,
          .context_tokens = caller.asked.context_tokens,
          .tokens_max = caller.asked.tokens_max,
          .deadline = std::nullopt,
          .sampler = Sampler({.temperature = 0, .top_p = 1, .top_k = 0, .seed = 0}),
          .assembler = AnswerAssembler(),
          .generation = caller.generation,
          .place = nullptr};
}

/// Half of them hold images, and many the same beginning.
Prompt fuzzed_prompt(std::uint8_t byte, int seed) {
  Prompt prompt(prompt_of(seed % 3 * 10, 1));
  prompt.add(prompt_of(1 + byte / 8, seed));
  for (int image = 0; image < seed % 4 - 1; ++image) {
    prompt.add(table_image(1 + byte % 9, 1 + byte % 5, seed + image));
    prompt.add(prompt_of(1 - image, seed));  // two images may follow on each other
  }
  if (!prompt.ends_with_token()) prompt.add(prompt_of(1, seed));
  return prompt;
}

void check(Caller& caller, std::size_t period) {
  if (caller.generation->cancelled()) return;
  caller.read();
  if (!caller.builder.complete()) std::abort();
  const auto answer = caller.builder.take();
  if (answer && answer->text() != read_off(caller.asked, period)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 300) return 0;
  log::set_level(log::Level::off);
  TableDecoder decoder;
  decoder.cells = 80 + data[0];
  decoder.batch_works = 1 + data[1] % 80;
  decoder.recurrent = data[2] & 1;
  decoder.period = data[0] % 8;
  Scheduler scheduler(decoder, {.cells = 80 + data[3],
                                .parallel = 1 + data[2] % 5,
                                .sequences = 1 + data[2] % 5 + data[3] % 4,
                                .batch_tokens = 1 + data[1] / 4,
                                .prompt_tokens_beside_answers = 1 + data[2] % 16,
                                .outputs_max = 5 + data[3] % 8,
                                .guessed_max = data[2] % 9});
  std::deque<Caller> callers;
  for (std::size_t i = 4; i < size; ++i) {
    Caller* someone = callers.empty() ? nullptr : &callers[data[i] / 4 % callers.size()];
    switch (data[i] % 4) {
      case 0:
        callers.push_back({.asked = {.prompt = fuzzed_prompt(data[i], static_cast<int>(i)),
                                     .tokens_max = data[i] / 4,
                                     .context_tokens = 80}});
        scheduler.add(request_of(callers.back()));
        break;
      case 1: scheduler.step({}); break;
      case 2:
        if (someone) someone->read();
        break;
      case 3:
        if (someone && data[i] > 200) someone->generation->cancel();
        break;
    }
  }
  for (int steps = 0; scheduler.step({}); ++steps) {
    if (steps > 100'000) std::abort();
    for (Caller& caller : callers) caller.read();
  }
  for (Caller& caller : callers) check(caller, decoder.period);
  if (decoder.gap || decoder.unasked || scheduler.pinned_cells() > 0) std::abort();
  if (decoder.cells_held() != scheduler.cells()) std::abort();
  return 0;
}
