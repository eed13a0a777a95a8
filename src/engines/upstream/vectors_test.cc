#include "engines/upstream/vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engines/upstream/prompt_measure.h"
#include "engines/upstream/upstream_engine.h"
#include "engines/upstream/verdict.h"

namespace craton::engines::upstream {
namespace {

const Served vllm{"m", &server_kinds[0]};
const Served other{"m", &unknown_server};

EmbeddingRequest texts(Truncation truncation = Truncation::refused) {
  return {.items = {{.text = "a"}, {.text = "b"}}, .truncation = truncation};
}

TEST(Vectors, AreAskedForByTheirTexts) {
  EXPECT_EQ(*vectors_body(texts(), vllm),
            R"({"model":"m","encoding_format":"float","input":["a","b"]})");
  EXPECT_EQ(*vectors_body(texts(Truncation::start), vllm),
            R"({"model":"m","encoding_format":"float","input":["a","b"],)"
            R"("truncate_prompt_tokens":-1,"truncation_side":"left"})");
  EXPECT_EQ(*vectors_body(texts(Truncation::end), other),
            R"({"model":"m","encoding_format":"float","input":["a","b"]})");
  EmbeddingRequest seen{.items = {{.text = "a", .image = ImageBlock{"png", "x"}}}};
  EXPECT_EQ(vectors_body(seen, vllm).error().code, ErrorCode::validation);
}

TEST(Vectors, AreReadInTheirOrder) {
  const auto made =
      vectors_in(R"({"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":[1,2.5]}],)"
                 R"("usage":{"prompt_tokens":7,"total_tokens":7}})",
                 2);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->vectors[0].values, (std::vector<float>{1, 2.5}));
  EXPECT_EQ(made->vectors[1].values, (std::vector<float>{3, 4}));
  EXPECT_EQ(made->vectors[0].tokens, 7);
  EXPECT_FALSE(made->scores);
}

TEST(Vectors, ThatAreNotAllThereAreAnError) {
  for (const char* text :
       {"<html>", "{}", R"({"data":[]})", R"({"data":[{"index":0,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1]},{"index":9,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]})",
        R"({"data":[{"index":0,"embedding":[0]},{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1e99]},{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":["x"]},{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":[1]}]})"}) {
    const auto made = vectors_in(text, 2);
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().code, ErrorCode::model_error);
  }
}

TEST(Ranks, AreAskedForByQueryAndDocuments) {
  EmbeddingRequest request{.items = {{.text = "q"}, {.text = "a"}, {.text = "b"}},
                           .task = EmbeddingTask::rank};
  EXPECT_EQ(*ranks_body(request, other),
            R"({"model":"m","query":"q","top_n":2,"documents":["a","b"]})");
}

TEST(Ranks, AreLogits) {
  const char* text =
      R"({"results":[{"index":1,"relevance_score":0.5},{"index":0,"relevance_score":1}]})";
  const auto made = ranks_in(text, 2, unknown_server);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->scores);
  EXPECT_EQ(made->vectors[1].values[0], 0);
  EXPECT_TRUE(std::isfinite(made->vectors[0].values[0]));
  EXPECT_EQ(ranks_in(text, 2, server_kind_of("llamacpp"))->vectors[1].values[0], 0.5f);
  EXPECT_FALSE(ranks_in(text, 3, unknown_server));
  EXPECT_FALSE(ranks_in(R"({"results":[{"index":0}]})", 1, unknown_server));
}

TEST(ReplicaUrl, IsWhatRequestsBeginWith) {
  EXPECT_EQ(*replica_url("http://10.0.0.2:8000"), "http://10.0.0.2:8000");
  EXPECT_EQ(*replica_url("https://host/v1/"), "https://host");
  EXPECT_EQ(*replica_url("https://host/openai/v1"), "https://host/openai");
  for (const char* text : {"", "host:80", "ftp://host", "http://", "http:///x", "http://:80",
                           "http://a b", "http://u@host", "http://host?x", "http://host#x"}) {
    EXPECT_FALSE(replica_url(text)) << text;
  }
}

TEST(Served, IsTheFirstModelOrTheWantedOne) {
  const char* models =
      R"({"data":[{"id":"a","owned_by":"vllm"},{"id":"b","owned_by":"somebody"}]})";
  EXPECT_EQ(served_in(models, "")->model, "a");
  EXPECT_EQ(served_in(models, "")->kind->name, "vllm");
  EXPECT_EQ(served_in(models, "b")->kind->name, "openai");
  EXPECT_EQ(served_in(models, "c")->model, "c");
  for (const char* text : {"", "<html>", "{}", R"({"data":[]})", R"({"data":[{"name":"x"}]})"}) {
    EXPECT_FALSE(served_in(text, "")) << text;
  }
}

struct Case {
  TransferOutcome transfer;
  Outcome outcome;
  bool elsewhere;
  ErrorCode code;
};

TEST(Verdict, AsksAnotherOnlyWhereTheFirstHasNotBegun) {
  using http::TransferFault;
  const Case cases[] = {
      {{TransferFault::unreachable}, Outcome::unreachable, true, ErrorCode::service_unavailable},
      {{TransferFault::unreachable, 0, true},
       Outcome::unreachable,
       false,
       ErrorCode::model_timeout},
      {{TransferFault::broken}, Outcome::broken, false, ErrorCode::model_error},
      {{TransferFault::broken, 200}, Outcome::broken, false, ErrorCode::model_error},
      {{TransferFault::timed_out}, Outcome::broken, false, ErrorCode::model_timeout},
      {{TransferFault::timed_out, 200, true}, Outcome::given_up, false, ErrorCode::model_timeout},
      {{TransferFault::timed_out, 0, true}, Outcome::broken, false, ErrorCode::model_timeout},
      {{TransferFault::none, 429}, Outcome::overloaded, true, ErrorCode::throttling},
      {{TransferFault::broken, 503}, Outcome::overloaded, true, ErrorCode::service_unavailable},
      {{TransferFault::none, 500}, Outcome::failed, false, ErrorCode::model_error},
      {{TransferFault::none, 400}, Outcome::answered, false, ErrorCode::validation},
      {{TransferFault::none, 302}, Outcome::broken, false, ErrorCode::model_error},
  };
  for (const Case& row : cases) {
    const Verdict verdict = verdict_of(row.transfer);
    EXPECT_EQ(verdict.outcome, row.outcome) << row.transfer.status;
    EXPECT_EQ(verdict.elsewhere, row.elsewhere) << row.transfer.status;
    ASSERT_TRUE(verdict.refusal);
    EXPECT_EQ(verdict.refusal->failure.error.code, row.code) << row.transfer.status;
  }
  EXPECT_FALSE(verdict_of({TransferFault::none, 200}).refusal);
}

TEST(PromptMeasure, KeysAreThoseOfTheBeginning) {
  Conversation first;
  append_turn(first, Role::user, "hello");
  Conversation later = first;
  append_turn(later, Role::assistant, "hi");
  append_turn(later, Role::user, "and now?");
  EXPECT_EQ(prefix_key(first), prefix_key(later));
  Conversation other_system = first;
  other_system.system = {{"Be brief."}};
  EXPECT_NE(prefix_key(first), prefix_key(other_system));
  EXPECT_GT(work_of(later), work_of(first));
  EXPECT_EQ(estimated_tokens(first), 6);
}

}  // namespace
}  // namespace craton::engines::upstream
