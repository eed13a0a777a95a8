// AWS SDK for Rust. The form of the lines and the steps are those of ../python/steps.py.
use aws_sdk_bedrockruntime as bedrockruntime;
use aws_smithy_types::{Document, Number};
use bedrockruntime::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use bedrockruntime::operation::converse::{ConverseError, ConverseOutput};
use bedrockruntime::types::{
    AnyToolChoice, ContentBlock, ContentBlockDelta, ConversationRole, ConverseStreamOutput,
    InferenceConfiguration, Message, StopReason, Tool, ToolChoice, ToolConfiguration, ToolInputSchema,
    ToolSpecification,
};
use serde_json::{json, Value};
use std::error::Error;

const MODEL: &str = "anthropic.claude-3-haiku-20240307-v1:0";
const UNKNOWN_MODEL: &str = "anthropic.no-such-model-v1:0";
const QUESTION: &str = "What is the capital of France?";
const TOOL_QUESTION: &str = "What is the weather in Paris, in celsius?";
const TOOL_NAME: &str = "get_weather";

/// A step's detail, or what went wrong.
type Outcome = Result<String, Box<dyn Error>>;

struct Clients {
    control: aws_sdk_bedrock::Client,
    runtime: bedrockruntime::Client,
}

fn user(text: &str) -> Message {
    let content = ContentBlock::Text(text.into());
    Message::builder().role(ConversationRole::User).content(content).build().unwrap()
}

fn inference() -> InferenceConfiguration {
    InferenceConfiguration::builder().max_tokens(60).temperature(0.0).build()
}

fn document_of(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(*flag),
        Value::Number(number) => Document::Number(Number::Float(number.as_f64().unwrap())),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document_of).collect()),
        Value::Object(members) => {
            Document::Object(members.iter().map(|(name, value)| (name.clone(), document_of(value))).collect())
        }
    }
}

fn value_of(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(flag) => json!(flag),
        Document::Number(number) => json!(number.to_f64_lossy()),
        Document::String(text) => json!(text),
        Document::Array(items) => items.iter().map(value_of).collect(),
        Document::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), value_of(value))).collect())
        }
    }
}

/// The answer's content, if it ended for the reason `stop`.
fn content(answer: &ConverseOutput, stop: StopReason) -> Result<&[ContentBlock], Box<dyn Error>> {
    if answer.stop_reason != stop {
        return Err(format!("stopped by {}", answer.stop_reason).into());
    }
    let message = answer.output().and_then(|output| output.as_message().ok()).ok_or("no message")?;
    Ok(message.content())
}

fn stream_name(event: &ConverseStreamOutput) -> &'static str {
    match event {
        ConverseStreamOutput::MessageStart(_) => "messageStart",
        ConverseStreamOutput::ContentBlockStart(_) => "contentBlockStart",
        ConverseStreamOutput::ContentBlockStop(_) => "contentBlockStop",
        ConverseStreamOutput::MessageStop(_) => "messageStop",
        ConverseStreamOutput::Metadata(_) => "metadata",
        _ => "unknown",
    }
}

impl Clients {
    async fn list(&self) -> Outcome {
        let answer = self.control.list_foundation_models().send().await?;
        let models = answer.model_summaries();
        if !models.iter().any(|model| model.model_id() == MODEL) {
            return Err(format!("{MODEL} is not among {} models", models.len()).into());
        }
        Ok(format!("{} models", models.len()))
    }

    async fn converse(&self, model: &str) -> Result<ConverseOutput, SdkError<ConverseError>> {
        let request = self.runtime.converse().model_id(model).messages(user(QUESTION));
        request.inference_config(inference()).send().await
    }

    async fn chat(&self) -> Outcome {
        let answer = self.converse(MODEL).await?;
        if answer.usage().map_or(0, |usage| usage.output_tokens) == 0 {
            return Err("no usage".into());
        }
        match content(&answer, StopReason::EndTurn)? {
            [ContentBlock::Text(text)] => Ok(text.clone()),
            other => Err(format!("content {other:?}").into()),
        }
    }

    async fn stream(&self) -> Outcome {
        let request = self.runtime.converse_stream().model_id(MODEL).messages(user(QUESTION));
        let mut answer = request.inference_config(inference()).send().await?;
        let (mut pieces, mut order) = (Vec::new(), Vec::new());
        while let Some(event) = answer.stream.recv().await? {
            match event {
                ConverseStreamOutput::ContentBlockDelta(piece) => match piece.delta {
                    Some(ContentBlockDelta::Text(text)) => pieces.push(text),
                    other => return Err(format!("no text: {other:?}").into()),
                },
                event => order.push(stream_name(&event)),
            }
        }
        if order != ["messageStart", "contentBlockStop", "messageStop", "metadata"] {
            return Err(format!("events in the order {order:?}").into());
        }
        Ok(format!("{} pieces: {}", pieces.len(), pieces.concat()))
    }

    async fn tool(&self) -> Outcome {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city", "unit"],
        });
        let specification = ToolSpecification::builder()
            .name(TOOL_NAME)
            .description("The weather in a city now")
            .input_schema(ToolInputSchema::Json(document_of(&schema)))
            .build()?;
        let tools = ToolConfiguration::builder()
            .tools(Tool::ToolSpec(specification))
            .tool_choice(ToolChoice::Any(AnyToolChoice::builder().build()))
            .build()?;
        let request = self.runtime.converse().model_id(MODEL).messages(user(TOOL_QUESTION));
        let answer = request.inference_config(inference()).tool_config(tools).send().await?;
        let blocks = content(&answer, StopReason::ToolUse)?;
        let call = blocks.iter().find_map(|block| block.as_tool_use().ok()).ok_or("no tool was called")?;
        if call.name != TOOL_NAME {
            return Err(format!("called {}", call.name).into());
        }
        Ok(value_of(&call.input).to_string())
    }

    /// The detail of `error` and `throttle`: the modelled error and its text.
    async fn refused(&self, model: &str) -> Outcome {
        let error = match self.converse(model).await {
            Ok(answer) => return Err(format!("was answered: {answer:?}").into()),
            Err(error) => error.into_service_error(),
        };
        let message = error.message().unwrap_or_default();
        match &error {
            ConverseError::ValidationException(_) => {
                Ok(format!("ConverseError::ValidationException: {message}"))
            }
            ConverseError::ThrottlingException(_) => {
                Ok(format!("ConverseError::ThrottlingException: {message}"))
            }
            _ => Err(error.into()),
        }
    }

    async fn step(&self, name: &str) -> Outcome {
        match name {
            "list" => self.list().await,
            "chat" => self.chat().await,
            "stream" => self.stream().await,
            "tool" => self.tool().await,
            "error" => self.refused(UNKNOWN_MODEL).await,
            "throttle" => self.refused(MODEL).await,
            _ => Err("no such step".into()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let clients = Clients {
        control: aws_sdk_bedrock::Client::new(&config),
        runtime: bedrockruntime::Client::new(&config),
    };
    println!("{}", json!({"client": "AWS SDK for Rust", "version": bedrockruntime::meta::PKG_VERSION}));
    let mut failed = false;
    for name in std::env::args().skip(1) {
        let outcome = clients.step(&name).await;
        failed |= outcome.is_err();
        let ok = outcome.is_ok();
        let detail = outcome.unwrap_or_else(|error| DisplayErrorContext(&*error).to_string());
        println!("{}", json!({"step": name, "ok": ok, "detail": detail}));
    }
    std::process::exit(failed.into());
}
