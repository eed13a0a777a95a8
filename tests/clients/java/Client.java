// AWS SDK for Java v2: its synchronous or its asynchronous client, as the first argument says. The form of
// the lines and the steps are those of ../python/steps.py.

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.bedrock.BedrockAsyncClient;
import software.amazon.awssdk.services.bedrock.BedrockClient;
import software.amazon.awssdk.services.bedrock.model.FoundationModelSummary;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ContentBlock;
import software.amazon.awssdk.services.bedrockruntime.model.ConversationRole;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseResponse;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.InferenceConfiguration;
import software.amazon.awssdk.services.bedrockruntime.model.Message;
import software.amazon.awssdk.services.bedrockruntime.model.StopReason;
import software.amazon.awssdk.services.bedrockruntime.model.ToolChoice;
import software.amazon.awssdk.services.bedrockruntime.model.ToolUseBlock;

public class Client {
  static final String MODEL = "anthropic.claude-3-haiku-20240307-v1:0";
  static final String UNKNOWN_MODEL = "anthropic.no-such-model-v1:0";
  static final String QUESTION = "What is the capital of France?";
  static final String TOOL_QUESTION = "What is the weather in Paris, in celsius?";
  static final String TOOL_NAME = "get_weather";

  static final Document TOOL_SCHEMA = Document.mapBuilder()
      .putString("type", "object")
      .putDocument("properties", Document.mapBuilder()
          .putDocument("city", Document.mapBuilder().putString("type", "string").build())
          .putDocument("unit", Document.mapBuilder()
              .putString("type", "string")
              .putList("enum", b -> b.addString("celsius").addString("fahrenheit"))
              .build())
          .build())
      .putList("required", b -> b.addString("city").addString("unit"))
      .build();

  static final InferenceConfiguration INFERENCE =
      InferenceConfiguration.builder().maxTokens(60).temperature(0f).build();

  /** What the two clients do alike; their calls differ. */
  interface Calls {
    List<FoundationModelSummary> models();

    ConverseResponse converse(ConverseRequest request);
  }

  static class Sync implements Calls {
    final BedrockRuntimeClient runtime = BedrockRuntimeClient.create();

    public List<FoundationModelSummary> models() {
      try (BedrockClient control = BedrockClient.create()) {
        return control.listFoundationModels(b -> {}).modelSummaries();
      }
    }

    public ConverseResponse converse(ConverseRequest request) {
      return runtime.converse(request);
    }
  }

  static class Async implements Calls {
    final BedrockRuntimeAsyncClient runtime = BedrockRuntimeAsyncClient.create();

    public List<FoundationModelSummary> models() {
      try (BedrockAsyncClient control = BedrockAsyncClient.create()) {
        return waitFor(control.listFoundationModels(b -> {})).modelSummaries();
      }
    }

    public ConverseResponse converse(ConverseRequest request) {
      return waitFor(runtime.converse(request));
    }

    static <T> T waitFor(CompletableFuture<T> future) {
      try {
        return future.join();
      } catch (CompletionException error) {
        throw error.getCause() instanceof RuntimeException cause ? cause : error;
      }
    }

    String stream() {
      List<String> pieces = new ArrayList<>();
      List<String> order = new ArrayList<>();
      var visitor = ConverseStreamResponseHandler.Visitor.builder()
          .onMessageStart(event -> order.add("messageStart"))
          .onContentBlockStart(event -> order.add("contentBlockStart"))
          .onContentBlockDelta(event -> pieces.add(event.delta().text()))
          .onContentBlockStop(event -> order.add("contentBlockStop"))
          .onMessageStop(event -> order.add("messageStop"))
          .onMetadata(event -> order.add("metadata"))
          .build();
      var request = ConverseStreamRequest.builder()
          .modelId(MODEL).messages(user(QUESTION)).inferenceConfig(INFERENCE).build();
      var handler = ConverseStreamResponseHandler.builder().subscriber(visitor).build();
      waitFor(runtime.converseStream(request, handler));
      check(order.equals(List.of("messageStart", "contentBlockStop", "messageStop", "metadata")),
          "events in the order " + order);
      return pieces.size() + " pieces: " + String.join("", pieces);
    }
  }

