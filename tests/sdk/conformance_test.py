"""Every constraint of every operation's input, broken once, against the program without a model.

The constraints come from botocore's models here and from the program's own tables there. What breaks
one is answered by ValidationException in AWS's words, what is of another JSON type by
SerializationException; nothing is ever answered by a fault of the server.
"""
import dataclasses
import json
import re
import urllib.parse

import pytest

import craton
import shapes
import wire
from craton import run_craton

SESSION = craton.session()
FAULTS = (500, 502, 503)


def service_model(service):
    return SESSION.client(service, region_name="us-east-1").meta.service_model


OPERATIONS = [service_model(service).operation_model(name) for service in ("bedrock", "bedrock-runtime")
              for name in service_model(service).operation_names]

IMPLEMENTED = {row["operation"] for row in json.loads(run_craton("operations", "--output", "json").stdout)
               if row["implemented"]}

broken = {}  # operation -> how many constraints


@dataclasses.dataclass
class Message:
    """An input as a request: what travels in the path, the query, the headers and the body."""
    target: str
    headers: list
    body: bytes


def location(shape, name):
    return shape.members[name].serialization.get("location", "body")


def plain(value):
    """A scalar as URIs and headers have it."""
    return json.dumps(value) if isinstance(value, (bool, int, float)) else str(value)


def on_the_wire(shape, value):
    """`value` with the wire's names for members."""
    if isinstance(value, dict) and shape.type_name == "structure" and not shapes.is_document(shape):
        return {shapes.wire_name(shape, name): on_the_wire(shape.members[name], member)
                for name, member in value.items()}
    if isinstance(value, dict) and shape.type_name == "map":
        return {key: on_the_wire(shape.value, member) for key, member in value.items()}
    if isinstance(value, list) and shape.type_name == "list":
        return [on_the_wire(shape.member, member) for member in value]
    return value


def message_of(model, members):
    """The request that carries `members`; None when HTTP itself cannot carry them so."""
    shape, target, query, headers = model.input_shape, model.http["requestUri"], [], []
    body = {}
    payload = shape.serialization.get("payload")
    for name, value in members.items():
        place, wire_name = location(shape, name), shapes.wire_name(shape, name)
        if place == "uri":
            target = target.replace("{%s}" % wire_name, urllib.parse.quote(plain(value), safe=""))
        elif place == "querystring":
            values = value if isinstance(value, list) else [value]
            query += [(wire_name, plain(each)) for each in values]
        elif place == "header":
            headers.append(f"{wire_name}: {plain(value)}")
        elif name != payload:
            body[wire_name] = on_the_wire(shape.members[name], value)
    if query:
        target += "?" + urllib.parse.urlencode(query)
    has_body = any(location(shape, name) == "body" and name != payload for name in shape.members)
    return Message(target, headers, json.dumps(body).encode() if has_body else b"")


def can_travel(model, invalid):
    """False for what no request says: a label that is empty or absent, an empty header, a list of
    nothing in a query, a type in what is all text."""
    shape, name = model.input_shape, invalid.path.split(".")[0]
    place = location(shape, name)
    if name == shape.serialization.get("payload"):
        return False
    if place == "body":
        return True
    value = invalid.value.get(name)
    if value in (None, "", []) and place != "querystring":
        return False
    if place == "header" and not re.fullmatch(r"[!-~]([ -~]*[!-~])?", plain(value)):
        return False
    if isinstance(value, (list, dict)) and (place != "querystring" or value in ([], {}) or None in value):
        return False
    member = shape.members[name]
    of_text = member.type_name == "string" or (member.type_name == "list" and
                                               member.member.type_name == "string")
    return not (invalid.text is None and (of_text or isinstance(value, dict)))


def cases_of(model):
    if not model.input_shape or model.has_event_stream_input:
        return
    for invalid in shapes.invalid(model.input_shape):
        if can_travel(model, invalid):
            yield invalid


def says(message, invalid):
    """True when the refusal names the place and the constraint: there, or of a list's or map's
    scalars, said of the whole."""
    there = f"at '{invalid.path}' failed to satisfy constraint: "
    return any(part.startswith(invalid.text) or re.match(
        r"(Member|Map keys|Map value) must satisfy constraint: \[", part) and invalid.text in part
        for part in message.split(there)[1:])


def check(connection, model, invalid):
    message = message_of(model, invalid.value)
    answer = connection.send(wire.request(model.http["method"], message.target, message.body,
                                          message.headers)).read()
    told = f"{model.name}: {invalid.path}: {invalid.how}: {answer.status} {answer.body[:600]!r}"
    text = json.loads(answer.body)["message"]
    if model.name in IMPLEMENTED:
        assert answer.status == 400, told
        expected = "SerializationException" if invalid.text is None else "ValidationException"
        assert answer.error_type == expected, told
    else:  # is not there yet, and says so; and what Bedrock would say of the input
        assert (answer.status, answer.error_type) == (501, "NotImplementedException"), told
        assert "Bedrock would refuse this input: " in text, told
    if invalid.text is not None:
        assert says(text, invalid), f"{told}\nexpected: {invalid.text}"


@pytest.mark.parametrize("model", OPERATIONS, ids=lambda model: model.name)
def test_what_breaks_a_constraint_is_refused_in_awss_words(bare, model):
    with wire.Connection(bare) as connection:
        for invalid in cases_of(model):
            check(connection, model, invalid)
            broken[model.name] = broken.get(model.name, 0) + 1


@pytest.mark.parametrize("model", OPERATIONS, ids=lambda model: model.name)
def test_what_breaks_none_is_not_refused_for_its_shape(bare, model):
    if not model.input_shape or model.has_event_stream_input:
        pytest.skip("no input that a request carries")
    message = message_of(model, shapes.least(model.input_shape))
    answer = wire.ask(bare, model.http["method"], message.target, message.body, message.headers)
    assert answer.status not in FAULTS, answer.body
    assert answer.error_type != "SerializationException", answer.body
    assert b"validation error" not in answer.body, answer.body
    assert b"Bedrock would refuse this input" not in answer.body, answer.body


@pytest.mark.parametrize("body", [b"{", b"[]", b"\"x\"", b"7", b"null", b"\xff", b"{\"a\":1}}", b"{" * 100])
def test_a_body_that_is_no_json_object_is_a_serialization_exception(bare, body):
    for model in OPERATIONS:
        shape = model.input_shape
        if not shape or model.has_event_stream_input or not any(
                location(shape, name) == "body" for name in shape.members) or "payload" in shape.serialization:
            continue
        target = message_of(model, shapes.least(shape)).target
        answer = wire.ask(bare, model.http["method"], target, body)
        expected = ((400, "SerializationException") if model.name in IMPLEMENTED
                    else (501, "NotImplementedException"))
        assert (answer.status, answer.error_type) == expected, (model.name, answer)


def test_the_constraints_that_were_broken_are_many(capsys):
    with capsys.disabled():
        print(f"\n{sum(broken.values())} constraints of {len(broken)} operations were broken, once each")
    assert len(broken) > 100
    assert sum(broken.values()) > 4000
