"""The gateway beside its peers: starts them all, checks that they do what they are compared for, loads one after the
other in several rounds, and writes a table. `benches/run.sh` installs what this needs.

What is judged is CPU time of the proxy's own processes for each request (from /proc), because the machine is shared and
wall time says little. Everything runs on it at once: load generator, proxy, origin.
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import measure

HERE = pathlib.Path(__file__).resolve().parent
SMALL, LARGE = "file-benchSmall00000000000000001", "file-benchLarge00000000000000001"
TICKS = os.sysconf("SC_CLK_TCK")

WORDS = """we you they customer order account invoice report meeting question answer quarter model batch record question
summary please explain compare write read check the a this that every some of in on with without after before between
because when and or but so then also only already again about under over morning evening week month server request
response table column value list number result change version review update delivery package station garden music
river window letter language history science travel winter summer question small large quick slow early late common
simple open clear good better strong public local general special possible important different whole single""".split()


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------------ bodies


def prose(rng, size):
    """Ordinary sentences with numbers in them, about `size` bytes."""
    out, length = [], 0
    while length < size:
        words = [rng.choice(WORDS) for _ in range(rng.randint(5, 14))]
        if rng.random() < 0.3:
            words.insert(rng.randrange(len(words)), str(rng.randint(2, 9000)))
        words[0] = words[0].capitalize()
        sentence = " ".join(words) + rng.choice([". ", ". ", ". ", "? ", ".\n", ": "])
        out.append(sentence)
        length += len(sentence)
    return "".join(out)[:size]


def planted(rng):
    """Values that must not pass, put together here so that none stands in the repository."""
    digits = lambda n: "".join(rng.choice("0123456789") for _ in range(n))
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    bban = "3704004405320130" + "00"
    check = 98 - int(bban + "1314" + "00") % 97
    return [
        "annika.lindqvist" + "@" + "brightfield-logistics.com",
        "AKIA" + "".join(rng.choice(upper) for _ in range(16)),
        f"DE{check:02}{bban}",
        "+49 30 " + "9018" + digits(5),
    ]


def chat(rng, size, values=()):
    """A chat completion's request of `size` bytes: a few turns of text, with the values spread over it."""
    values = list(values)
    turns = max(4, len(values))
    messages = [{"role": "system", "content": "You are a careful assistant of a delivery company."}]
    request = {"model": "gpt-4o-mini", "temperature": 0.2, "messages": messages}
    each = (size - 64 * turns - 160) // turns
    for turn in range(turns):
        text = prose(rng, each)
        if turn < len(values):
            middle = text.index(" ", len(text) // 2)
            text = f"{text[:middle]} please use {values[turn]} for it{text[middle:]}"
        messages.append({"role": "assistant" if turn % 2 else "user", "content": text})
    missing = size - len(json.dumps(request).encode())
    messages[-1]["content"] += prose(rng, missing) if missing > 0 else ""
    messages[-1]["content"] = messages[-1]["content"][: missing or None] if missing < 0 else messages[-1]["content"]
    return json.dumps(request).encode()


def records(rng, size):
    """Chat records, one a line, `size` bytes in all."""
    lines, left = [], size
    while left > 0:
        length = min(left, 1024) if left >= 1536 or left <= 1024 else left // 2
        frame = len(json.dumps({"messages": [{"role": "user", "content": ""}]})) + 1
        text = prose(rng, max(1, length - frame)).replace("\n", " ")
        lines.append(json.dumps({"messages": [{"role": "user", "content": text}]}) + "\n")
        left -= len(lines[-1])
    return "".join(lines).encode()


def completion(rng):
    """A chat completion's answer of about 1 KiB."""
    message = {"role": "assistant", "content": prose(rng, 700).replace("\n", " ").replace("'", " "), "refusal": None}
    return json.dumps(
        {
            "id": "chatcmpl-bench000000000000000000",
            "object": "chat.completion",
            "created": 1760000000,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1800, "completion_tokens": 160, "total_tokens": 1960},
        }
    )


# ------------------------------------------------------------------------------------------------------------- peers


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(root):
    """A process and its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


class Server:
    """A process that listens on a port."""

    def __init__(self, name, command, port, work, tls=True):
        self.name, self.command, self.port, self.work, self.tls = name, command, port, work, tls
        self.process = None

    def start(self):
        log = open(self.work / f"{self.name}.out", "wb")
        self.process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT, cwd=self.work)
        for _ in range(400):
            if self.process.poll() is not None:
                break
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        said = (self.work / f"{self.name}.out").read_text(errors="replace")[-2000:]
        raise SystemExit(f"bench: {self.name} does not start:\n{said}")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def cpu(self):
        """Seconds of CPU time, user and system, of the process and its descendants."""
        total = 0
        for pid in tree(self.process.pid):
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory(self):
        """Resident bytes of all its processes."""
        return sum(int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
                   for pid in tree(self.process.pid)) * 1024

    def ask(self, method, path, key, body=None, headers=None):
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)
        connection.request(method, path, body, {"Authorization": f"Bearer {key}", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content


def certificate(work):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", work / "tls.key", "-out", work / "tls.pem"],
        check=True, capture_output=True)
    (work / "both.pem").write_text((work / "tls.pem").read_text() + (work / "tls.key").read_text())


def gateway(work, binary, port, origin):
    """Writes the gateway's configuration, and gives its command and the tenant's key."""
    config = work / "gateway"
    (config / "tenants").mkdir(parents=True)
    (config / "consentry.yaml").write_text(f"""
