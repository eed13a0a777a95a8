"""What the READMEs tell a reader to type works as it stands.

A block below `<!-- test: LANGUAGE -->` is run, with the environment that `craton serve` prints.
"""
import os
import re
import subprocess
import sys

import pytest

import craton

BLOCK = re.compile(r"^<!-- test: (\w+) -->\n```\w+\n(.*?)^```$", re.M | re.S)
RUNNERS = {"python": [sys.executable, "-c"], "sh": ["sh", "-ec"]}
READMES = ("README.md", "README.ko.md")


def text_of(readme):
    return (craton.SOURCE / readme).read_text(encoding="utf-8")


def blocks():
    return [pytest.param(language, code, id=f"{readme}-{number}-{language}") for readme in READMES
            for number, (language, code) in enumerate(BLOCK.findall(text_of(readme)), 1)]


@pytest.mark.parametrize("language, code", blocks())
def test_a_block_runs_and_prints_something(smol, tmp_path, language, code):
    exported = dict(word.split("=", 1) for line in smol.output().splitlines()
                    if line.startswith("export ") for word in line.split()[1:])
    environment = craton.clean_environment(**exported, AWS_PAGER="")
    environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), environment["PATH"]])
    done = subprocess.run([*RUNNERS[language], code], env=environment, cwd=tmp_path, text=True,
                          capture_output=True, timeout=craton.patience(100))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("readme", READMES)
def test_every_readme_has_blocks_that_are_run(readme):
    assert {language for language, _ in BLOCK.findall(text_of(readme))} == set(RUNNERS)


@pytest.mark.parametrize("readme", READMES)
def test_the_exported_lines_are_those_that_serve_prints(bare, readme):
    printed = bare.output().replace(str(bare.port), "8420")
    exports = [line for line in text_of(readme).splitlines() if line.startswith("export AWS_")]
    assert exports and all(line in printed.splitlines() for line in exports)


@pytest.mark.parametrize("readme", READMES)
def test_the_profile_points_boto3_at_the_server(bare, tmp_path, readme):
    (profile,) = re.findall(r"^```ini\n(.*?)^```$", text_of(readme), re.M | re.S)
    config = tmp_path / "config"
    config.write_text(profile.replace("http://127.0.0.1:8420", bare.url))
    name = re.search(r"\[profile (\w+)\]", profile)[1]
    done = subprocess.run(
        [sys.executable, "-c", "import boto3\nprint(boto3.client('bedrock').list_foundation_models())"],
        env=craton.clean_environment(AWS_CONFIG_FILE=str(config), AWS_PROFILE=name),
        capture_output=True, text=True, timeout=craton.patience(60))
    assert done.returncode == 0, done.stderr
    assert "modelSummaries" in done.stdout


@pytest.mark.parametrize("readme", READMES)
def test_every_link_to_a_file_leads_somewhere(readme):
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", text_of(readme))
    assert links
    assert [link for link in links if not (craton.SOURCE / link).exists()] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_command_that_is_shown_exists(readme):
    shown = set(re.findall(r"^(?:build/release/)?craton (\w+)", text_of(readme), re.M))
    assert shown
    for command in shown:
        assert craton.run_craton(command, "--help").returncode == 0, command
