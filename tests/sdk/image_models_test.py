"""Models that make images, through boto3: each family, its tasks and refusals, by the engine that needs no model.

With CRATON_TEST_PICTURES=FOLDER the pictures are left there for people to look at."""
import base64
import concurrent.futures
import io
import json
import os
import pathlib
import struct
import urllib.request
import zlib

import pytest

import craton
from craton import refusal

TITAN, TITAN_V2, NOVA = ("amazon.titan-image-generator-v1", "amazon.titan-image-generator-v2:0",
                         "amazon.nova-canvas-v1:0")
SDXL, SDXL_0_8, SDXL_OLD = ("stability.stable-diffusion-xl-v1", "stability.stable-diffusion-xl-v0",
                            "stability.stable-diffusion-xl")
SD3, SD3_5 = "stability.sd3-large-v1:0", "stability.sd3-5-large-v1:0"
CORE, ULTRA = "stability.stable-image-core-v1:1", "stability.stable-image-ultra-v1:1"
STAND_IN = "drawn without a model"


@pytest.fixture
def runtime(bare):
    return bare.client("bedrock-runtime")


class Png:
    """A picture as the file holds it: width, height, channels, rows of bytes, texts. PNG of 8 bits, not interlaced."""

    def __init__(self, data):
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        self.texts, packed, at = {}, b"", 8
        while at < len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            content = data[at + 8:at + 8 + size]
            assert zlib.crc32(kind + content) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
            at += 12 + size
            if kind == b"IHDR":
                self.width, self.height, depth, color = struct.unpack(">IIBB", content[:10])
                assert depth == 8
                self.channels = {0: 1, 2: 3, 6: 4}[color]
            elif kind == b"tEXt":
                keyword, text = content.split(b"\0", 1)
                self.texts[keyword.decode()] = text.decode()
            elif kind == b"IDAT":
                packed += content
        assert kind == b"IEND"
        self.rows = list(self._unfiltered(zlib.decompress(packed)))

    def _unfiltered(self, raw):
        stride, above = self.width * self.channels, bytes(self.width * self.channels)
        assert len(raw) == (stride + 1) * self.height
        for y in range(self.height):
            row = raw[y * (stride + 1):(y + 1) * (stride + 1)]
            assert row[0] in (0, 2), "none or up"
            above = bytes(map(lambda a, b: (a + b) & 255, row[1:], above)) if row[0] == 2 else row[1:]
            yield above

    def pixel(self, x, y):
        return tuple(self.rows[y][x * self.channels:(x + 1) * self.channels])

    @property
    def size(self):
        return self.width, self.height


