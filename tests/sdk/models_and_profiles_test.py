"""GetFoundationModel, ListInferenceProfiles, GetInferenceProfile."""
import re

import pytest

from craton import UUID, refusal

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA_PROFILE = "us.amazon.nova-micro-v1:0"
INVALID_ID = "The provided model identifier is invalid."
ENDED = ("This model version has reached the end of its life. Please refer to the AWS documentation for "
         "more details.")


def arn(model_id, region="us-east-1"):
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


def profiles(server, region="us-east-1", **arguments):
    pages = server.client("bedrock", region).get_paginator("list_inference_profiles").paginate(**arguments)
    return [profile for page in pages for profile in page["inferenceProfileSummaries"]]


def test_every_listed_model_can_be_got_and_says_the_same(bedrock):
    for summary in bedrock.list_foundation_models()["modelSummaries"]:
        details = bedrock.get_foundation_model(modelIdentifier=summary["modelId"])["modelDetails"]
        assert details == summary


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_a_model_is_found_by_id_and_by_arn(bare, region):
    bedrock = bare.client("bedrock", region)
    by_id = bedrock.get_foundation_model(modelIdentifier=HAIKU)
    by_arn = bedrock.get_foundation_model(modelIdentifier=arn(HAIKU, region))
    assert by_id["modelDetails"] == by_arn["modelDetails"]
    assert by_id["modelDetails"]["modelArn"] == arn(HAIKU, region)
    assert by_id["modelDetails"]["providerName"] == "Anthropic"
    assert UUID.fullmatch(by_id["ResponseMetadata"]["RequestId"])


@pytest.mark.parametrize("identifier", ["anthropic.claude-9-nothing-v1:0", "titan.text", arn("no.such-v1:0")])
def test_an_unknown_model_is_refused(bedrock, identifier):
    refused = refusal(bedrock.get_foundation_model, modelIdentifier=identifier)
    assert (refused.type, refused.status) in {("ValidationException", 400),
                                              ("ResourceNotFoundException", 404)}
    assert refused.message in (INVALID_ID, "Could not resolve the foundation model from the provided "
                                           "model identifier.")


def test_an_identifier_that_breaks_the_pattern_is_refused_with_the_pattern(bedrock):
    refused = refusal(bedrock.get_foundation_model, modelIdentifier="no spaces allowed!")
    assert (refused.type, refused.status) == ("ValidationException", 400)
    assert refused.message.startswith(
        "1 validation error detected: Value 'no spaces allowed!' at 'modelIdentifier' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: ")


def test_a_model_past_its_end_is_refused_in_today_and_there_in_all(today, bare):
    ended = {"modelIdentifier": "amazon.titan-tg1-large"}
    refused = refusal(today.client("bedrock").get_foundation_model, **ended)
    assert (refused.type, refused.status, refused.message) == ("ResourceNotFoundException", 404, ENDED)
    assert bare.client("bedrock").get_foundation_model(**ended)["modelDetails"]["modelName"] \
        == "Titan Text Large"


def test_the_seed_knows_no_model_of_today(seed):
    assert refusal(seed.client("bedrock").get_foundation_model,
                   modelIdentifier="anthropic.claude-sonnet-4-6").status in (400, 404)


def test_the_paginator_walks_every_profile_once(bare):
    whole = profiles(bare)
    assert len(whole) > 40
    ids = [profile["inferenceProfileId"] for profile in whole]
    assert len(ids) == len(set(ids))
    assert NOVA_PROFILE in ids and any(id.startswith("global.") for id in ids)
    for size in (1, 7, len(whole)):
        paged = profiles(bare, PaginationConfig={"PageSize": size})
        assert [profile["inferenceProfileId"] for profile in paged] == ids


def test_a_page_holds_at_most_what_was_asked_and_names_the_next(bedrock):
    page = bedrock.list_inference_profiles(maxResults=5)
    assert len(page["inferenceProfileSummaries"]) == 5 and page["nextToken"]
    rest = bedrock.list_inference_profiles(maxResults=1000, nextToken=page["nextToken"])
    assert "nextToken" not in rest
    first = {profile["inferenceProfileId"] for profile in page["inferenceProfileSummaries"]}
    assert not first & {profile["inferenceProfileId"]
                        for profile in rest["inferenceProfileSummaries"]}


def test_a_profile_names_a_model_arn_for_each_destination(bare):
    (profile,) = [p for p in profiles(bare) if p["inferenceProfileId"] == NOVA_PROFILE]
    assert profile["status"] == "ACTIVE" and profile["type"] == "SYSTEM_DEFINED"
    assert profile["inferenceProfileName"] == "US Nova Micro"
    assert re.fullmatch(r"arn:aws:bedrock:us-east-1:\d{12}:inference-profile/" + re.escape(NOVA_PROFILE),
                        profile["inferenceProfileArn"])
    assert [model["modelArn"] for model in profile["models"]] == [
        arn("amazon.nova-micro-v1:0", region) for region in ("us-east-1", "us-east-2", "us-west-2")]


def test_a_region_lists_the_profiles_that_start_there(bare):
    american = {p["inferenceProfileId"].split(".")[0] for p in profiles(bare, "us-east-1")}
    european = {p["inferenceProfileId"].split(".")[0] for p in profiles(bare, "eu-central-1")}
    assert american == {"us", "global"} and european == {"eu", "global"}


def test_only_system_profiles_exist(bare):
    assert profiles(bare, typeEquals="SYSTEM_DEFINED") == profiles(bare)
    assert profiles(bare, typeEquals="APPLICATION") == []


@pytest.mark.parametrize("by", ["inferenceProfileId", "inferenceProfileArn"])
def test_every_listed_profile_can_be_got(bare, by):
    bedrock = bare.client("bedrock")
    for profile in profiles(bare):
        got = bedrock.get_inference_profile(inferenceProfileIdentifier=profile[by])
        assert {name: got[name] for name in profile} == profile


def test_an_unknown_profile_is_not_found(bedrock):
    refused = refusal(bedrock.get_inference_profile, inferenceProfileIdentifier="us.no.such-model-v1:0")
    assert (refused.type, refused.status) in {("ResourceNotFoundException", 404),
                                              ("ValidationException", 400)}


@pytest.mark.parametrize("arguments, member", [
    ({"maxResults": 0}, "maxResults"), ({"maxResults": 1001}, "maxResults"),
    ({"typeEquals": "HOME_MADE"}, "typeEquals"), ({"nextToken": " "}, "nextToken"),
], ids=["no_results", "too_many_results", "unknown_type", "token_with_a_space"])
def test_a_list_argument_outside_its_constraint_is_refused(bare, arguments, member):
    unchecked = bare.client("bedrock", parameter_validation=False)  # botocore would refuse some itself
    refused = refusal(unchecked.list_inference_profiles, **arguments)
    assert (refused.type, refused.status) == ("ValidationException", 400)
    assert "1 validation error detected: " in refused.message and f"'{member}'" in refused.message


def test_a_token_that_was_never_given_out_is_refused(bedrock):
    refused = refusal(bedrock.list_inference_profiles, nextToken="bm90IGEgdG9rZW4")
    assert (refused.type, refused.status) == ("ValidationException", 400)
