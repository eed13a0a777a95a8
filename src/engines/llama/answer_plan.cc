#include "engines/llama/answer_plan.h"

#include <algorithm>
#include <utility>

#include "engines/llama/schema_grammar.h"

namespace craton::engines::llama {
namespace {

Result<GrammarRoot> grammar_of(std::string_view schema, SchemaRoot root) {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  CRATON_TRY_ASSIGN(const RuleId rule, add_schema(json, schema, root));
  CRATON_TRY_ASSIGN(auto grammar, builder.finish());
  return GrammarRoot{std::move(grammar), rule};
}

GrammarRoot any_object() {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  const RuleId rule = json.object();
  return {*builder.finish(), rule};  // JSON's own grammar is never refused
}

Error cannot_keep(const std::string& whose, const Error& why) {
  return {ErrorCode::validation, whose + " cannot be enforced: " + why.message + "."};
}

bool is_forced(ToolChoice choice) {
  return choice == ToolChoice::any || choice == ToolChoice::named;
}

Result<std::vector<CallableTool>> callable(const Tools& tools, const GrammarRoot& any_input) {
  std::vector<CallableTool> all;
  for (const Tool& tool : tools.offered) {
    if (tools.choice == ToolChoice::named && tool.name != tools.named) continue;
    auto input = grammar_of(tool.input_schema, SchemaRoot::object);
    if (!input && is_forced(tools.choice)) {
      return cannot_keep("The input schema of the tool '" + tool.name + "'", input.error());
    }
    all.push_back({tool.name, input ? *std::move(input) : any_input});
  }
  if (all.empty()) {
    return Error{ErrorCode::validation,
                 "The tool '" + tools.named + "' that must be called is not one of those offered."};
  }
  return all;
}

/// What a call is up to the brace of its input; without what the prompt has begun.
Result<GrammarRoot> call_head(const CallPlan& calls) {
  GrammarBuilder builder;
  JsonGrammar json(builder);
  const RuleId head = builder.rule();
  for (const CallableTool& tool : calls.tools) {
    builder.add(head, Sequence()
                          .literal(calls.begun ? "" : calls.form.open)
                          .literal(tool.name)
                          .literal(calls.form.between)
                          .rule(json.space())
                          .literal("{"));
  }
  CRATON_TRY_ASSIGN(auto grammar, builder.finish());
  return GrammarRoot{std::move(grammar), head};
}

Result<void> plan_calls(const Tools& tools, const CallForm& form, AnswerPlan& plan) {
  CallPlan calls{.tools = {},
                 .any_input = any_object(),
                 .form = form,
                 .parallel = tools.parallel && tools.choice != ToolChoice::named,
                 .begun = is_forced(tools.choice)};
  CRATON_TRY_ASSIGN(calls.tools, callable(tools, calls.any_input));
  if (calls.begun || plan.text_form) {
    CRATON_TRY_ASSIGN(plan.call_form, call_head(calls));
  }
  plan.calls = std::make_shared<const CallPlan>(std::move(calls));
  return {};
}

Result<void> plan_format(const ResponseFormat& format, AnswerPlan& plan) {
  if (format.schema.empty()) {
    plan.text_form = any_object();
    return {};
  }
  auto root = grammar_of(format.schema, SchemaRoot::any);
  if (!root) return cannot_keep("The JSON schema of the response", root.error());
  plan.text_form = *std::move(root);
  return {};
}

}  // namespace

Result<AnswerPlan> plan_answer(const Conversation& conversation, const ChatTemplate& form,
                               const RenderedPrompt& prompt) {
  AnswerPlan plan{.stop_sequences = conversation.sampling.stop_sequences};
  if (conversation.raw_completion) return plan;
  const Tools& tools = conversation.tools;
  const bool offers = !tools.offered.empty() && tools.choice != ToolChoice::none;
  if (form.thinks()) {
    plan.thoughts = ThoughtPlan{.shown = conversation.reasoning.wanted,
                                .begun = prompt.in_thought,
                                .tokens_max = conversation.reasoning.budget_tokens};
  }
  if (conversation.format && !(offers && is_forced(tools.choice))) {
    CRATON_TRY(plan_format(*conversation.format, plan));
  }
  if (offers) CRATON_TRY(plan_calls(tools, form.call_form(), plan));
  return plan;
}

}  // namespace craton::engines::llama
