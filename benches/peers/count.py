"""What a request costs the gateway in instructions and system calls. Both repeat from run to run, on a busy machine too.

The gateway runs under valgrind's callgrind, which counts the instructions of the program (not the kernel's), and then
under strace, which counts its system calls. Both are loaded with two numbers of requests over as many connections, and
the difference counts: handshakes and the start are in neither. `benches/count.sh` installs what this needs.
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile

import bodies
import checks
import measure
import run
import servers


def ask(server, case, key, requests, connections):
    """Exactly so many requests, over so many connections."""
    command = ["h2load", "-t1", f"-c{connections}", f"-n{requests}", "-m8" if case.h2 else "--h1",
               "-H", f"authorization: Bearer {key}"]
    if case.body:
        command += ["-d", str(case.body), "-H", "content-type: application/json"]
    said = subprocess.run([*command, f"https://127.0.0.1:{server.port}{case.path}"], check=True, capture_output=True,
                          text=True).stdout
    good = int(re.search(r"status codes: (\d+) 2xx", said)[1])
    if good != requests:
        raise SystemExit(f"count: {good} of {requests} requests succeeded:\n{said}")


def per_request(server, case, key, arguments, counted):
    """The difference between few and many requests, for each of those between."""
    few, many = arguments.requests, 3 * arguments.requests
    ask(server, case, key, few, arguments.connections)
    totals = []
    for requests in (few, many):
        totals.append(counted(lambda: ask(server, case, key, requests, arguments.connections)))
    names = {name for total in totals for name in total}
    return {name: (totals[1].get(name, 0) - totals[0].get(name, 0)) / (many - few) for name in names}


def instructions(server, work, run_it):
    """What callgrind counts while something runs."""
    control = lambda *what: subprocess.run(["callgrind_control", *what, str(server.process.pid)], check=True,
                                           capture_output=True)
    control("-i", "on")
    run_it()
    control("-i", "off")
    for earlier in work.glob("callgrind.out*"):
        earlier.unlink()
    control("-d")
    total = sum(int(found[1]) for path in work.glob("callgrind.out*")
                if (found := re.search(r"^totals: (\d+)", path.read_text(), re.M)))
    control("-z")
    return {"instructions": total}


def calls(server, work, run_it):
    """What strace counts while something runs."""
    out = work / "strace.out"
    out.unlink(missing_ok=True)
    trace = subprocess.Popen(["strace", "-f", "-c", "-U", "calls,name", "-o", out, "-p", str(server.process.pid)],
                             stderr=subprocess.DEVNULL)
    # It attaches to one thread after the other.
    subprocess.run(["sleep", "1"], check=True)
    run_it()
    trace.send_signal(signal.SIGINT)
    trace.wait()
    found = re.findall(r"^\s*(\d+)\s+(\w+)$", out.read_text(), re.M)
    return {name: int(number) for number, name in found if name != "total"}


def count(arguments, ground, server, key, cases, counted, found):
    """Counts one thing of one server, in every case."""
    work = ground.work
    try:
        server.start(patience=180)
        ground.own([server], key)
        ground.origin.start()
        for case in cases:
            counts = per_request(server, case, key, arguments, lambda go: counted(server, work, go))
            found.setdefault(case.name, {}).setdefault(server.name, {}).update(counts)
            print(f"count: {case.name}, {server.name}: " + ", ".join(
                f"{name} {number:,.0f}" if number >= 100 else f"{name} {number:.2f}"
                for name, number in sorted(counts.items()) if number >= 0.005), file=sys.stderr, flush=True)
            if arguments.keep and counted is instructions:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                last = max(work.glob("callgrind.out.*"), key=lambda path: path.stat().st_mtime)
                (arguments.keep / f"{case.name}.{server.name}.callgrind").write_bytes(last.read_bytes())
    finally:
        server.stop()
        ground.origin.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--cases", type=lambda text: text.split(","), default=[])
    parser.add_argument("--only", choices=["instructions", "calls"])
    parser.add_argument("--keep", type=pathlib.Path, help="a folder for callgrind's last profile of each case")
    parser.add_argument("--out", type=pathlib.Path, help="a file for the counts, as JSON")
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(os.environ["CONSENTRY_BENCH_BIN"])
    bare = os.environ.get("CONSENTRY_BENCH_BARE")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = {}
    with tempfile.TemporaryDirectory(prefix="consentry-count-") as folder:
        work = pathlib.Path(folder)
        ground = run.Ground(work)
        cases = [case for case in ground.cases if not arguments.cases or case.name in arguments.cases]
        valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "-q",
                    f"--callgrind-out-file={work}/callgrind.out"]
        for tool, counted in ((valgrind, instructions), ([], calls)):
            if arguments.only not in (None, counted.__name__):
                continue
            port = servers.free_port()
            command, key = servers.gateway(work, arguments.bin, port, ground.port, counted.__name__)
            count(arguments, ground, servers.Server("consentry", [*tool, *command], port, work), key, cases, counted, found)
            if bare:
                port = servers.free_port()
                command = servers.bare(bare, port, ground.port, work)
                count(arguments, ground, servers.Server("bare", [*tool, *command], port, work), key, cases, counted, found)
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
