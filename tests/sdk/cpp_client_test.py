"""The C++ client as a user has it: installed, found by CMake and pkg-config, examples/cpp-client built
on it and run against a server."""
import os
import re
import shutil
import subprocess

import pytest

import craton

BUILD = craton.BINARY.parent
EXAMPLE = craton.SOURCE / "examples" / "cpp-client"

pytestmark = pytest.mark.skipif(craton.sanitized(), reason="only builds without sanitizers install")


def run(*arguments, **options):
    done = subprocess.run([*map(str, arguments)], capture_output=True, text=True,
                          timeout=craton.patience(300), **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "client")
    return prefix


@pytest.fixture(scope="module")
def example(installed, tmp_path_factory):
    build = tmp_path_factory.mktemp("example")
    run("cmake", "-S", EXAMPLE, "-B", build, f"-DCMAKE_PREFIX_PATH={installed}", "-DCMAKE_BUILD_TYPE=Debug",
        "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
    run("cmake", "--build", build, "--parallel", "2")
    return build


def test_the_seed_page_in_cpp(example, qwen):
    lines = run(example / "foundation_model_test", env=craton.sdk_environment(qwen.url)).splitlines()
    assert len(lines) > 56 and "Anthropic  anthropic.claude-3-haiku-20240307-v1:0" in lines
    assert re.fullmatch(r".*서울.* \(\d+ tokens\)", lines[-2])
    assert "서울" in lines[-1]


def test_coroutines(example, qwen):
    answers = run(example / "many_questions", env=craton.sdk_environment(qwen.url))
    assert len(answers.splitlines()) == 8 and "8 + 1" in answers


def test_it_says_what_to_do_where_nothing_is_configured(example):
    done = subprocess.run([example / "foundation_model_test"], env=craton.clean_environment(),
                          capture_output=True, text=True, timeout=craton.patience(60))
    assert done.returncode == 1 and "AWS_ACCESS_KEY_ID" in done.stderr


def test_pkg_config_finds_it(installed, tmp_path, qwen):
    found = next(installed.rglob("craton.pc")).parent
    flags = run("pkg-config", "--cflags", "--libs", "craton",
                env={**os.environ, "PKG_CONFIG_PATH": str(found)}).split()
    program = tmp_path / "program"
    run("g++", "-std=c++20", EXAMPLE / "foundation_model_test.cc", *flags, "-o", program)
    environment = craton.sdk_environment(qwen.url, LD_LIBRARY_PATH=str(next(installed.rglob("libcraton.so")).parent))
    assert "서울" in run(program, env=environment)


@pytest.mark.skipif(not shutil.which("nm"), reason="nm is not there")
def test_the_library_shows_nothing_of_what_it_is_made_of(installed):
    library = next(installed.rglob("libcraton.so"))
    symbols = run("nm", "-DC", "--defined-only", library)
    for inside in ("curl_easy_init", "aws_credentials_provider_new_profile", "nghttp2_", "SSL_new"):
        assert inside not in symbols
