"""The gateway beside its peers: starts them all, checks that they do what they are compared for, loads one after the
other in several rounds, and writes a table. `benches/run.sh` installs what this needs.

What is judged is CPU time of the proxy's own processes for each request (from /proc), because the machine is shared and
wall time says little. Everything runs on it at once: load generator, proxy, origin.
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile

import bodies
import checks
import measure
import servers
from checks import LARGE, SMALL

HERE = pathlib.Path(__file__).resolve().parent


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def rounds(arguments, peers, cases, key):
    """Every server and case, in turns: whatever else the machine does meets all of them alike."""
    samples = {(case.name, server.name): [] for case in cases for server in peers}
    for number in range(arguments.rounds):
        for case in cases:
            turn = peers[number % len(peers):] + peers[: number % len(peers)]
            for server in turn:
                measure.load(server, case, key, arguments, 1)
                sample = measure.load(server, case, key, arguments, arguments.seconds)
                samples[case.name, server.name].append(sample)
                say(f"round {number + 1}, {case.name}, {server.name}: {sample.cpu:.3f} CPU s / 10,000, "
                    f"{sample.rate:.0f}/s")
    return samples


def report(arguments, peers, skipped, cases, samples, rss):
    nginx, version = ["nginx", "-v"], "--version"
    versions = {"consentry": [arguments.bin, version], "nginx": nginx, "nginx-keepalive": nginx, "nginx+njs": nginx,
                "haproxy": ["haproxy", "-v"], "envoy": ["envoy", version]}
    results, table = [], []
    for case in cases:
        table += [f"### {case.title}", "", "| | CPU s / 10,000 | to nginx | to nginx-keepalive | requests/s | p50 ms "
                  "| p99 ms |", "|---|--:|--:|--:|--:|--:|--:|"]
        for server in peers:
            own = samples[case.name, server.name]
            middle = measure.middle(own)
            ratios = {name: statistics.median(a.cpu / b.cpu for a, b in zip(own, samples[case.name, name]))
                      for name in servers.REFERENCES}
            results.append({"case": case.name, "peer": server.name, "ratios": ratios, **middle,
                            "cpu_of_each_round": [sample.cpu for sample in own]})
            table.append(f"| {server.name} | {middle['cpu']:.3f} | "
                         + " | ".join(f"{ratio:.2f}" for ratio in ratios.values())
                         + f" | {middle['rate']:,.0f} | {middle['p50_ms']:.2f} | {middle['p99_ms']:.2f} |")
        table.append("")
    said = {}
    for server in (server for server in peers if server.name in versions):
        run = subprocess.run(versions[server.name], capture_output=True, text=True)
        said[server.name] = (run.stdout + run.stderr).strip().splitlines()[0]
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    machine = f"{model[1] if model else 'unknown'}, {os.cpu_count()} CPUs, Linux {os.uname().release}"
    head = [f"{machine}. {arguments.connections} connections, kept; {arguments.rounds} rounds of {arguments.seconds} s "
            "in turns; medians, the ratio of the same round.", ""]
    foot = ["Versions: " + "; ".join(f"{name}: {text}" for name, text in said.items()) + ".",
            "Resident after the load: " + ", ".join(f"{name} {rss[name] / 2**20:.0f} MiB" for name in rss) + "."]
    foot += [f"skip: {name}: {why}" for name, why in skipped.items()]
    text = "\n".join(head + table + foot) + "\n"
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "benchmark.md").write_text(text)
    (arguments.out / "benchmark.json").write_text(json.dumps(
        {"machine": machine, "connections": arguments.connections, "rounds": arguments.rounds,
         "seconds": arguments.seconds, "versions": said, "resident": rss, "skipped": skipped, "results": results},
        indent=1) + "\n")
    print(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--cases", type=lambda text: text.split(","), default=[])
    parser.add_argument("--peers", type=lambda text: text.split(","), default=[])
    parser.add_argument("--hold", action="store_true", help="start everything, say where, and wait")
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(os.environ["CONSENTRY_BENCH_BIN"])
    bare = os.environ.get("CONSENTRY_BENCH_BARE")
    arguments.bare = bare and os.path.abspath(bare)
    # What was started is stopped, whoever ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as folder:
        measured(arguments, pathlib.Path(folder))


class Ground:
    """What everybody is measured with: the bodies, the certificate, the origin, the cases."""

    def __init__(self, work):
        self.work = work
        rng = random.Random(7)
        # nginx's workers give up their rights, and have to find their files all the same.
        work.chmod(0o755)
        self.values = bodies.planted(rng)
        self.made = {"clean.json": bodies.chat(rng, 8192), "found.json": bodies.chat(rng, 8192, self.values),
                     "small.jsonl": bodies.records(rng, 1024), "large.jsonl": bodies.records(rng, 65536)}
        for name, content in self.made.items():
            (work / name).write_bytes(content)
        servers.certificate(work)
        self.port = servers.free_port()
        self.answer = bodies.completion(rng)
        text = (HERE / "origin.conf").read_text()
        words = {"work": work, "origin": self.port, "chat": self.answer, "small": SMALL, "large": LARGE}
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        (work / "origin.conf").write_text(text)
        self.origin = servers.Server("origin", ["nginx", "-c", work / "origin.conf"], self.port, work)
        small, large, chat = f"/v1/files/{SMALL}/content", f"/v1/files/{LARGE}/content", "/v1/chat/completions"
        Case = measure.Case
        self.cases = [
            Case("get-1k", "1 KiB GET: a file's content", small),
            Case("post-8k", "8 KiB POST: a chat completion, nothing to find", chat, work / "clean.json"),
            Case("post-8k-found", "8 KiB POST: a chat completion with four findings", chat, work / "found.json"),
            Case("get-64k", "64 KiB GET: a file's content", large),
            Case("get-1k-h2", "1 KiB GET over HTTP/2", small, h2=True),
        ]

    def own(self, found, key):
        """Makes the files the tenant's, and checks with the recorder in the origin's place that each server does what it
        is compared for."""
        recorder = checks.Recorder(self.port, self.answer)
        for server in found:
            if server.name == "consentry":
                checks.own(server, key, "small.jsonl", self.made["small.jsonl"])
                checks.own(server, key, "large.jsonl", self.made["large.jsonl"])
        checks.checked(found, key, recorder, self.work, self.values)
        recorder.stop()

    def same(self, found, cases, key):
        """The files come back byte for byte."""
        for server in found:
            for case in cases:
                if not case.body:
                    content = self.made["small.jsonl" if SMALL in case.path else "large.jsonl"]
                    status, said = server.ask("GET", case.path, key)
                    if (status, said) != (200, content):
                        raise SystemExit(f"bench: {server.name} does not give {case.name} as it is: {status}, "
                                         f"{len(said)} of {len(content)} bytes: {said[:300]}")


def measured(arguments, work):
    ground = Ground(work)
    found, skipped, key = servers.peers(arguments, work, ground.port)
    cases = [case for case in ground.cases if not arguments.cases or case.name in arguments.cases]
    try:
        for server in found:
            server.start()
        ground.own(found, key)
        ground.origin.start()
        ground.same(found, cases, key)
        if arguments.hold:
            places = {server.name: server.port for server in found}
            said = {"ports": places, "key": key, "work": str(work), "small": SMALL, "large": LARGE}
            print(json.dumps(said), flush=True)
            signal.pause()
        samples = rounds(arguments, found, cases, key)
        rss = {server.name: server.memory() for server in found}
        report(arguments, found, skipped, cases, samples, rss)
    finally:
        for server in [*found, ground.origin]:
            server.stop()


if __name__ == "__main__":
    main()
