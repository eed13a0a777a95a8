// AWS SDK for Go v2. The form of the lines and the steps are those of ../python/steps.py.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

const (
	model        = "anthropic.claude-3-haiku-20240307-v1:0"
	unknownModel = "anthropic.no-such-model-v1:0"
	question     = "What is the capital of France?"
	toolQuestion = "What is the weather in Paris, in celsius?"
	toolName     = "get_weather"
)

var toolSchema = map[string]any{
	"type": "object",
	"properties": map[string]any{
		"city": map[string]any{"type": "string"},
		"unit": map[string]any{"type": "string", "enum": []string{"celsius", "fahrenheit"}},
	},
	"required": []string{"city", "unit"},
}

var (
	inference = &types.InferenceConfiguration{MaxTokens: aws.Int32(60), Temperature: aws.Float32(0)}
	ctx       = context.Background()
)

type clients struct {
	control *bedrock.Client
	runtime *bedrockruntime.Client
}

func user(text string) []types.Message {
	return []types.Message{{
		Role:    types.ConversationRoleUser,
		Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
	}}
}

func (c clients) converse(model string) (*bedrockruntime.ConverseOutput, error) {
	return c.runtime.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: aws.String(model), Messages: user(question), InferenceConfig: inference})
}

func message(answer *bedrockruntime.ConverseOutput, stop types.StopReason) (*types.Message, error) {
	if answer.StopReason != stop {
		return nil, fmt.Errorf("stopped by %s", answer.StopReason)
	}
	output, ok := answer.Output.(*types.ConverseOutputMemberMessage)
	if !ok {
		return nil, fmt.Errorf("no message: %T", answer.Output)
	}
	return &output.Value, nil
}

func (c clients) list() (string, error) {
	answer, err := c.control.ListFoundationModels(ctx, &bedrock.ListFoundationModelsInput{})
	if err != nil {
		return "", err
	}
	for _, summary := range answer.ModelSummaries {
		if aws.ToString(summary.ModelId) == model {
			return fmt.Sprintf("%d models", len(answer.ModelSummaries)), nil
		}
	}
	return "", fmt.Errorf("%s is not among %d models", model, len(answer.ModelSummaries))
}

func (c clients) chat() (string, error) {
	answer, err := c.converse(model)
	if err != nil {
		return "", err
	}
	said, err := message(answer, types.StopReasonEndTurn)
	if err != nil {
		return "", err
	}
	if len(said.Content) != 1 || aws.ToInt32(answer.Usage.OutputTokens) == 0 {
		return "", fmt.Errorf("%d blocks, usage %v", len(said.Content), answer.Usage)
	}
	text, ok := said.Content[0].(*types.ContentBlockMemberText)
	if !ok {
		return "", fmt.Errorf("no text: %T", said.Content[0])
	}
	return text.Value, nil
}

func (c clients) stream() (string, error) {
	answer, err := c.runtime.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(model), Messages: user(question), InferenceConfig: inference})
	if err != nil {
		return "", err
	}
	events := answer.GetStream()
	defer events.Close()
	var pieces, order []string
	for event := range events.Events() {
		delta, ok := event.(*types.ConverseStreamOutputMemberContentBlockDelta)
		if !ok {
			name := reflect.TypeOf(event).Elem().Name()
			order = append(order, strings.TrimPrefix(name, "ConverseStreamOutputMember"))
			continue
		}
		text, ok := delta.Value.Delta.(*types.ContentBlockDeltaMemberText)
		if !ok {
			return "", fmt.Errorf("no text: %T", delta.Value.Delta)
		}
		pieces = append(pieces, text.Value)
	}
	if err := events.Err(); err != nil {
		return "", err
	}
	if !slices.Equal(order, []string{"MessageStart", "ContentBlockStop", "MessageStop", "Metadata"}) {
		return "", fmt.Errorf("events in the order %v", order)
	}
	return fmt.Sprintf("%d pieces: %s", len(pieces), strings.Join(pieces, "")), nil
}

func (c clients) tool() (string, error) {
	answer, err := c.runtime.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: aws.String(model), Messages: user(toolQuestion), InferenceConfig: inference,
		ToolConfig: &types.ToolConfiguration{
			Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
				Name:        aws.String(toolName),
				Description: aws.String("The weather in a city now"),
				InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(toolSchema)},
			}}},
			ToolChoice: &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(toolName)}},
		},
	})
	if err != nil {
		return "", err
	}
	said, err := message(answer, types.StopReasonToolUse)
	if err != nil {
		return "", err
	}
	for _, block := range said.Content {
		use, ok := block.(*types.ContentBlockMemberToolUse)
		if !ok {
			continue
		}
		if aws.ToString(use.Value.Name) != toolName {
			return "", fmt.Errorf("called %s", aws.ToString(use.Value.Name))
		}
		input, err := use.Value.Input.MarshalSmithyDocument()
		return string(input), err
	}
	return "", errors.New("no tool was called")
}

// refused is the detail of `error` and `throttle`: the modelled type and text of what the SDK returned.
func refused(_ *bedrockruntime.ConverseOutput, err error) (string, error) {
	if err == nil {
		return "", errors.New("was answered")
	}
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return "", err
	}
	return fmt.Sprintf("%T: %s", refusal, refusal.ErrorMessage()), nil
}

func (c clients) refusal() (string, error)  { return refused(c.converse(unknownModel)) }
func (c clients) throttle() (string, error) { return refused(c.converse(model)) }

// version is the SDK's, as it was linked in.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/aws/aws-sdk-go-v2/service/bedrockruntime" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}

func say(line any) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func main() {
	configuration, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	c := clients{bedrock.NewFromConfig(configuration), bedrockruntime.NewFromConfig(configuration)}
	steps := map[string]func() (string, error){
		"list": c.list, "chat": c.chat, "stream": c.stream, "tool": c.tool, "error": c.refusal,
		"throttle": c.throttle,
	}
	say(map[string]any{"client": "AWS SDK for Go", "version": version()})
	failed := false
	for _, name := range os.Args[1:] {
		detail, err := steps[name]()
		if err != nil {
			detail, failed = err.Error(), true
		}
		say(map[string]any{"step": name, "ok": err == nil, "detail": detail})
	}
	if failed {
		os.Exit(1)
	}
}
