"""Pictures by a model, through boto3: a model of random weights, in the process of its own that draws."""
import base64
import json
import os
import pathlib
import signal
import subprocess

import pytest

import craton
from craton import refusal
from image_models_test import SDXL_0_8, TITAN_V2, Png

pytestmark = pytest.mark.skipif("CRATON_TINY_DIFFUSION_MODEL" not in os.environ,
                                reason="built without CRATON_DIFFUSION")


@pytest.fixture(scope="module")
def drawing(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    model, taesd = folder / "tiny.safetensors", folder / "taesd.safetensors"
    subprocess.run([os.environ["CRATON_TINY_DIFFUSION_MODEL"], model, taesd], check=True)
    (folder / "craton.yaml").write_text(
        f"model: none\nmodels:\n  tiny: {{file: {model}, taesd: {taesd}, threads: 1}}\n"
        'bind:\n  "stability.stable-diffusion-xl*": tiny\n')
    with craton.serving("--config", folder / "craton.yaml") as server:
        yield server


def draw(server, **more):
    body = {"text_prompts": [{"text": "a rock"}], "width": 128, "height": 128, "steps": 10, "seed": 7, **more}
    answer = server.client("bedrock-runtime").invoke_model(modelId=SDXL_0_8, body=json.dumps(body))
    told = json.loads(answer["body"].read())
    return Png(base64.b64decode(told["artifacts"][0]["base64"])), answer["ResponseMetadata"]["HTTPHeaders"]


def test_a_bound_model_draws_and_says_so(drawing):
    picture, headers = draw(drawing)
    assert (picture.width, picture.height) == (128, 128)
    assert headers["x-craton-engine"] == "diffusion" and headers["x-craton-model"] == "tiny"
    assert "x-craton-stand-in" not in headers
    assert "drawn" in drawing.wait_for_log(" drawn ")


def test_what_it_cannot_do_is_refused(drawing):
    missing = refusal(drawing.client("bedrock-runtime").invoke_model, modelId=SDXL_0_8, body=json.dumps(
        {"text_prompts": [{"text": "a rock"}], "width": 100, "height": 128}))
    assert missing.type == "ValidationException"
    answer = drawing.client("bedrock-runtime").invoke_model(modelId=TITAN_V2, body=json.dumps(
        {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a rock"},
         "imageGenerationConfig": {"width": 320, "height": 704}}))
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-craton-engine"] == "canvas", "bound to no other"


def workers(server):
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()
            and (entry / "comm").exists() and (entry / "comm").read_text().startswith("craton-diffusio")
            and f"PPid:\t{server.process.pid}\n" in (entry / "status").read_text()]


def test_a_worker_that_is_killed_is_started_again(drawing):
    draw(drawing)
    first = workers(drawing)
    assert len(first) == 1
    os.kill(first[0], signal.SIGKILL)
    drawing.wait_for_log("diffusion_worker_ended")
    picture, _ = draw(drawing)
    assert picture.width == 128
    assert workers(drawing) not in ([], first)
