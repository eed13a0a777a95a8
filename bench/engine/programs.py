"""The programs under measurement: how they are built, started, asked for their peak memory and stopped."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODEL_LOAD_LIMIT_S = 300


class ProgramError(Exception):
    """A program did not build, start or answer; the text says which and why."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("CRATON_CACHE_DIR") or pathlib.Path(base) / "craton")


def physical_cores():
    """Of those that this process may use, one for each core."""
    allowed = os.sched_getaffinity(0)
    cores = set()
    for entry in pathlib.Path("/proc/cpuinfo").read_text().split("\n\n"):
        fields = dict(re.findall(r"^(processor|physical id|core id)\s*: (\d+)$", entry, re.M))
        if fields and int(fields["processor"]) in allowed:
            cores.add((fields.get("physical id"), fields.get("core id", fields["processor"])))
    return len(cores) or len(allowed)


# --- Building --------------------------------------------------------------------------------------------

def call(*command):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise ProgramError(f"{' '.join(str(part) for part in command)}: exit status {done.returncode}\n"
                           + "\n".join(done.stdout.splitlines()[-30:]))


def build_craton(folder, jobs, gpu=""):
    if not (folder / "CMakeCache.txt").exists():
        call("cmake", "--preset", gpu or "release", "-B", folder, "-DCRATON_TESTS=OFF")
    call("cmake", "--build", folder, "--target", "craton", "-j", jobs)
    return folder / "craton"


LLAMA_PROGRAMS = ("llama-server", "llama-bench", "llama-batched-bench")


def programs_folder(gpu=""):
    """In the cache; another locked source, recipe, compiler or backend has another. They are built without patches."""
    ours = ("llama.cmake", "mtmd.cmake", "build_once.cmake", "processor.cmake", "amx_tile_config.h")
    recipe = [HERE / "llama" / "CMakeLists.txt", *(ROOT / "cmake" / name for name in ours)]
    compiler = subprocess.run(["g++", "--version"], capture_output=True, check=True).stdout
    source = json.loads((ROOT / "dependencies.lock").read_text())["llama.cpp"]["sha256"].encode()
    parts = [compiler, source, *(path.read_bytes() for path in recipe), *([gpu.encode()] if gpu else [])]
    key = hashlib.sha256(b"|".join(parts)).hexdigest()[:16]
    return cache_dir() / "builds" / f"llama.cpp-programs-{key}"


def build_llama_programs(jobs, gpu=""):
    """llama.cpp's own programs by name."""
    folder = programs_folder(gpu)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once: the second waits
        if not (folder / "complete").exists():
            # Another clone, which is gone perhaps, may have begun it.
            (folder / "CMakeCache.txt").unlink(missing_ok=True)
            call("cmake", "-G", "Ninja", "-S", HERE / "llama", "-B", folder, "-DCMAKE_BUILD_TYPE=Release",
                 "-DCMAKE_C_COMPILER=gcc", "-DCMAKE_CXX_COMPILER=g++", f"-DCRATON_GPU={gpu}")
            call("cmake", "--build", folder, "-j", jobs)
            (folder / "complete").touch()
    return llama_programs_in(folder)


def llama_programs_in(folder):
    missing = [name for name in LLAMA_PROGRAMS if not (folder / name).is_file()]
    if missing:
        raise ProgramError(f"no {missing[0]} in {folder}")
    return {name: folder / name for name in LLAMA_PROGRAMS}


# --- NVIDIA's GPUs ---------------------------------------------------------------------------------------

def of_gpu(what):
    """What nvidia-smi says of the first GPU, as text; "" without one."""
    try:
        asked = subprocess.run(["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader,nounits"],
                               capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return asked.stdout.splitlines()[0].strip() if asked.returncode == 0 and asked.stdout else ""


def gpu_memory_mib():
    """Taken of it, by whomever; None where nobody can tell."""
    used = of_gpu("memory.used")
    return int(used) if used.isdigit() else None


# --- Running ---------------------------------------------------------------------------------------------

def clean_environment():
    """Without what would steer one of the programs."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("CRATON_", "LLAMA_", "GGML_")) or name == "CRATON_CACHE_DIR"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_command(side, programs, port, model, threads, load):
    """Both with the same threads, answers at once and KV cells; all else is as each is delivered."""
    cells = load.context * load.parallel
    if side == "craton":
        return [programs["craton"], "serve", "--model", model, "--port", port, "--threads", threads,
                "--parallel", load.parallel, "--context", load.context, "--kv-cells", cells, "--log", "error"]
    return [programs["llama-server"], "--model", model, "--port", port, "--host", "127.0.0.1", "--threads", threads,
            "--threads-batch", threads, "--parallel", load.parallel, "--ctx-size", cells, "--offline", "--no-ui"]


READY = {"craton": "/ready", "llama-server": "/health"}


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:  # nobody listens yet, or 503: the model is being loaded
        return False


def tail(path):
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:])


class Server:
    """One of the two servers on a free port, in an empty folder; a context manager.

    `command_on`: of a port, the command that starts it there.
    """

    def __init__(self, side, command_on):
        self.port, self.side = free_port(), side
        self.folder = tempfile.TemporaryDirectory()
        self.log = pathlib.Path(self.folder.name) / "log"
        command = [str(part) for part in command_on(self.port)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder.name, env=clean_environment(), stdout=log,
                                            stderr=subprocess.STDOUT)

    def __enter__(self):
        deadline = time.monotonic() + MODEL_LOAD_LIMIT_S
        try:
            while not answers(f"http://127.0.0.1:{self.port}{READY[self.side]}"):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise ProgramError(f"{self.side} did not start: {tail(self.log)}")
                time.sleep(0.05)
        except BaseException:
            self.__exit__()
            raise
        return self

    def peak_rss_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)[1]) / 1024

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


def kernels_command(program, streams, model, threads, load, prompt, tokens):
    if program.name == "llama-bench":
        return [program, "-m", model, "-t", threads, "-p", 0, "-n", tokens, "-d", prompt, "-r", 1, "-o", "json"]
    return [program, "-m", model, "-t", threads, "-c", load.context * load.parallel, "-npp", prompt, "-ntg", tokens,
            "-npl", streams, "--output-format", "jsonl"]


def kernels_rate(program, *arguments):
    """Tokens a second that llama.cpp's own program decodes, all streams together."""
    command = [str(part) for part in kernels_command(program, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    if done.returncode:
        raise ProgramError(f"{program.name}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    if program.name == "llama-bench":
        return json.loads(done.stdout)[0]["avg_ts"]
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("{")]
    return json.loads(lines[-1])["speed_tg"]


def version(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True, env=clean_environment())
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0].strip() if lines else "unknown"


def note(text):
    print(text, file=sys.stderr, flush=True)