  static void check(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException(what);
    }
  }

  static Message user(String text) {
    return Message.builder().role(ConversationRole.USER).content(ContentBlock.fromText(text)).build();
  }

  static ConverseRequest request(Consumer<ConverseRequest.Builder> more) {
    return ConverseRequest.builder().modelId(MODEL).messages(user(QUESTION)).inferenceConfig(INFERENCE)
        .applyMutation(more).build();
  }

  static String list(Calls calls) {
    List<FoundationModelSummary> models = calls.models();
    check(models.stream().anyMatch(model -> model.modelId().equals(MODEL)), "no " + MODEL);
    return models.size() + " models";
  }

  static String chat(Calls calls) {
    ConverseResponse answer = calls.converse(request(b -> {}));
    check(answer.stopReason() == StopReason.END_TURN, "stopped by " + answer.stopReasonAsString());
    check(answer.usage().outputTokens() > 0, "usage " + answer.usage());
    List<ContentBlock> content = answer.output().message().content();
    check(content.size() == 1, "content " + content);
    return content.get(0).text();
  }

  static String tool(Calls calls) {
    ConverseResponse answer = calls.converse(request(b -> b
        .messages(user(TOOL_QUESTION))
        .toolConfig(t -> t
            .tools(tool -> tool.toolSpec(s -> s
                .name(TOOL_NAME)
                .description("The weather in a city now")
                .inputSchema(schema -> schema.json(TOOL_SCHEMA))))
            .toolChoice(ToolChoice.fromAny(any -> {})))));
    check(answer.stopReason() == StopReason.TOOL_USE, "stopped by " + answer.stopReasonAsString());
    List<ToolUseBlock> uses = answer.output().message().content().stream()
        .map(ContentBlock::toolUse).filter(use -> use != null).toList();
    check(uses.size() == 1 && uses.get(0).name().equals(TOOL_NAME), "called " + uses);
    return uses.get(0).input().toString();
  }

  /** The detail of `error` and `throttle`: what the call throws. */
  static String refused(Calls calls, String model) {
    try {
      throw new IllegalStateException("was answered: " + calls.converse(request(b -> b.modelId(model))));
    } catch (AwsServiceException error) {
      return error.getClass().getSimpleName() + ": " + error.awsErrorDetails().errorMessage();
    }
  }

  /** A step: its detail, or what it throws. */
  interface Step {
    String run();
  }

  static Map<String, Step> stepsOf(String kind) {
    Map<String, Step> steps = new LinkedHashMap<>();
    Calls calls;
    if (kind.equals("async")) {
      Async async = new Async();
      steps.put("stream", async::stream);
      calls = async;
    } else {
      calls = new Sync();
    }
    steps.put("list", () -> list(calls));
    steps.put("chat", () -> chat(calls));
    steps.put("tool", () -> tool(calls));
    steps.put("error", () -> refused(calls, UNKNOWN_MODEL));
    steps.put("throttle", () -> refused(calls, MODEL));
    return steps;
  }

  /** `text` as a JSON string. */
  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }

  public static void main(String[] arguments) {
    Map<String, Step> steps = stepsOf(arguments[0]);
    System.out.printf("{\"client\": \"AWS SDK for Java\", \"version\": %s}%n", quoted(VersionInfo.SDK_VERSION));
    boolean failed = false;
    for (String name : List.of(arguments).subList(1, arguments.length)) {
      boolean ok = true;
      String detail;
      try {
        detail = steps.get(name).run();
      } catch (RuntimeException error) {
        ok = false;
        detail = error.toString();
      }
      System.out.printf("{\"step\": %s, \"ok\": %b, \"detail\": %s}%n", quoted(name), ok, quoted(detail));
      failed |= !ok;
    }
    System.exit(failed ? 1 : 0);  // the asynchronous client's threads would go on
  }
}
