// For tests: pages of a server's metrics.
#pragma once

#include <stdexcept>
#include <string>

#include "monitor/reading.h"

namespace craton::monitor {

struct PageNumbers {
  int requests = 0;
  int refused = 0;  ///< Beside those.
  int tokens = 0;   ///< Generated.
  int prompts = 0;  ///< Tokens of prompts.
  int hits = 0;     ///< Of those.
  int fast = 0;     ///< Gaps of at most 10 ms,
  int slow = 0;     ///< between 10 and 100 ms,
  int stuck = 0;    ///< and of more.
  double started = 1'000;
};

inline std::string page_of(const PageNumbers& numbers) {
  const auto text = [](double number) { return std::to_string(number); };
  const std::string model = R"({engine="llama",model="tiny"} )";
  const auto bucket = [&](const char* bound, int count) {
    return R"(craton_inter_token_seconds_bucket{gen_ai_response_model="tiny",le=")" +
           std::string(bound) + "\"} " + text(count) + "\n";
  };
  return "craton_build_info{version=\"1.2.3\"} 1\nprocess_start_time_seconds " +
         text(numbers.started) +
         "\nprocess_resident_memory_bytes 812000000\nprocess_cpu_seconds_total 12\n"
         "craton_http_connections 8\n"
         "craton_http_requests_total{operation=\"Converse\",status=\"200\"} " +
         text(numbers.requests) +
         "\ncraton_http_requests_total{operation=\"metrics\",status=\"200\"} " +
         text(numbers.requests * 7) +
         "\ncraton_http_requests_total{operation=\"Converse\",status=\"429\"} " +
         text(numbers.refused) +
         "\ncraton_http_requests_total{operation=\"Converse\",status=\"499\"} 5\n"
         "craton_http_request_seconds_bucket{operation=\"Converse\",le=\"4.0\"} " +
         text(numbers.requests) +
         "\n"
         "craton_http_request_seconds_bucket{operation=\"Converse\",le=\"+Inf\"} " +
         text(numbers.requests + numbers.refused) + "\ncraton_engine_ready" + model +
         "1\ncraton_engine_queue_length" + model + "2\ncraton_engine_running" + model +
         "3\ncraton_engine_kv_cells" + model + "8192\ncraton_engine_kv_cells_used" + model +
         "2048\ncraton_engine_kv_cells_kept" + model +
         "4096\ncraton_engine_generated_tokens_total" + model + text(numbers.tokens) +
         "\ncraton_engine_prompt_tokens_total" + model + text(numbers.prompts) +
         "\ncraton_engine_prefix_hit_tokens_total" + model + text(numbers.hits) + "\n" +
         bucket("0.01", numbers.fast) + bucket("0.1", numbers.fast + numbers.slow) +
         bucket("+Inf", numbers.fast + numbers.slow + numbers.stuck);
}

inline Reading reading_of(const PageNumbers& numbers, double time) {
  auto page = metrics::read_page(page_of(numbers));
  if (!page) throw std::runtime_error(page.error().message);
  auto reading = read(*page, time);
  if (!reading) throw std::runtime_error(reading.error().message);
  return *std::move(reading);
}

}  // namespace craton::monitor
