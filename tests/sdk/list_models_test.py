"""ListFoundationModels: three catalogues, four filters, any Region."""
import collections
import datetime
import json

import pytest

import craton
from craton import refusal

SEED = [json.loads(line)
        for line in (craton.SOURCE / "tests/sdk/data/seed_models.jsonl").read_text().splitlines()]
TODAY = json.loads((craton.SOURCE / "data/foundation-models/today.json").read_text())
LISTS_TAKEN = datetime.datetime(2026, 10, 9, tzinfo=datetime.timezone.utc)  # data/README.md


def models(server, region="us-east-1", **filters):
    return server.client("bedrock", region).list_foundation_models(**filters)["modelSummaries"]


def ids(summaries):
    return [summary["modelId"] for summary in summaries]


def test_the_seed_catalogue_is_the_seed_page(seed):
    assert models(seed) == SEED
    assert [list(model) for model in models(seed)] == [list(model) for model in SEED]


def test_the_seed_catalogue_holds_the_facts_of_the_seed_page(seed):
    listed = models(seed)
    assert len(set(ids(listed))) == 55
    assert collections.Counter(model["providerName"] for model in listed) == {
        "Amazon": 12, "Stability AI": 4, "AI21 Labs": 6, "Anthropic": 14, "Cohere": 8, "Meta": 8,
        "Mistral AI": 3}
    streaming = collections.Counter(model.get("responseStreamingSupported") for model in listed)
    assert streaming == {True: 34, False: 12, None: 9}
    assert collections.Counter(tuple(model["inferenceTypesSupported"]) for model in listed) == {
        ("ON_DEMAND",): 30, ("PROVISIONED",): 20, (): 5}
    legacy = [model["modelId"] for model in listed if model["modelLifecycle"] == {"status": "LEGACY"}]
    assert legacy == ["stability.stable-diffusion-xl", "stability.stable-diffusion-xl-v0"]


def test_all_has_every_model_of_the_seed_and_of_today(bare, today):
    everything = ids(models(bare))
    assert len(everything) == len(set(everything))
    assert set(everything) == {model["modelId"] for model in SEED} | set(ids(models(today)))


def test_all_shows_todays_entry_where_both_have_the_model(bare, today):
    now = {model["modelId"]: model for model in models(today)}
    shared = [model for model in models(bare) if model["modelId"] in now]
    assert shared and all(model == now[model["modelId"]] for model in shared)
    haiku = next(model for model in models(bare)
                 if model["modelId"] == "anthropic.claude-3-haiku-20240307-v1:0")
    assert haiku["modelLifecycle"]["status"] == "LEGACY"


def test_today_lists_what_is_served_today_only(today):
    listed = ids(models(today))
    assert "anthropic.claude-haiku-4-5-20251001-v1:0" in listed
    assert "amazon.nova-lite-v1:0" in listed
    assert "amazon.titan-tg1-large" not in listed, "ended in October 2025"
    assert "anthropic.claude-3-opus-20240229-v1:0" not in listed, "retired"
    assert "anthropic.claude-haiku-4-5" not in listed, "only on another endpoint"


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-2"])
def test_the_callers_region_stands_in_the_arns(bare, region):
    listed = models(bare, region)
    assert listed
    for model in listed:
        assert model["modelArn"] == f"arn:aws:bedrock:{region}::foundation-model/{model['modelId']}"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "sa-east-1", "ap-northeast-2"])
def test_today_a_region_lists_its_own_models_until_they_end(today, region):
    now = datetime.datetime.now(datetime.timezone.utc)

    def ended(model):
        """Its end passed since the lists were taken; what they still had after its end lives on."""
        end = model["summary"]["modelLifecycle"].get("endOfLifeTime", "9999-01-01T00:00:00Z")
        return LISTS_TAKEN < datetime.datetime.fromisoformat(end.replace("Z", "+00:00")) <= now

    listed = ids(models(today, region))
    expected = [model["summary"]["modelId"] for model in TODAY
                if region in model["facts"].get("listedRegions", []) and not ended(model)]
    assert listed == sorted(expected) and len(expected) > 10


def test_today_a_model_of_one_region_is_listed_there_only(today):
    assert "mistral.mistral-small-2402-v1:0" in ids(models(today, "us-east-1"))
    assert "mistral.mistral-small-2402-v1:0" not in ids(models(today, "eu-central-1"))