listeners:
  data:
    address: 127.0.0.1:{port}
    tls: {{files: {{certificate: {work}/tls.pem, private_key: {work}/tls.key}}}}
  metrics: {{address: "127.0.0.1:{free_port()}"}}
upstreams:
  origin:
    url: http://127.0.0.1:{origin}
    credential: {{bearer: file:account.key}}
    idle_timeout: 60s
routes:
  - {{name: openai, path: /, upstream: origin, api: openai}}
""")
    (config / "account.key").write_text("the-account-key\n")
    made = subprocess.run([binary, "keys", "new", "--config", config, "--json"], check=True, capture_output=True)
    key = json.loads(made.stdout)
    (config / "tenants" / "bench.yaml").write_text(f"""
tenant: bench
keys:
  - {{id: main, hash: "{key["hash"]}", purposes: [inference]}}
limits: {{concurrency: 4096}}
""")
    return [binary, "serve", "--config", config], key["key"]


def peers(arguments, work, origin):
    """The servers to compare, and the tenant's key."""
    words = {"work": work, "here": HERE, "origin": origin}

    def filled(name, port):
        text = (HERE / name).read_text()
        for word, value in {**words, "port": port}.items():
            text = text.replace(f"@{word}@", str(value))
        (work / name).write_text(text)
        return work / name

    found, skipped = [], {}
    port = free_port()
    command, key = gateway(work, arguments.bin, port, origin)
    found.append(Server("consentry", command, port, work))
    port = free_port()
    found.append(Server("nginx", ["nginx", "-c", filled("nginx.conf", port)], port, work))
    port = free_port()
    if shutil.which("haproxy"):
        found.append(Server("haproxy", ["haproxy", "-db", "-f", filled("haproxy.cfg", port)], port, work))
    else:
        skipped["haproxy"] = "not installed"
    port = free_port()
    if shutil.which("envoy"):
        config = filled("envoy.yaml", port)
        found.append(Server("envoy", ["envoy", "-c", config, "--log-level", "error"], port, work))
    else:
        skipped["envoy"] = "not installed, and not packaged for this system"
    port = free_port()
    if pathlib.Path("/usr/lib/nginx/modules/ngx_http_js_module.so").exists():
        found.append(Server("nginx+njs", ["nginx", "-c", filled("njs.conf", port)], port, work))
    else:
        skipped["nginx+njs"] = "the module is not installed"
    if arguments.peers:
        found = [peer for peer in found if peer.name in ("nginx", *arguments.peers)]
    return found, skipped, key


# ------------------------------------------------------------------------------------------------------ what they do


class Recorder:
    """An origin that keeps what it is sent, for the time before the measurement."""

    def __init__(self, port, answer):
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append(body)
                text = answer
                if self.path == "/v1/files":
                    text = json.dumps({"id": LARGE if b"large.jsonl" in body else SMALL, "object": "file", "bytes": 1,
                                       "created_at": 1760000000, "filename": "x.jsonl", "purpose": "user_data"})
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                # The origin takes this port over: no connection to the recorder may be kept.
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def own(gateway, key, name, content):
    """Makes the file the tenant's: the gateway records what it creates."""
    edge = "bench-edge"
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'.encode(),
             f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
             "Content-Type: application/jsonl\r\n\r\n".encode(), content, f"\r\n--{edge}--\r\n".encode()]
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
    status, said = gateway.ask("POST", "/v1/files", key, b"".join(parts), headers)
    if status != 200:
        raise SystemExit(f"bench: the upload of {name} was answered {status}: {said[:300]}")


def checked(servers, key, recorder, work, values):
    """Whoever is said to censor does, and whoever isn't passes everything."""
    kind = {"Content-Type": "application/json"}
    for server in servers:
        for body, dirty in ((work / "clean.json", False), (work / "found.json", True)):
            sent = body.read_bytes()
            recorder.seen.clear()
            status, said = server.ask("POST", "/v1/chat/completions", key, sent, kind)
            if status != 200:
                raise SystemExit(f"bench: {server.name} answered {status}: {said[:300]}")
            got = recorder.seen[-1]
            left = [value for value in values if value.encode() in got]
            censors = server.name in ("consentry", "nginx+njs")
            if dirty and censors and left:
                raise SystemExit(f"bench: {server.name} let {len(left)} of {len(values)} values pass")
            if not dirty and json.loads(got)["messages"] != json.loads(sent)["messages"]:
                raise SystemExit(f"bench: {server.name} changed a clean body")


