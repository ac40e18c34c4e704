"""What the drivers of servers that nobody here wrote have in common: two tenants' clients, and a witness."""
import argparse
import os
import pathlib
import re
import ssl
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "clients" / "lib"))
from isolation import VARYING, invented  # noqa: E402
from planted import Planter  # noqa: E402


def user(text):
    return [{"role": "user", "content": text}]


def ask(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        return answer.read().decode("utf-8", "replace")


def outcome(sdk, ask, id):
    """What the SDK makes of the answer: exception, status, headers, body; the id that was asked for is taken out."""
    try:
        got = ask(id)
        if isinstance(got, sdk.Stream):
            list(got)
    except sdk.APIStatusError as problem:
        headers = {name: value.replace(id, "<id>") for name, value in problem.response.headers.items() if name not in VARYING}
        text = re.sub(r'"request_id": ?"[^"]*"', "", problem.response.text)
        return type(problem).__name__, problem.status_code, headers, text.replace(id, "<id>")
    return "no error", 200, {}, repr(got)[:200]


class World:
    def __init__(self, sdk, options, checks):
        self.sdk, self.options, self.checks, self.direct = sdk, options, checks, options.direct
        self.planter = Planter(os.getpid())
        self.a, self.b = self.client(options.key_a), self.client(options.key_b)

    def client(self, key):
        context = ssl.create_default_context(cafile=self.options.ca)
        http = self.sdk.DefaultHttpxClient(verify=context, http2=self.options.http == "2", trust_env=False)
        name, version = {"openai": ("OpenAI", "/v1"), "anthropic": ("Anthropic", "")}[self.sdk.__name__]
        return getattr(self.sdk, name)(api_key=key, base_url=self.options.base.rstrip("/") + version, http_client=http, max_retries=0, timeout=60)

    def arrived(self, what, text):
        """The witness saw no planted value (directly: it saw one, so it can see)."""
        values = self.planter.secrets + self.planter.personal
        found = [value for value in values if value in text]
        if self.direct:
            self.checks.ok(f"{what}: the witness sees planted values", found)
        else:
            self.checks.ok(f"{what}: no planted value arrived", not found, f"{len(found)} did, first {found[:1]}")

    def wrong(self, what, real, ask):
        """As the wrong tenant: another's id and an invented one get the same NotFoundError."""
        if self.direct:
            return
        foreign, never = outcome(self.sdk, ask, real), outcome(self.sdk, ask, invented(real))
        self.checks.ok(f"{what} as the wrong tenant: NotFoundError", foreign[0] == "NotFoundError", foreign)
        self.checks.same(f"{what} as the wrong tenant: as if it never was", foreign, never)

    def closed(self, paths):
        """What of the server no profile names is not served."""
        for path in paths if not self.direct else ():
            got = outcome(self.sdk, lambda path: self.a.get(self.options.base.rstrip("/") + path, cast_to=object), path)
            self.checks.ok(f"{path} is not served", 400 <= got[1] < 500, got)


def arguments(about):
    env = os.environ.get
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=["aimock", "llama"], required=True)
    parser.add_argument("--base", default=env("BASE_URL"), required=not env("BASE_URL"))
    parser.add_argument("--ca", default=env("CA_FILE"))
    parser.add_argument("--key-a", default=env("KEY_A", "one"))
    parser.add_argument("--key-b", default=env("KEY_B", "two"))
    parser.add_argument("--http", choices=["1", "2"], default="1")
    parser.add_argument("--witness", help="the server itself; BASE with --direct")
    parser.add_argument("--direct", action="store_true")
    options = parser.parse_args()
    if options.direct:
        options.witness = options.witness or options.base
    return options
