"""All operations of Bedrock's service models, each called with the least that its model demands."""
import json
import re

import botocore.exceptions
import pytest

import craton
import shapes
import wire
from craton import run_craton

SESSION = craton.session()
IMPLEMENTED = {"Converse", "ConverseStream", "CountTokens", "CreateFoundationModelAgreement",
               "DeleteFoundationModelAgreement", "DeleteModelInvocationLoggingConfiguration",
               "GetFoundationModel", "GetFoundationModelAvailability", "GetInferenceProfile",
               "GetModelInvocationLoggingConfiguration", "GetUseCaseForModelAccess", "InvokeModel",
               "InvokeModelWithResponseStream", "ListFoundationModelAgreementOffers",
               "ListFoundationModels", "ListInferenceProfiles", "PutModelInvocationLoggingConfiguration",
               "PutUseCaseForModelAccess"}


def service_model(service):
    return SESSION.client(service, region_name="us-east-1").meta.service_model


OPERATIONS = [(service, name) for service in ("bedrock", "bedrock-runtime")
              for name in service_model(service).operation_names]


def method_of(client, operation):
    return next(method for method, name in client.meta.method_to_api_mapping.items() if name == operation)


def test_the_models_have_119_operations():
    assert len(OPERATIONS) == 119


@pytest.mark.parametrize("service, operation", OPERATIONS, ids=lambda value: value)
def test_an_operation_is_answered_or_names_itself_as_missing(bare, service, operation):
    client = bare.client(service)
    model = client.meta.service_model.operation_model(operation)
    if model.has_event_stream_input:
        return sends_by_hand(bare, model)  # botocore cannot send event streams
    parameters = shapes.least(model.input_shape) if model.input_shape else {}
    try:
        status = getattr(client, method_of(client, operation))(**parameters)["ResponseMetadata"]
        assert operation in IMPLEMENTED, status
    except botocore.exceptions.ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if operation in IMPLEMENTED:
            assert 400 <= status < 500, (code, message)
        else:
            assert (status, code) == (501, "NotImplementedException"), (code, message)
            assert message.startswith(operation + " is not implemented"), message
        assert craton.UUID.fullmatch(error.response["ResponseMetadata"]["RequestId"])


def sends_by_hand(server, model):
    answer = wire.ask(server, model.http["method"], re.sub(r"{\w+}", "x", model.http["requestUri"]))
    assert (answer.status, answer.error_type) == (501, "NotImplementedException")
    assert json.loads(answer.body)["message"].startswith(model.name + " is not implemented")


def test_the_program_lists_the_same_operations_as_the_models():
    listed = json.loads(run_craton("operations", "--output", "json").stdout)
    assert {(row["service"], row["operation"]) for row in listed} == set(OPERATIONS)
    assert {row["operation"] for row in listed if row["implemented"]} == IMPLEMENTED
    for row in listed:
        http = service_model(row["service"]).operation_model(row["operation"]).http
        assert (row["method"], row["uri"]) == (http["method"], http["requestUri"])
