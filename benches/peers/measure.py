"""Loads a server, and says what it cost."""

import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Case:
    """One kind of request."""

    name: str
    title: str
    path: str
    body: pathlib.Path | None = None
    h2: bool = False


@dataclasses.dataclass
class Sample:
    """One load of one server."""

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu: float
    """CPU seconds for 10,000 requests."""


def load(server, case, key, arguments, seconds):
    """Loads a server for a time."""
    before = server.cpu()
    run = (h2load if case.h2 else wrk)(server, case, key, arguments, seconds)
    used = server.cpu() - before
    requests, took, p50, p99, failed = run
    if failed or not requests:
        raise SystemExit(f"bench: {server.name}, {case.name}: {failed} of {requests} requests failed")
    return Sample(requests, requests / took, p50, p99, used * 10_000 / requests)


def wrk(server, case, key, arguments, seconds):
    environment = {**os.environ, "BENCH_KEY": key, "BENCH_BODY": str(case.body or "")}
    run = subprocess.run(
        ["wrk", "-t1", f"-c{arguments.connections}", f"-d{seconds}s", "--timeout", "30s", "-s", HERE / "load.lua",
         f"https://127.0.0.1:{server.port}{case.path}"],
        env=environment, check=True, capture_output=True, text=True)
    found = re.search(r"^RESULT (.*)$", run.stdout, re.M)
    r = json.loads(found[1])
    return r["requests"], r["micros"] / 1e6, r["p50"] / 1e3, r["p99"] / 1e3, r["failed"]


def h2load(server, case, key, arguments, seconds):
    streams = 8
    clients = max(1, arguments.connections // streams)
    log = server.work / "h2load.tsv"
    log.unlink(missing_ok=True)
    command = ["h2load", "-t1", f"-c{clients}", f"-m{streams}", f"-D{seconds}", f"--log-file={log}",
               "-H", f"authorization: Bearer {key}"]
    if case.body:
        command += ["-d", str(case.body), "-H", "content-type: application/json"]
    run = subprocess.run([*command, f"https://127.0.0.1:{server.port}{case.path}"], check=True, capture_output=True,
                         text=True)
    good, *other = (int(n) for n in re.search(
        r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", run.stdout).groups())
    errored = int(re.search(r"(\d+) errored", run.stdout)[1])
    times = sorted(int(line.split("\t")[2]) for line in log.read_text().splitlines())
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] / 1e3
    return good, float(seconds), at(0.5), at(0.99), errored + sum(other)


def middle(samples):
    """The medians of several loads."""
    names = [field.name for field in dataclasses.fields(Sample)]
    return {name: statistics.median(getattr(sample, name) for sample in samples) for name in names}
