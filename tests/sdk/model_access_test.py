"""Model access: agreements and the use-case form, asked for by boto3 and kept over restarts."""
import pytest

import craton

MISTRAL = "mistral.mistral-7b-instruct-v0:2"
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
NOVA = "amazon.nova-lite-v1:0"
FORM = b'{"companyName":"Acme","intendedUsers":"1","useCases":"tests"}'
NO_ACCESS = "You don't have access to the model with the specified model ID."
FLAGS = ("--model", "none", "--bind", "*=script:rules.yaml", "--access", "on-request")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules: [{answer: yes}]\n")
    return tmp_path


def serving(folder, *flags):
    return craton.serving(*FLAGS, "--store", folder / "kept" / "craton.db", *flags, cwd=folder)


def ask(server, model, region="us-east-1"):
    return server.client("bedrock-runtime", region).converse(
        modelId=model, messages=[{"role": "user", "content": [{"text": "hi"}]}])


def refused(server, model, region="us-east-1"):
    return craton.refusal(server.client("bedrock-runtime", region).converse, modelId=model,
                          messages=[{"role": "user", "content": [{"text": "hi"}]}])


def agree(server, model, region="us-east-1"):
    bedrock = server.client("bedrock", region)
    offers = bedrock.list_foundation_model_agreement_offers(modelId=model, offerType="PUBLIC")
    assert offers["offers"][0]["termDetails"]["usageBasedPricingTerm"]["rateCard"]
    answer = bedrock.create_foundation_model_agreement(
        modelId=model, offerToken=offers["offers"][0]["offerToken"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202


def available(server, model, region="us-east-1"):
    found = server.client("bedrock", region).get_foundation_model_availability(modelId=model)
    assert found["entitlementAvailability"] == found["agreementAvailability"]["status"]
    return found["entitlementAvailability"] == "AVAILABLE"


def test_a_model_is_asked_for_granted_and_given_back(folder):
    with serving(folder) as server:
        assert ask(server, NOVA)["stopReason"]
        assert not (folder / "kept").exists(), "reading makes no file"
        refusal = refused(server, MISTRAL)
        assert (refusal.status, refusal.type, refusal.message) == (403, "AccessDeniedException", NO_ACCESS)
        agree(server, MISTRAL)
        assert ask(server, MISTRAL)["output"] and available(server, MISTRAL)
        assert refused(server, MISTRAL, "us-west-2").type == "AccessDeniedException"
        bedrock = server.client("bedrock")
        bedrock.delete_foundation_model_agreement(modelId=MISTRAL)
        assert refused(server, MISTRAL).type == "AccessDeniedException" and not available(server, MISTRAL)
        again = craton.refusal(bedrock.delete_foundation_model_agreement, modelId=MISTRAL)
        assert again.type == "ResourceNotFoundException"


def test_a_made_up_token_is_refused(folder):
    with serving(folder) as server:
        refusal = craton.refusal(server.client("bedrock").create_foundation_model_agreement,
                                 modelId=MISTRAL, offerToken="bWFkZSB1cA==")
        assert refusal.type == "ValidationException" and "offer token" in refusal.message


def test_anthropics_models_ask_for_the_form_first(folder):
    with serving(folder) as server:
        bedrock = server.client("bedrock")
        assert craton.refusal(bedrock.get_use_case_for_model_access).type == "ResourceNotFoundException"
        with pytest.raises(bedrock.exceptions.ResourceNotFoundException, match="use case details"):
            agree(server, CLAUDE)
        bedrock.put_use_case_for_model_access(formData=FORM)
        assert bedrock.get_use_case_for_model_access()["formData"] == FORM
        agree(server, CLAUDE)
        assert ask(server, CLAUDE)["stopReason"]
        with pytest.raises(bedrock.exceptions.ConflictException):
            agree(server, CLAUDE)


def test_what_was_granted_survives_kill_and_is_shared(folder):
    with craton.serving(*FLAGS, "--store", folder / "craton.db", cwd=folder) as other:
        server = craton.Server(*FLAGS, "--store", folder / "craton.db", cwd=folder)
        server.client("bedrock").put_use_case_for_model_access(formData=FORM)
        agree(server, CLAUDE)
        server.kill()
        assert ask(other, CLAUDE)["stopReason"], "two servers share a file"
    with craton.serving(*FLAGS, "--store", folder / "craton.db", cwd=folder) as server:
        assert ask(server, CLAUDE)["stopReason"]
        assert server.client("bedrock").get_use_case_for_model_access()["formData"] == FORM


def test_memory_forgets(folder):
    for _ in range(2):
        with craton.serving(*FLAGS, "--store", "memory", cwd=folder) as server:
            assert refused(server, MISTRAL).type == "AccessDeniedException"
            agree(server, MISTRAL)
            assert ask(server, MISTRAL)["stopReason"]


def test_a_damaged_store_is_told_the_operator(folder):
    (folder / "craton.db").write_bytes(b"x" * 5000)
    with craton.serving(*FLAGS, "--store", folder / "craton.db", cwd=folder) as server:
        refusal = refused(server, MISTRAL)
        assert refusal.type == "InternalServerException" and "craton.db" not in refusal.message
        assert ask(server, NOVA)["stopReason"], "what needs no store is answered"
        assert "craton.db" in server.wait_for_log("store_failed") and "--store" in server.log()
    report = craton.run_craton("doctor", "--data", folder, "--port", "0", CRATON_STORE="")
    assert "FAIL  store" in report.stdout and report.returncode == 1


def test_the_file_is_in_the_data_folder_unless_told(folder):
    with craton.serving(*FLAGS, "--data", folder / "data", cwd=folder, CRATON_STORE="") as server:
        agree(server, MISTRAL)
    assert (folder / "data" / "craton.db").is_file()


def test_all_is_granted_unless_told(bare):
    assert available(bare, CLAUDE) and available(bare, MISTRAL)
