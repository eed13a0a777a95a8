#include "engines/replay/library.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "engines/refusals.h"
#include "engines/replay/request_key.h"
#include "engines/script/late.h"
#include "engines/script/performance.h"

namespace craton::engines::replay {
namespace {

constexpr std::size_t shown_differences = 3;

/// How late what came at `at` is given.
SteadyTime::duration late_by(Milliseconds at, double pace) {
  if (pace <= 0) return {};
  const std::chrono::duration<double, std::milli> late(static_cast<double>(at.count()) / pace);
  return std::chrono::duration_cast<SteadyTime::duration>(late);
}

/// What a native call gave.
Replying::Outcome outcome_of(const Interaction& interaction) {
  if (interaction.reply) return interaction.reply->reply;
  const auto* failure = std::get_if<Failure>(&interaction.events.back().event);
  return tl::unexpected(failure ? *failure : Failure{model_broke(), std::nullopt});
}

json::value canonical(const Request& request, const std::vector<rules::JsonPath>& ignored) {
  return request.native ? canonical_request(request.model_id, *request.native, ignored)
                        : canonical_request(request.model_id, request.conversation, ignored);
}

/// The events of an interaction, at the times at which they came.
class RecordedEvents : public script::TimedEvents {
 public:
  RecordedEvents(const Interaction& interaction, double pace)
      : events_(interaction.events), pace_(pace), begun_(std::chrono::steady_clock::now()) {}

  std::optional<Event> next() override {
    return next_ < events_.size() ? std::optional(events_[next_++].event) : std::nullopt;
  }

  SteadyTime time() override {
    return next_ == 0 ? begun_ : begun_ + late_by(events_[next_ - 1].at, pace_);
  }

  void drop() override { next_ = events_.size(); }

 private:
  const std::vector<TimedEvent>& events_;  // the library's, which outlives it
  const double pace_;
  const SteadyTime begun_;
  std::size_t next_ = 0;
};

/// Of the prompt, as it was told when the answer began or ended.
int prompt_tokens_of(const Interaction& interaction) {
  for (const TimedEvent& timed : interaction.events) {
    if (const auto* usage = std::get_if<Usage>(&timed.event)) return prompt_tokens(*usage);
  }
  return 0;
}

}  // namespace

/// Gives what was recorded of one request.
class Library::Replayer : public Engine {
 public:
  Replayer(std::shared_ptr<Library> library, std::string key, std::string model)
      : library_(std::move(library)), key_(std::move(key)), model_(std::move(model)) {}

  std::string_view kind() const override { return "replay"; }
  std::string_view model() const override { return model_; }
  Status status() const override { return {State::ready, {}}; }
  void notify_loaded(std::function<void()> wake) override { wake(); }
  Capabilities capabilities() const override {
    return {.images = true, .reasoning = true, .native = true};
  }

  Result<std::shared_ptr<Generation>> generate(Conversation, const Limits& limits) override {
    const Interaction& interaction = library_->take(key_);
    if (interaction.reply) return model_broke();  // what is ignored makes them look alike
    return script::Performance::begin(
        std::make_unique<RecordedEvents>(interaction, library_->options_.pace), limits.deadline,
        library_->pacer_);
  }

  Result<std::shared_ptr<Replying>> reply(NativeCall, const Limits& limits) override {
    const Interaction& interaction = library_->take(key_);
    const Milliseconds at =
        interaction.reply ? interaction.reply->at : interaction.events.back().at;
    const SteadyTime due = std::chrono::steady_clock::now() + late_by(at, library_->options_.pace);
    return script::given_late<NativeReply>(outcome_of(interaction), {due, limits.deadline},
                                           library_->pacer_);
  }

  Result<int> count_tokens(const Conversation&) override {
    return prompt_tokens_of(library_->by_key_.at(key_).interactions.front());
  }

 private:
  const std::shared_ptr<Library> library_;
  const std::string key_;
  const std::string model_;
};

Result<std::shared_ptr<Library>> Library::open(LibraryOptions options) {
  std::shared_ptr<Library> library(new Library(std::move(options)));
  CRATON_TRY_ASSIGN(std::vector<Placed> all, read_cassettes(library->options_.folder));
  for (Placed& placed : all) {
    CRATON_TRY_ASSIGN(json::value request, json::parse(placed.interaction.request));
    for (const rules::JsonPath& path : library->options_.ignored) path.erase(request);
    Recorded& recorded = library->by_key_[key_of(request)];
    recorded.request = std::move(request);
    recorded.interactions.push_back(std::move(placed.interaction));
    ++library->interactions_;
  }
  return library;
}

std::shared_ptr<Engine> Library::claim(const Request& request) {
  std::string key = key_of(canonical(request, options_.ignored));
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  std::string model = found->second.interactions.front().engine_model;
  return std::make_shared<Replayer>(shared_from_this(), std::move(key), std::move(model));
}

const Interaction& Library::take(const std::string& key) {
  const std::lock_guard lock(mutex_);
  Recorded& recorded = by_key_.at(key);
  const std::size_t index = std::min(recorded.next++, recorded.interactions.size() - 1);
  return recorded.interactions[index];
}

void Library::reset() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, recorded] : by_key_) recorded.next = 0;
}

std::string Library::why_none(const Request& request) const {
  const std::string name = options_.folder.filename().string();
  if (by_key_.empty()) return "Nothing is recorded in " + name + ".";
  const json::value asked = canonical(request, options_.ignored);
  constexpr std::size_t counted_at_most = 50;
  // A conversation is no help to whoever asks for vectors.
  const auto alike = [&](const Recorded& recorded) {
    return recorded.request.is_object() &&
           recorded.request.get_object().contains("body") == (request.native != nullptr);
  };
  const bool some_alike =
      std::ranges::any_of(by_key_, [&](const auto& row) { return alike(row.second); });
  std::vector<std::string> nearest;
  bool found = false;
  for (const auto& [key, recorded] : by_key_) {
    if (some_alike && !alike(recorded)) continue;
    std::vector<std::string> lines = differences(recorded.request, asked, counted_at_most);
    if (found && lines.size() >= nearest.size()) continue;
    nearest = std::move(lines);
    found = true;
  }
  std::string text =
      "This request is not recorded in " + name + ". The nearest that is differs in ";
  const std::size_t shown = std::min(nearest.size(), shown_differences);
  for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? "; " : "") + nearest[i];
  if (nearest.size() > shown) text += fmt::format("; and {} more", nearest.size() - shown);
  return text + ".";
}

}  // namespace craton::engines::replay
