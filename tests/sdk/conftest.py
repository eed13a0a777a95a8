"""The servers that tests share: one of each kind for a run of pytest, stopped at its end.

  smol   SmolLM2 135M: fast, for the machinery
  qwen   Qwen2.5 0.5B, the default model: for questions whose answer must be right
  bare   no model: the control plane
"""
import pytest

import craton


def pytest_sessionstart(session):
    if not craton.BINARY.is_file():
        raise pytest.UsageError(f"{craton.BINARY}: no such program; build it (scripts/build), or name "
                                "it in CRATON_BINARY")


# Texts are compared with texts: see "The same answer each time" in docs/engine-llama.md.
REPEATABLE = ("--prefix-cache", "off", "--speculation", "off")


def serving_model(name):
    try:
        return craton.Server("--model", name, *REPEATABLE)
    except AssertionError as error:
        pytest.fail(f"{error}\nWhere the model is missing: craton pull {name}", pytrace=False)


@pytest.fixture(scope="session")
def smol():
    server = serving_model(craton.SMOL).wait_ready()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def qwen():
    server = serving_model(craton.QWEN).wait_ready()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bare():
    server = craton.Server("--model", "none")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def seed():
    server = craton.Server("--model", "none", "--catalog", "seed")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def today():
    server = craton.Server("--model", "none", "--catalog", "today")
    yield server
    server.stop()


@pytest.fixture
def runtime(smol):
    return smol.client("bedrock-runtime")


@pytest.fixture
def bedrock(bare):
    return bare.client("bedrock")