def test_every_summary_has_what_clients_rely_on(bare):
    for model in models(bare):
        assert model["modelLifecycle"]["status"] in ("ACTIVE", "LEGACY"), model
        assert {"modelArn", "modelId", "modelName", "providerName", "inputModalities",
                "outputModalities", "customizationsSupported", "inferenceTypesSupported",
                "modelLifecycle"} <= set(model), model


FILTERS = {
    "provider": ({"byProvider": "Anthropic"}, lambda m: m["providerName"] == "Anthropic"),
    "provider_in_lower_case": ({"byProvider": "anthropic"},
                               lambda m: m["providerName"] == "Anthropic"),
    "provider_with_a_space": ({"byProvider": "AI21 Labs"}, lambda m: m["providerName"] == "AI21 Labs"),
    "provider_unknown": ({"byProvider": "Nobody"}, lambda m: False),
    "text": ({"byOutputModality": "TEXT"}, lambda m: "TEXT" in m["outputModalities"]),
    "image": ({"byOutputModality": "IMAGE"}, lambda m: "IMAGE" in m["outputModalities"]),
    "embedding": ({"byOutputModality": "EMBEDDING"}, lambda m: "EMBEDDING" in m["outputModalities"]),
    "on_demand": ({"byInferenceType": "ON_DEMAND"},
                  lambda m: "ON_DEMAND" in m["inferenceTypesSupported"]),
    "provisioned": ({"byInferenceType": "PROVISIONED"},
                    lambda m: "PROVISIONED" in m["inferenceTypesSupported"]),
    "fine_tuning": ({"byCustomizationType": "FINE_TUNING"},
                    lambda m: "FINE_TUNING" in m["customizationsSupported"]),
    "continued_pre_training": ({"byCustomizationType": "CONTINUED_PRE_TRAINING"},
                               lambda m: "CONTINUED_PRE_TRAINING" in m["customizationsSupported"]),
    "two_at_once": ({"byProvider": "Amazon", "byOutputModality": "TEXT"},
                    lambda m: m["providerName"] == "Amazon" and "TEXT" in m["outputModalities"]),
    "all_four": ({"byProvider": "Amazon", "byOutputModality": "TEXT", "byInferenceType": "PROVISIONED",
                  "byCustomizationType": "FINE_TUNING"},
                 lambda m: m["providerName"] == "Amazon" and "TEXT" in m["outputModalities"]
                 and "PROVISIONED" in m["inferenceTypesSupported"]
                 and "FINE_TUNING" in m["customizationsSupported"]),
}


@pytest.mark.parametrize("view", ["bare", "seed", "today"])
@pytest.mark.parametrize("filters, keeps", FILTERS.values(), ids=FILTERS)
def test_a_filter_keeps_what_it_names_in_the_order_of_the_list(request, view, filters, keeps):
    server = request.getfixturevalue(view)
    assert models(server, **filters) == [model for model in models(server) if keeps(model)]


REFUSED = {
    "output_modality": ({"byOutputModality": "SMELL"}, "byOutputModality", "[EMBEDDING, IMAGE, TEXT]"),
    "inference_type": ({"byInferenceType": "on_demand"}, "byInferenceType", "[ON_DEMAND, PROVISIONED]"),
    "customization_type": ({"byCustomizationType": "X"}, "byCustomizationType", "FINE_TUNING"),
    "provider": ({"byProvider": "No/Body"}, "byProvider", "[A-Za-z0-9- ]{1,63}"),
    "provider_too_long": ({"byProvider": "x" * 64}, "byProvider", "[A-Za-z0-9- ]{1,63}"),
}


@pytest.mark.parametrize("filters, member, allowed", REFUSED.values(), ids=REFUSED)
def test_a_filter_outside_its_constraint_is_refused_and_named(bedrock, filters, member, allowed):
    refused = refusal(bedrock.list_foundation_models, **filters)
    assert (refused.type, refused.status) == ("ValidationException", 400)
    (value,) = filters.values()
    assert refused.message.startswith(f"1 validation error detected: Value '{value}' at '{member}' "
                                      "failed to satisfy constraint: Member must satisfy ")
    assert allowed in refused.message


def test_every_broken_constraint_is_listed_at_once(bedrock):
    refused = refusal(bedrock.list_foundation_models, byOutputModality="SMELL", byInferenceType="NONE")
    assert refused.message.startswith("2 validation errors detected: ")
    assert "'byOutputModality'" in refused.message and "'byInferenceType'" in refused.message
