#include "engines/llama/drafter.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "engines/llama/likelihood.h"
#include "engines/llama/prefix_tree.h"

namespace craton::engines::llama {
namespace {

// A token that the small model itself finds less likely is not worth the large one's time.
constexpr double likely = 0.5;

constexpr double weight = 0.1;  // of the latest draft, in what a token takes

double seconds_since(SteadyTime began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

void ModelDrafter::forget(std::size_t length) {
  if (length >= held_.size()) return;
  // A recurrent model forgets everything.
  held_.resize(model_.forget(0, static_cast<int>(length)) ? length : 0);
}

/// Computes `tokens` behind what is held; the last one's logits are there then.
bool ModelDrafter::compute(std::span<const Token> tokens) {
  batch_.clear();
  for (const Token token : tokens) {
    batch_.push_back({.token = token,
                      .position = static_cast<int>(held_.size() + batch_.size()),
                      .sequence = 0,
                      .wants_logits = false});
  }
  batch_.back().wants_logits = true;
  if (model_.decode(batch_) != DecodeStatus::done) {
    model_.forget(0, 0);
    held_.clear();
    return false;
  }
  held_.insert(held_.end(), tokens.begin(), tokens.end());
  return true;
}

/// At most one batch of what is missing. True when the last token was computed just now.
bool ModelDrafter::read(std::span<const Token> text) {
  const auto common = static_cast<std::size_t>(common_length(held_, text));
  forget(std::min(common, text.size() - 1));
  const std::span<const Token> missing = text.subspan(held_.size());
  const bool whole = missing.size() <= static_cast<std::size_t>(bounds_.batch_tokens);
  return compute(whole ? missing : missing.first(static_cast<std::size_t>(bounds_.batch_tokens))) &&
         whole;
}

std::vector<Token> ModelDrafter::draft(std::span<const Token> text, int most) {
  std::vector<Token> drafted;
  const int room = bounds_.cells - static_cast<int>(text.size());
  const auto knows = [&](Token token) { return token >= 0 && token < bounds_.vocabulary; };
  if (text.empty() || room < 1 || !std::ranges::all_of(text, knows)) return drafted;
  most = std::min(most, room);
  const SteadyTime began = std::chrono::steady_clock::now();
  bool computed = read(text);
  const SteadyTime read_at = std::chrono::steady_clock::now();
  while (computed) {
    const std::span<const float> logits = model_.logits(batch_.size() - 1);
    const auto best = std::ranges::max_element(logits);
    if (best == logits.end() || !std::isfinite(*best)) break;
    const auto token = static_cast<Token>(best - logits.begin());
    if (!knows(token) || model_.ends_answer(token)) break;
    if (std::exp(log_probability(logits, token)) < likely) break;
    drafted.push_back(token);
    if (static_cast<int>(drafted.size()) >= most) break;
    computed = compute({&token, 1});
  }
  spent_ += seconds_since(began);
  if (!drafted.empty()) {
    // The first token comes with what was read, which takes a step as well.
    const double first = std::chrono::duration<double>(read_at - began).count();
    const double each = drafted.size() == 1
                            ? first
                            : seconds_since(read_at) / static_cast<double>(drafted.size() - 1);
    per_token_ += (each - per_token_) * (per_token_ == 0 ? 1 : weight);
  }
  return drafted;
}

double ModelDrafter::take_seconds() { return std::exchange(spent_, 0); }

}  // namespace craton::engines::llama
