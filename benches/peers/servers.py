"""The servers that are compared, and the processes behind them."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
REFERENCES = ("nginx", "nginx-keepalive")
"""What the others are compared with: nginx as it is distributed, and tuned."""


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

    def start(self, patience=20):
        log = open(self.work / f"{self.name}.out", "wb")
        self.process = subprocess.Popen(self.command, stdout=log, stderr=subprocess.STDOUT, cwd=self.work)
        for _ in range(20 * patience):
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


def gateway(work, binary, port, origin, name="gateway"):
    """Writes the gateway's configuration, and gives its command and the tenant's key."""
    config = work / name
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


def bare(program, port, origin, work):
    """The command of the proxy that is made of the gateway's libraries and nothing else."""
    return [program, f"127.0.0.1:{port}", f"127.0.0.1:{origin}", work / "tls.pem", work / "tls.key"]


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
    for name in ("nginx", "nginx-keepalive"):
        port = free_port()
        found.append(Server(name, ["nginx", "-c", filled(f"{name}.conf", port)], port, work))
    port = free_port()
    if arguments.bare:
        found.append(Server("bare", bare(arguments.bare, port, origin, work), port, work))
    else:
        skipped["bare"] = "CONSENTRY_BENCH_BARE names no program"
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
        found = [peer for peer in found if peer.name in (*REFERENCES, *arguments.peers)]
        skipped = {name: why for name, why in skipped.items() if name in arguments.peers}
    return found, skipped, key
