"""What benchmarks share: processes that serve, wrk that asks them, and what they cost."""
import os
import pathlib
import platform
import re
import signal
import socket
import subprocess
import time
import urllib.request


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("CRATON_CACHE_DIR") or pathlib.Path(base) / "craton")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, limit=10.0):
    """Seconds from now to the first answered GET of url; polls without rest, to resolve milliseconds."""
    started = time.perf_counter()
    while time.perf_counter() - started < limit:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                answer.read()
                return time.perf_counter() - started
        except OSError:
            pass
    raise RuntimeError(f"{url} did not answer within {limit} s")


class Process:
    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        **options)

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


def craton(binary, port, *flags):
    return Process([binary, "serve", "--model", "none", "--port", str(port), "--log", "error", *flags])


def nginx(folder, port):
    config = folder / "nginx.conf"
    config.write_text(f"""
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  open_file_cache max=10;
  server {{
    listen 127.0.0.1:{port}; root {folder}/www; default_type application/json;
    error_page 405 =200 $uri;  # of a POST, which files do not answer
  }}
}}
""")
    return Process(["nginx", "-c", str(config), "-p", str(folder)])


def wrk(url, seconds, connections=32, script=None):
    """Requests a second, and their p99 in milliseconds. `script`: a file in Lua that makes the request."""
    asked = ["-s", str(script)] if script else []
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *asked, url],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        raise RuntimeError(done)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1))
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", done).groups()
    return rate, float(p99) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def cpu_seconds(pid):
    """CPU time of a process and its children."""
    total = 0
    pids = [str(pid)]
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in pids + children:
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read()).group(1)) / 1024 ** 2
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"
