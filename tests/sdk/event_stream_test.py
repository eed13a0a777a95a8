"""botocore reads the recorded streams of tests/golden/event_stream, which event_stream_test writes
byte for byte: frames, headers, and what a program sees of them."""
import pathlib

import botocore.eventstream
import botocore.exceptions
import botocore.loaders
import botocore.model
import botocore.parsers
import pytest

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "event_stream"
PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Body:
    """A response body that arrives in pieces."""

    def __init__(self, wire, piece):
        self.pieces = [wire[at:at + piece] for at in range(0, len(wire), piece)]

    def stream(self):
        return iter(self.pieces)


def messages(name):
    buffer = botocore.eventstream.EventStreamBuffer()
    buffer.add_data((GOLDEN / name).read_bytes())
    return list(buffer)


@pytest.fixture(params=[1, 7, 100000], ids="pieces of {}".format)
def stream(request):
    """stream(name, operation): the events that boto3's caller would iterate over."""
    service = botocore.model.ServiceModel(
        botocore.loaders.create_loader().load_service_model("bedrock-runtime", "service-2"))

    def events(name, operation):
        output = service.operation_model(operation).get_event_stream_output()
        return botocore.eventstream.EventStream(
            Body((GOLDEN / name).read_bytes(), request.param), output,
            botocore.parsers.EventStreamJSONParser(), operation)

    return events


@pytest.mark.parametrize("name, types", [
    ("chunks", ["chunk", "chunk", "chunk"]),
    ("converse", ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop"])])
def test_events_have_bedrocks_headers_in_its_order(name, types):
    assert [list(message.headers.items()) for message in messages(name)] == [
        [(":event-type", type), (":content-type", "application/json"), (":message-type", "event")]
        for type in types]


def test_an_exception_has_bedrocks_headers_in_its_order():
    assert list(messages("exception")[1].headers.items()) == [
        (":exception-type", "throttlingException"), (":content-type", "application/json"),
        (":message-type", "exception")]


def test_chunks_are_padded():
    payloads = [message.payload for message in messages("chunks")]
    assert payloads[0].endswith(b'","p":"' + PADDING[:2].encode() + b'"}')
    assert payloads[1].endswith(b'","p":"' + PADDING[:61].encode() + b'"}')
    assert payloads[2] == b'{"bytes":"e30="}'


def test_chunks_arrive_as_the_native_json(stream):
    assert [event["chunk"]["bytes"].decode() for event in
            stream("chunks", "InvokeModelWithResponseStream")] == [
        '{"outputText":"서울","index":0}', '{"outputText":"\\u0000\\"","completionReason":"FINISH"}', "{}"]


def test_the_events_of_a_converse_stream_arrive(stream):
    assert list(stream("converse", "ConverseStream")) == [
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Bonjour à tous"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}}]


def test_an_exception_is_raised_after_what_came_before(stream):
    events = iter(stream("exception", "InvokeModelWithResponseStream"))
    assert next(events) == {"chunk": {"bytes": b'{"outputText":"H"}'}}
    with pytest.raises(botocore.exceptions.EventStreamError) as raised:
        next(events)
    assert raised.value.response["Error"] == {
        "Code": "throttlingException",
        "Message": "Too many requests, please wait before trying again."}