def png(width, height, color_at, channels=3):
    """A file of what `color_at(x, y)` says."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(value for x in range(width) for value in color_at(x, y)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def encoded(data):
    return base64.b64encode(data).decode()


SIDE = 64
SOURCE = png(SIDE, SIDE, lambda x, y: (40, 60, 120) if (x - 32) ** 2 + (y - 32) ** 2 < 300 else (230, 220 - y, 200))
MASK = png(SIDE, SIDE, lambda x, y: (0, 0, 0) if x < SIDE // 2 else (255, 255, 255))
WRONG_MASK = png(SIDE, SIDE - 1, lambda x, y: (0, 0, 0))
WORDS = "a paper boat on a pond, 종이배"


def invoke(runtime, model, body, **more):
    """The reply and the headers."""
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body), **more)
    return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]


def refused(runtime, model, body):
    error = refusal(runtime.invoke_model, modelId=model, body=body if isinstance(body, str) else json.dumps(body))
    assert (error.type, error.status) == ("ValidationException", 400)
    return error.message


def malformed(problems):
    return f"Malformed input request: {problems}, please reformat your input and try again."


def shown(name, data, form="png"):
    folder = os.environ.get("CRATON_TEST_PICTURES")
    if folder:
        pathlib.Path(folder, f"{name}.{form}").write_bytes(data)
    return data


def task(name, params, config=None, **members):
    return {"taskType": name, params: members, **({"imageGenerationConfig": config} if config else {})}


def text_image(config=None, **members):
    return task("TEXT_IMAGE", "textToImageParams", config, **{"text": WORDS, **members})


def sdxl(**members):
    return {"text_prompts": [{"text": WORDS}], **members}


SIZE = {"width": 512, "height": 512}
IMAGE, MASK_IMAGE = encoded(SOURCE), encoded(MASK)

# A row: model, body, the size of the pictures, how many, and whether a mask comes with them.
AMAZON = {
    "text": (TITAN, text_image(SIZE), (512, 512), 1, False),
    "text-default": (TITAN, text_image(), (1024, 1024), 1, False),
    "text-5": (TITAN, text_image({"width": 384, "height": 640, "numberOfImages": 5, "seed": 2147483646}),
               (384, 640), 5, False),
    "text-v2": (TITAN_V2, text_image({"width": 1173, "height": 640}), (1173, 640), 1, False),
    "condition-edges": (TITAN_V2, text_image(SIZE, conditionImage=IMAGE, controlMode="CANNY_EDGE"), (512, 512), 1,
                        False),
    "condition-segments": (TITAN_V2, text_image(SIZE, conditionImage=IMAGE, controlMode="SEGMENTATION",
                                                controlStrength=1.0), (512, 512), 1, False),
    "inpaint": (TITAN, task("INPAINTING", "inPaintingParams", image=IMAGE, maskImage=MASK_IMAGE, text=WORDS,
                            returnMask=True), (SIDE, SIDE), 1, True),
    "inpaint-remove": (TITAN, task("INPAINTING", "inPaintingParams", image=IMAGE, maskPrompt="the disc"),
                       (SIDE, SIDE), 1, False),
    "outpaint": (TITAN_V2, task("OUTPAINTING", "outPaintingParams", {"numberOfImages": 2}, image=IMAGE,
                                maskImage=MASK_IMAGE, text=WORDS, outPaintingMode="PRECISE", returnMask=True),
                 (SIDE, SIDE), 2, True),
    "outpaint-words": (TITAN, task("OUTPAINTING", "outPaintingParams", image=IMAGE, maskPrompt="the disc",
                                   text=WORDS, returnMask=True), (SIDE, SIDE), 1, True),
    "variation": (TITAN, task("IMAGE_VARIATION", "imageVariationParams", SIZE, images=[IMAGE] * 5,
                              similarityStrength=0.2), (512, 512), 1, False),
    "colors": (TITAN_V2, task("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams", SIZE, text=WORDS,
                              colors=["#ff8080", "#ffb280"], referenceImage=IMAGE), (512, 512), 1, False),
    "background": (TITAN_V2, task("BACKGROUND_REMOVAL", "backgroundRemovalParams", image=IMAGE), (SIDE, SIDE), 1,
                   False),
    "nova-text": (NOVA, text_image({"width": 320, "height": 1280, "numberOfImages": 2}, style="DESIGN_SKETCH"),
                  (320, 1280), 2, False),
    "nova-inpaint": (NOVA, task("INPAINTING", "inPaintingParams", image=IMAGE, maskPrompt="it", text=WORDS),
                     (SIDE, SIDE), 1, False),
    "nova-outpaint": (NOVA, task("OUTPAINTING", "outPaintingParams", image=IMAGE, maskImage=MASK_IMAGE, text=WORDS),
                      (SIDE, SIDE), 1, False),
    "nova-variation": (NOVA, task("IMAGE_VARIATION", "imageVariationParams", {"width": 336, "height": 320},
                                  images=[IMAGE], text=WORDS), (336, 320), 1, False),
    "nova-colors": (NOVA, task("COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams",
                               {"width": 320, "height": 320}, text=WORDS, colors=["#00FF00"]), (320, 320), 1, False),
    "nova-background": (NOVA, task("BACKGROUND_REMOVAL", "backgroundRemovalParams", image=IMAGE), (SIDE, SIDE), 1,
                        False),
    "nova-try-on": (NOVA, task("VIRTUAL_TRY_ON", "virtualTryOnParams", sourceImage=IMAGE, referenceImage=MASK_IMAGE,
                               maskType="GARMENT", garmentBasedMask={"garmentClass": "UPPER_BODY"},
                               returnMask=True), (SIDE, SIDE), 1, True),
}


@pytest.mark.parametrize("name", AMAZON)
def test_titan_and_nova_do_their_tasks(runtime, name):
    model, body, size, count, has_mask = AMAZON[name]
    reply, headers = invoke(runtime, model, body)
    assert list(reply) == (["images", "maskImage", "error"] if has_mask else ["images", "error"])
    assert reply["error"] is None and len(reply["images"]) == count
    assert headers["content-type"] == "application/json"
    assert headers["x-craton-engine"] == "canvas" and headers["x-craton-stand-in"] == STAND_IN
    assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0
    assert not any(name.endswith("token-count") for name in headers)
    for i, image in enumerate(reply["images"]):
        picture = Png(shown(f"{name}-{i}", base64.b64decode(image, validate=True)))
        assert picture.size == size
        assert picture.texts == {"Software": "Craton, engine canvas, model canvas", "Comment": STAND_IN}
    if has_mask:
        mask = Png(base64.b64decode(reply["maskImage"]))
        assert mask.size == size
        assert {mask.pixel(x, y) for x in range(SIDE) for y in range(SIDE)} <= {(0, 0, 0), (255, 255, 255)}
    again, _ = invoke(runtime, model, body)
    assert again == reply, "the same seed"


def first_picture(runtime, model, body):
    return Png(base64.b64decode(invoke(runtime, model, body)[0]["images"][0]))


@pytest.mark.parametrize("model", [TITAN, TITAN_V2, NOVA])
def test_a_mask_is_kept_to(runtime, model):
    """Black is what inpainting changes and outpainting keeps."""
    source = Png(SOURCE)
    for name, params, changed in (("INPAINTING", "inPaintingParams", range(32)),
                                  ("OUTPAINTING", "outPaintingParams", range(32, 64))):
        picture = first_picture(runtime, model, task(name, params, image=IMAGE, maskImage=MASK_IMAGE, text=WORDS))
        differing = {x for x in range(SIDE) for y in range(SIDE) if picture.pixel(x, y) != source.pixel(x, y)}
        assert differing and differing <= set(changed), name


def test_the_background_is_transparent(runtime):
    picture = first_picture(runtime, TITAN_V2, task("BACKGROUND_REMOVAL", "backgroundRemovalParams", image=IMAGE))
    assert picture.channels == 4
    assert picture.pixel(0, 0)[3] == 0 and picture.pixel(32, 32) == (40, 60, 120, 255)


def test_similarity_is_kept(runtime):
    def distance(similarity):
        picture = first_picture(runtime, TITAN, task("IMAGE_VARIATION", "imageVariationParams", SIZE, images=[IMAGE],
                                                     text=WORDS, similarityStrength=similarity))
        return sum(abs(picture.pixel(x, y)[0] - 230) for x in range(0, 60) for y in range(0, 60))

    assert distance(1) < distance(0.6) < distance(0.2)


def test_seed_prompt_and_style_make_the_picture(runtime):
    bodies = [text_image(SIZE), text_image({**SIZE, "seed": 43}), text_image(SIZE, text="a boat"),
              text_image(SIZE, negativeText="fog")]
    assert len({invoke(runtime, TITAN, body)[0]["images"][0] for body in bodies}) == 4
    assert invoke(runtime, TITAN, text_image({**SIZE, "seed": 42}))[0] == invoke(runtime, TITAN, bodies[0])[0]
    three = invoke(runtime, TITAN, text_image({**SIZE, "seed": 1, "numberOfImages": 3}))[0]["images"]
    assert three[2] == invoke(runtime, TITAN, text_image({**SIZE, "seed": 3}))[0]["images"][0]
    styles = {invoke(runtime, SDXL, sdxl(seed=1, style_preset=style))[0]["artifacts"][0]["base64"]
              for style in ("anime", "pixel-art", "line-art")}
    assert len(styles) == 3


SDXL_FORMS = {
    "text": (SDXL, sdxl(), (1024, 1024)),
    "text-wide": (SDXL, sdxl(width=1536, height=640, cfg_scale=0, steps=50, sampler="K_EULER", samples=1,
                             clip_guidance_preset="NONE", extras={}), (1536, 640)),
    "text-0.8": (SDXL_0_8, sdxl(), (512, 512)),
    "text-old": (SDXL_OLD, sdxl(width=640, height=448), (640, 448)),
    "weights": (SDXL, {"text_prompts": [{"text": "a", "weight": 1}, {"text": "b", "weight": -1}]}, (1024, 1024)),
    "image": (SDXL, sdxl(init_image=IMAGE, image_strength=0.5), (SIDE, SIDE)),
    "image-schedule": (SDXL, sdxl(init_image=IMAGE, init_image_mode="STEP_SCHEDULE", step_schedule_start=0.3),
                       (SIDE, SIDE)),
    "mask-white": (SDXL, sdxl(init_image=IMAGE, mask_source="MASK_IMAGE_WHITE", mask_image=MASK_IMAGE), (SIDE, SIDE)),
    "mask-black": (SDXL, sdxl(init_image=IMAGE, mask_source="MASK_IMAGE_BLACK", mask_image=MASK_IMAGE), (SIDE, SIDE)),
    "mask-alpha": (SDXL, sdxl(init_image=encoded(png(SIDE, SIDE, lambda x, y: (9, 9, 9, 255 * (x > 9)), 4)),
                              mask_source="INIT_IMAGE_ALPHA"), (SIDE, SIDE)),
}


@pytest.mark.parametrize("name", SDXL_FORMS)
def test_sdxl_does_its_tasks(runtime, name):
    model, body, size = SDXL_FORMS[name]
    reply, headers = invoke(runtime, model, {**body, "seed": 4294967295})
    assert list(reply) == ["result", "artifacts"] and reply["result"] == "success"
    (artifact,) = reply["artifacts"]
    assert list(artifact) == ["seed", "base64", "finishReason"]
    assert (artifact["seed"], artifact["finishReason"]) == (4294967295, "SUCCESS")
    picture = Png(shown(f"sdxl-{name}", base64.b64decode(artifact["base64"])))
    assert picture.size == size
    assert headers["x-craton-stand-in"] == STAND_IN


def test_a_random_seed_is_told_and_gives_the_picture_again(runtime):
    for body in (sdxl(), sdxl(seed=0)):
        (artifact,) = invoke(runtime, SDXL, body)[0]["artifacts"]
        assert 0 < artifact["seed"] <= 4294967295
        assert invoke(runtime, SDXL, sdxl(seed=artifact["seed"]))[0]["artifacts"] == [artifact]
    seeds = {invoke(runtime, SD3, {"prompt": "a"})[0]["seeds"][0] for _ in range(3)}
    assert len(seeds) == 3


def test_sdxl_gives_the_file_itself(runtime):
    answer = runtime.invoke_model(modelId=SDXL, body=json.dumps(sdxl(seed=5)), accept="image/png")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert answer["contentType"] == "image/png" == headers["content-type"]
    assert (headers["seed"], headers["finish-reason"]) == ("5", "SUCCESS")
    data = answer["body"].read()
    assert Png(data).size == (1024, 1024)
    (artifact,) = invoke(runtime, SDXL, sdxl(seed=5), accept="application/json")[0]["artifacts"]
    assert base64.b64decode(artifact["base64"]) == data


ASPECTS = {"16:9": (1344, 768), "1:1": (1024, 1024), "21:9": (1536, 640), "2:3": (832, 1216), "3:2": (1216, 832),
           "4:5": (896, 1088), "5:4": (1088, 896), "9:16": (768, 1344), "9:21": (640, 1536)}


@pytest.mark.parametrize("model", [SD3, SD3_5, CORE, ULTRA, "stability.stable-image-core-v1:0",
                                   "stability.stable-image-ultra-v1:0"])
def test_stable_images_have_their_aspects(runtime, model):
    for aspect, size in ASPECTS.items():
        reply, _ = invoke(runtime, model, {"prompt": WORDS, "aspect_ratio": aspect, "seed": 5, "negative_prompt": "x"})
        assert list(reply) == ["seeds", "finish_reasons", "images"]
        assert reply["seeds"] == [5] and reply["finish_reasons"] == [None]
        data = base64.b64decode(reply["images"][0])
        assert struct.unpack(">II", data[16:24]) == size, aspect


@pytest.mark.parametrize("model,form,begins", [
    (SD3, "png", b"\x89PNG"), (CORE, "jpeg", b"\xff\xd8\xff"), (ULTRA, "jpeg", b"\xff\xd8\xff"), (SD3, "jpeg", b"\xff\xd8\xff"),
    (SD3_5, "webp", b"RIFF"),
])
def test_stable_images_come_in_the_format_that_is_asked_for(runtime, model, form, begins):
    reply, _ = invoke(runtime, model, {"prompt": WORDS, "output_format": form, "seed": 9})
    data = shown(f"stable-{form}", base64.b64decode(reply["images"][0]), form)
    assert data.startswith(begins) and STAND_IN.encode() in data


def test_stable_images_are_redrawn(runtime):
    body = {"prompt": WORDS, "mode": "image-to-image", "image": IMAGE, "strength": 0, "seed": 1}
    assert first_picture(runtime, SD3, body).rows == Png(SOURCE).rows, "a strength of nothing"
    assert first_picture(runtime, SD3, {**body, "strength": 1}).rows != Png(SOURCE).rows
    assert first_picture(runtime, ULTRA, {"prompt": WORDS, "image": IMAGE}).size == (SIDE, SIDE)


BOMB = png(1, 1, lambda x, y: (0, 0, 0)).replace(struct.pack(">II", 1, 1), struct.pack(">II", 60000, 60000), 1)
PARAMS = "inPaintingParams"


def inpainting(**members):
    return task("INPAINTING", PARAMS, **{"image": IMAGE, "maskImage": MASK_IMAGE, **members})


REFUSALS = {
    "long": (TITAN, text_image(text="x" * 536), malformed("#/textToImageParams/text: expected maxLength: 512, actual: 536")),
    "empty": (NOVA, text_image(text=""), malformed("#/textToImageParams/text: expected minLength: 1, actual: 0")),
    "nova-long": (NOVA, text_image(text="x" * 1025),
                  malformed("#/textToImageParams/text: expected maxLength: 1024, actual: 1025")),
    "task": (TITAN, {"taskType": "VIDEO"}, malformed("#/taskType: VIDEO is not a valid enum value")),
    "no-task": (TITAN, {}, malformed("#: required key [taskType] not found")),
    "no-json": (TITAN, "{", "Malformed input request, please reformat your input and try again."),
    "v1-colors": (TITAN, {"taskType": "COLOR_GUIDED_GENERATION"},
                  malformed("#/taskType: COLOR_GUIDED_GENERATION is not a valid enum value")),
    "count": (TITAN, text_image({"numberOfImages": 6}),
              malformed("#/imageGenerationConfig/numberOfImages: 6 is not less or equal to 5")),
    "unknown": (TITAN, text_image({"steps": 6}), malformed("#/imageGenerationConfig: extraneous key [steps] is not permitted")),
    "seed": (NOVA, text_image({"seed": 858993460}),
             malformed("#/imageGenerationConfig/seed: 858993460 is not less or equal to 858993459")),
    "size": (TITAN, text_image({"width": 1000, "height": 1000}),
             malformed("#/imageGenerationConfig: width 1000 and height 1000 are not a supported size")),
    "multiple": (NOVA, text_image({"width": 1000}),
                 malformed("#/imageGenerationConfig/width: 1000 is not a multiple of 16")),
    "base64": (TITAN, inpainting(image="no base64"), "400 Bad Request: The image is not valid base64. "),
    "data-uri": (TITAN, inpainting(image="data:image/png;base64," + IMAGE), "400 Bad Request: The image is not valid base64. "),
    "no-image": (TITAN, inpainting(image=encoded(b"hello")), "400 Bad Request: The image is not a PNG or JPEG image. "),
    "cut": (TITAN, inpainting(image=encoded(SOURCE[:-20])), "400 Bad Request: The image is damaged or ends too early. "),
    "bomb": (TITAN, inpainting(image=encoded(BOMB)), "400 Bad Request: Image exceeds max pixels allowed. "),
    "mask-bomb": (NOVA, inpainting(maskImage=encoded(BOMB)),
                  malformed("#/inPaintingParams/maskImage: the image has more than 4096 pixels in a side or 4194304 in all")),
    "mask-size": (TITAN, inpainting(maskImage=encoded(WRONG_MASK)),
                  "400 Bad Request: The mask is 64x63 and the image 64x64; they must be of the same size. "),
    "two-masks": (TITAN, inpainting(maskPrompt="a"), malformed("#/inPaintingParams: 2 subschemas matched instead of one")),
    "sdxl-none": (SDXL, {"text_prompts": []}, malformed("#/text_prompts: expected minimum item count: 1, found: 0")),
    "sdxl-size": (SDXL, sdxl(width=512, height=512),
                  "for stable-diffusion-xl-1024-v0-9 and stable-diffusion-xl-1024-v1-0 the allowed dimensions are "
                  "1024x1024, 1152x896, 1216x832, 1344x768, 1536x640, 640x1536, 768x1344, 832x1216, 896x1152, "
                  "but we received 512x512"),
    "sdxl-samples": (SDXL, sdxl(samples=2), malformed("#/samples: 2 is not less or equal to 1")),
    "sdxl-mask": (SDXL, sdxl(init_image=IMAGE, mask_source="MASK_IMAGE_WHITE"), malformed("#: required key [mask_image] not found")),
    "sdxl-bomb": (SDXL, sdxl(init_image=encoded(BOMB)),
                  malformed("#/init_image: the image has more than 4096 pixels in a side or 4194304 in all")),
    "stable-prompt": (SD3, {}, malformed("#: required key [prompt] not found")),
    "stable-aspect": (CORE, {"prompt": "a", "aspect_ratio": "4:3"}, malformed("#/aspect_ratio: 4:3 is not a valid enum value")),
    "stable-strength": (SD3, {"prompt": "a", "mode": "image-to-image", "image": IMAGE},
                        malformed("#: required key [strength] not found")),
    "stable-bomb": (SD3, {"prompt": "a", "mode": "image-to-image", "strength": 1, "image": encoded(BOMB)},
                    malformed("#/image: the image has more than 9437184 pixels")),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_bedrock_refuses_is_refused(runtime, name):
    model, body, message = REFUSALS[name]
    assert refused(runtime, model, body) == message


def test_bombs_take_no_memory(bare, runtime):
    refused(runtime, TITAN, inpainting(image=encoded(BOMB)))
    before = bare.memory_kib()
    for _ in range(20):
        refused(runtime, TITAN, inpainting(image=encoded(BOMB)))
    assert bare.memory_kib() - before < 20_000


def test_every_cut_of_a_picture_is_refused(runtime):
    for size in range(0, len(SOURCE) - 1, 97):
        assert refused(runtime, NOVA, inpainting(image=encoded(SOURCE[:size]))).startswith("Malformed input request: #/inPa")


def test_images_are_neither_streamed_nor_conversed(runtime):
    for model, body in ((TITAN, text_image()), (SDXL, sdxl()), (SD3_5, {"prompt": "a"}), (NOVA, text_image())):
        error = refusal(runtime.invoke_model_with_response_stream, modelId=model, body=json.dumps(body))
        assert (error.type, error.message) == ("ValidationException", "The model is unsupported for streaming.")
        error = refusal(runtime.converse, modelId=model, messages=[{"role": "user", "content": [{"text": "a"}]}])
        assert (error.type, error.message) == (
            "ValidationException", "This action doesn't support the model that you provided. Try again with a supported "
            "text or chat model.")


def test_faults_strike_images_too(bare):
    def ask(fault):
        request = urllib.request.Request(f"{bare.url}/model/{TITAN}/invoke", json.dumps(text_image(SIZE)).encode(),
                                         {"Content-Type": "application/json", "x-craton-fault": fault})
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request)
        return raised.value

    error = ask("ThrottlingException")
    assert error.code == 429 and error.headers["x-amzn-ErrorType"].startswith("ThrottlingException")


def test_a_binding_to_a_model_that_writes_is_passed_over():
    with craton.serving("--model", "none", "--bind", "stability.*=canvas") as server:
        runtime = server.client("bedrock-runtime")
        assert invoke(runtime, SD3, {"prompt": "a"})[1]["x-craton-engine"] == "canvas"
        error = refusal(runtime.converse, modelId="anthropic.claude-3-haiku-20240307-v1:0",
                        messages=[{"role": "user", "content": [{"text": "a"}]}])
        assert error.type == "ModelNotReadyException"


def test_many_callers_are_drawn_for_or_throttled(runtime):
    def ask(seed):
        try:
            return invoke(runtime, TITAN, text_image({"seed": seed}))[0]["images"][0]
        except Exception as error:
            assert "Too many requests" in str(error)
            return None

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        pictures = list(pool.map(ask, range(48)))
    assert len({picture for picture in pictures if picture}) >= 16


def test_ended_models_are_still_to_be_had_but_in_today(today):
    error = refusal(today.client("bedrock-runtime").invoke_model, modelId=NOVA, body=json.dumps(text_image()))
    assert error.type == "ResourceNotFoundException"