# ---------------------------------------------------------------------------------------------------------- the rounds


def rounds(arguments, servers, cases, key):
    """Every server and case, in turns: whatever else the machine does meets all of them alike."""
    samples = {(case.name, server.name): [] for case in cases for server in servers}
    for number in range(arguments.rounds):
        for case in cases:
            turn = servers[number % len(servers):] + servers[: number % len(servers)]
            for server in turn:
                measure.load(server, case, key, arguments, 1)
                sample = measure.load(server, case, key, arguments, arguments.seconds)
                samples[case.name, server.name].append(sample)
                say(f"round {number + 1}, {case.name}, {server.name}: {sample.cpu:.3f} CPU s / 10,000, "
                    f"{sample.rate:.0f}/s")
    return samples


def report(arguments, servers, skipped, cases, samples, rss):
    versions = {"consentry": [arguments.bin, "--version"], "nginx": ["nginx", "-v"], "nginx+njs": ["nginx", "-v"],
                "haproxy": ["haproxy", "-v"], "envoy": ["envoy", "--version"]}
    results, table = [], []
    for case in cases:
        table += [f"### {case.title}", "",
                  "| | CPU s / 10,000 | ratio to nginx | requests/s | p50 ms | p99 ms |", "|---|--:|--:|--:|--:|--:|"]
        for server in servers:
            own, nginx = samples[case.name, server.name], samples[case.name, "nginx"]
            middle = measure.middle(own)
            ratio = statistics.median(a.cpu / b.cpu for a, b in zip(own, nginx))
            results.append({"case": case.name, "peer": server.name, "ratio": ratio, **middle,
                            "cpu_of_each_round": [sample.cpu for sample in own]})
            table.append(f"| {server.name} | {middle['cpu']:.3f} | {ratio:.2f} | {middle['rate']:,.0f} "
                         f"| {middle['p50_ms']:.2f} | {middle['p99_ms']:.2f} |")
        table.append("")
    said = {}
    for server in servers:
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
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as folder:
        measured(arguments, pathlib.Path(folder))


def measured(arguments, work):
    rng = random.Random(7)
    # nginx's workers give up their rights, and have to find their files all the same.
    work.chmod(0o755)
    values = planted(rng)
    bodies = {"clean.json": chat(rng, 8192), "found.json": chat(rng, 8192, values),
              "small.jsonl": records(rng, 1024), "large.jsonl": records(rng, 65536)}
    for name, content in bodies.items():
        (work / name).write_bytes(content)
    certificate(work)
    port = free_port()
    servers, skipped, key = peers(arguments, work, port)
    answer = completion(rng)
    origin_text = (HERE / "origin.conf").read_text()
    for word, value in {"work": work, "origin": port, "chat": answer, "small": SMALL, "large": LARGE}.items():
        origin_text = origin_text.replace(f"@{word}@", str(value))
    (work / "origin.conf").write_text(origin_text)
    origin = Server("origin", ["nginx", "-c", work / "origin.conf"], port, work)
    Case = measure.Case
    cases = [
        Case("get-1k", "1 KiB GET: a file's content", f"/v1/files/{SMALL}/content"),
        Case("post-8k", "8 KiB POST: a chat completion, nothing to find", "/v1/chat/completions", work / "clean.json"),
        Case("post-8k-found", "8 KiB POST: a chat completion with four findings", "/v1/chat/completions",
             work / "found.json"),
        Case("get-64k", "64 KiB GET: a file's content", f"/v1/files/{LARGE}/content"),
        Case("get-1k-h2", "1 KiB GET over HTTP/2", f"/v1/files/{SMALL}/content", h2=True),
    ]
    if arguments.cases:
        cases = [case for case in cases if case.name in arguments.cases]
    try:
        for server in servers:
            server.start()
        recorder = Recorder(port, answer)
        for server in servers:
            if server.name == "consentry":
                own(server, key, "small.jsonl", bodies["small.jsonl"])
                own(server, key, "large.jsonl", bodies["large.jsonl"])
        checked(servers, key, recorder, work, values)
        recorder.stop()
        origin.start()
        for server in servers:
            for case in cases:
                if not case.body:
                    content = bodies["small.jsonl" if SMALL in case.path else "large.jsonl"]
                    status, said = server.ask("GET", case.path, key)
                    if (status, said) != (200, content):
                        raise SystemExit(f"bench: {server.name} does not give {case.name} as it is: {status}, "
                                         f"{len(said)} of {len(content)} bytes: {said[:300]}")
        if arguments.hold:
            places = {server.name: server.port for server in servers}
            print(json.dumps({"ports": places, "key": key, "work": str(work), "small": SMALL, "large": LARGE}), flush=True)
            signal.pause()
        samples = rounds(arguments, servers, cases, key)
        rss = {server.name: server.memory() for server in servers}
        report(arguments, servers, skipped, cases, samples, rss)
    finally:
        for server in [*servers, origin]:
            server.stop()


if __name__ == "__main__":
    main()
