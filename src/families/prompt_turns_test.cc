#include "families/prompt_turns.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

namespace craton::families {
namespace {

/// "system | user: … | assistant: …", with "unmarked" in front where no marker was found.
std::string told(const PromptTurns& read) {
  std::string text = read.marked ? "" : "unmarked";
  for (const TextBlock& block : read.system) text += (text.empty() ? "" : " | ") + block.text;
  for (const Turn& turn : read.turns) {
    if (!text.empty()) text += " | ";
    text += (turn.role == Role::user ? "user: " : "assistant: ") + text_of(turn);
  }
  return text;
}

struct Case {
  const char* name;
  std::string_view prompt;
  std::string_view told;
};

PromptTurns claude(std::string_view prompt) {
  return read_line_marked(prompt, {"Human:", "Assistant:"});
}

void expect_all(PromptTurns (*read)(std::string_view), std::span<const Case> cases) {
  for (const Case& row : cases) EXPECT_EQ(told(read(row.prompt)), row.told) << row.name;
}

TEST(PromptTurns, AreFoundBehindLineMarkers) {
  const Case cases[] = {
      {"one", "\n\nHuman: Hi\n\nAssistant:", "user: Hi"},
      {"system", "Be brief.\n\nHuman: Hi\n\nAssistant:", "Be brief. | user: Hi"},
      {"several", "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:",
       "user: a | assistant: b | user: c"},
      {"prefill", "\n\nHuman: a\n\nAssistant: The", "user: a | assistant: The"},
      {"one_newline", "\nHuman: a\nAssistant:", "user: a"},
      {"inline", "Human: a Assistant:", "user: a"},
      {"marker_within_a_line",
       "\n\nHuman: who is Human: really?\n\nAssistant:", "user: who is Human: really?"},
      {"same_role_twice", "\n\nHuman: a\n\nHuman: b\n\nAssistant:", "user: a\n\nb"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
      {"assistant_first", "\n\nAssistant: a", "unmarked | user: \n\nAssistant: a"},
      {"empty", "", "unmarked | user: "},
      {"korean", "\n\nHuman: 바다\n\nAssistant: 동해\n\nHuman: 또?\n\nAssistant:",
       "user: 바다 | assistant: 동해 | user: 또?"},
  };
  expect_all(claude, cases);
}

TEST(PromptTurns, AreFoundBetweenInstMarkers) {
  const Case cases[] = {
      {"one", "<s>[INST] Hi [/INST]", "user: Hi"},
      {"bare", "[INST]Hi[/INST]", "user: Hi"},
      {"system", "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST]", "Be brief. | user: Hi"},
      {"system_before", "<<SYS>>\nBe brief.\n<</SYS>>\n\n[INST] Hi [/INST]",
       "Be brief. | user: Hi"},
      {"several", "<s>[INST] a [/INST] b </s><s>[INST] c [/INST]",
       "user: a | assistant: b | user: c"},
      {"prefill", "[INST] a [/INST] The", "user: a | assistant: The"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
  };
  expect_all(read_inst_marked, cases);
}

TEST(PromptTurns, AreFoundBehindHeaders) {
  const Case cases[] = {
      {"llama_3",
       "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
       "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
       "<|start_header_id|>assistant<|end_header_id|>\n\n",
       "Be brief. | user: Hi"},
      {"llama_4",
       "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|>"
       "<|header_start|>assistant<|header_end|>\n\n",
       "user: Hi"},
      {"several",
       "<|start_header_id|>user<|end_header_id|>\n\na<|eot_id|><|start_header_id|>assistant"
       "<|end_header_id|>\n\nb<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nc<|eot_id|>",
       "user: a | assistant: b | user: c"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
  };
  expect_all(read_header_marked, cases);
}

TEST(PromptTurns, AreFoundBetweenDeepSeeksTokens) {
  const Case cases[] = {
      {"whole",
       "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>Be brief.<\uFF5CUser\uFF5C>a"
       "<\uFF5CAssistant\uFF5C><think>\nHm.\n</think>\n\nb<\uFF5Cend\u2581of\u2581sentence\uFF5C>"
       "<\uFF5CUser\uFF5C>c<\uFF5CAssistant\uFF5C><think>\n",
       "Be brief. | user: a | assistant: b | user: c"},
      {"ascii", "<|User|>a<|Assistant|>", "user: a"},
      {"prefill", "<|User|>a<|Assistant|><think>\n\n</think>\n\nThe", "user: a | assistant: The"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
  };
  expect_all(read_deepseek_marked, cases);
}

TEST(PromptTurns, AreFoundBetweenCommandRsTokens) {
  const Case cases[] = {
      {"whole",
       "<BOS_TOKEN><|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>Be brief.<|END_OF_TURN_TOKEN|>"
       "<|START_OF_TURN_TOKEN|><|USER_TOKEN|>a<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|>"
       "<|CHATBOT_TOKEN|>b<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>c"
       "<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
       "Be brief. | user: a | assistant: b | user: c"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
  };
  expect_all(read_command_r_marked, cases);
}

TEST(PromptTurns, AreFoundInChatML) {
  const Case cases[] = {
      {"whole",
       "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\na<|im_end|>\n"
       "<|im_start|>assistant\n<think>\nHm.\n</think>\n\nb<|im_end|>\n<|im_start|>user\nc"
       "<|im_end|>\n<|im_start|>assistant\n",
       "Be brief. | user: a | assistant: b | user: c"},
      {"tool", "<|im_start|>user\na<|im_end|>\n<|im_start|>tool\n12 C<|im_end|>",
       "user: a\n\n12 C"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
  };
  expect_all(read_chatml_marked, cases);
}

TEST(PromptTurns, AreFoundInHarmony) {
  const Case cases[] = {
      {"whole",
       "<|start|>system<|message|>You are a model.<|end|><|start|>developer<|message|>Be brief."
       "<|end|><|start|>user<|message|>a<|end|><|start|>assistant<|channel|>analysis<|message|>Hm."
       "<|end|><|start|>assistant<|channel|>final<|message|>b<|return|><|start|>user<|message|>c"
       "<|end|><|start|>assistant",
       "You are a model. | Be brief. | user: a | assistant: b | user: c"},
      {"no_marker", "Name a sea.", "unmarked | user: Name a sea."},
  };
  expect_all(read_harmony_marked, cases);
}

TEST(PromptTurns, OfATemplateTakeTimeInProportionToThePrompt) {
  std::string prompt;
  while (prompt.size() < 500'000) prompt += "<|User|>a";
  EXPECT_EQ(read_deepseek_marked(prompt).turns.size(), 1u);
}

TEST(PromptTurns, AreNeverEmpty) {
  for (const std::string_view prompt :
       {"[INST][/INST]", "<<SYS>>", "[INST]", "[/INST]", "<s></s>", "\n\nHuman:\n\nAssistant:",
        "<|start_header_id|>", "<|User|>", "<|im_start|>user", "<|start|>user", "<|USER_TOKEN|>"}) {
    EXPECT_FALSE(claude(prompt).turns.empty()) << prompt;
    EXPECT_FALSE(read_inst_marked(prompt).turns.empty()) << prompt;
    EXPECT_FALSE(read_header_marked(prompt).turns.empty()) << prompt;
    EXPECT_FALSE(read_deepseek_marked(prompt).turns.empty()) << prompt;
    EXPECT_FALSE(read_command_r_marked(prompt).turns.empty()) << prompt;
    EXPECT_FALSE(read_chatml_marked(prompt).turns.empty()) << prompt;
    EXPECT_FALSE(read_harmony_marked(prompt).turns.empty()) << prompt;
  }
}

}  // namespace
}  // namespace craton::families
