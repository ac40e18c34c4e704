"""That each server does what it is compared for, before it is measured."""

import http.server
import json
import threading

SMALL, LARGE = "file-benchSmall00000000000000001", "file-benchLarge00000000000000001"


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
