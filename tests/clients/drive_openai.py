#!/usr/bin/env python3
"""Drives an OpenAI-shaped API over TLS with the unmodified openai-python SDK, as three tenants.

    drive_openai.py --base https://localhost:8443 --ca ca.crt --journal https://127.0.0.1:9443 --journal-ca DIR/ca.crt
    drive_openai.py --direct --base https://127.0.0.1:9443 --ca DIR/ca.crt --journal https://127.0.0.1:9443 --journal-ca DIR/ca.crt

Environment instead of options: BASE_URL, CA_FILE, JOURNAL_URL, JOURNAL_CA, and the tenants' keys KEY_A, KEY_B
(both with grants for training) and KEY_C (with none). With --direct it talks to the sandbox itself with the
account's key: what only a gateway does is left out, and what a gateway must keep back has to arrive, so that
the checks are known to see it.
One line for each check, `ok …` or `FAIL …`; status 1 if one failed.
"""
import argparse
import os
import pathlib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import openai  # noqa: E402

import consent  # noqa: E402
import flows  # noqa: E402
import isolation  # noqa: E402
import published  # noqa: E402
from checks import Checks  # noqa: E402
from planted import Planter  # noqa: E402
from sandbox import Sandbox  # noqa: E402

GROUPS = {
    "files": flows.files,
    "training": flows.training,
    "chat": flows.chat,
    "responses": flows.responses,
    "others": flows.others,
    "batches": flows.batches,
    "vector_stores": flows.vector_stores,
    "uploads": flows.uploads,
    "paging": flows.paging,
    "isolation": isolation.isolation,
    "published": published.published,
    "consent": consent.consent,
    "credentials": consent.credentials,
    "ending": flows.ending,
}

class World:
    """What all groups share: clients, what was planted, what was made."""

    def __init__(self, options, checks, http):
        self.options, self.checks, self.direct, self.http = options, checks, options.direct, http
        self.model = "gpt-4o-mini-2024-07-18"
        self.planter = Planter(f"{os.getpid()} {http}")
        self.sandbox = Sandbox(options.journal, options.journal_ca) if options.journal else None
        self.made = {}
        self.cut = set()  # planted values that no single part of an upload holds
        keys = [options.account_key] * 3 if options.direct else [options.key_a, options.key_b, options.key_c]
        self.keys = keys
        self.a, self.b, self.c = (self.client(key) for key in keys)

    def client(self, key, **more):
        context = ssl.create_default_context(cafile=self.options.ca)
        http = openai.DefaultHttpxClient(verify=context, http2=self.http == 2, trust_env=False)
        more = {"max_retries": 0, "timeout": 60, **more}
        return openai.OpenAI(api_key=key, base_url=self.options.base.rstrip("/") + "/v1", http_client=http, **more)

    def watch(self):
        """Tells the sandbox what to look out for in all that arrives."""
        if self.sandbox:
            keys = [] if self.direct else [key for key in self.keys if key]
            self.sandbox.watch(self.planter.secrets + self.planter.personal + keys)

    def secret(self, kind=None):
        """A planted secret that the sandbox already looks out for."""
        value = self.planter.secret(kind)
        self.watch()
        return value

    def person(self, kind=None):
        value = self.planter.person(kind)
        self.watch()
        return value

    def clean(self, what, text):
        """A text that a client got holds no planted secret (directly: nobody takes it out)."""
        if not self.direct:
            found = [value for value in self.planter.secrets if value in text]
            self.checks.ok(f"{what} holds no planted secret", not found, f"{len(found)} found, first {found[:1]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    env = os.environ.get
    parser.add_argument("--base", default=env("BASE_URL"), help="scheme, host and port")
    parser.add_argument("--ca", default=env("CA_FILE"), help="the CA to trust for BASE")
    parser.add_argument("--key-a", default=env("KEY_A"))
    parser.add_argument("--key-b", default=env("KEY_B"))
    parser.add_argument("--key-c", default=env("KEY_C"))
    parser.add_argument("--account-key", default=env("ACCOUNT_KEY", "sandbox-account-key"), help="the sandbox's own key")
    parser.add_argument("--journal", default=env("JOURNAL_URL"), help="the sandbox behind BASE, started with --journal")
    parser.add_argument("--journal-ca", default=env("JOURNAL_CA"))
    parser.add_argument("--http", choices=["1", "2", "both"], default="both")
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--direct", action="store_true", help="BASE is the sandbox itself")
    parser.add_argument("--restores", action="store_true", help="replaced personal data comes back in the same exchange")
    parser.add_argument("--only", metavar="A,B", help=f"only these of: {' '.join(GROUPS)}")
    options = parser.parse_args()
    for name in ["base", "ca"] + ([] if options.direct else ["key_a", "key_b", "key_c"]):
        if not getattr(options, name):
            parser.error(f"--{name.replace('_', '-')} is missing")
    if options.only and set(options.only.split(",")) - set(GROUPS):
        parser.error(f"--only: know {' '.join(GROUPS)}")
    return options


def upstream(world):
    """What the sandbox saw, after everything: the independent witness."""
    checks, sandbox, planter = world.checks, world.sandbox, world.planter
    entries = sandbox.arrived()
    seen = {value for entry in entries for value in entry["seen"]}
    planted = set(planter.secrets + planter.personal)
    kept = sandbox.files()
    in_files = {value for content in kept.values() for value in planted if value.encode() in content}
    if world.direct:
        checks.same("the journal sees every planted value arrive", len(planted - seen - world.cut), 0)
        return
    secrets, personal = set(planter.secrets), set(planter.personal)
    where = sorted({f"{entry['line']}" for entry in entries if entry["seen"]})[:5]
    checks.ok("no planted secret reached upstream", not seen & secrets, f"{len(seen & secrets)} of {len(secrets)} in {where}")
    checks.ok("no planted personal datum reached upstream", not seen & personal, f"{len(seen & personal)} of {len(personal)} in {where}")
    checks.ok("no file upstream holds a planted value", not in_files, f"{len(in_files)} found")
    checks.ok("no tenant's key went upstream", not seen & set(world.keys), where)
    wrong = [entry["line"] for entry in entries if dict(entry["headers"]).get("authorization") != f"Bearer {world.options.account_key}"]
    checks.ok("every request upstream carried the account's key", entries and not wrong, wrong[:3])
    headers = {(name, value) for entry in entries for name, value in entry["headers"]}
    telling = {"x-api-key", "api-key", "cookie", "x-forwarded-for", "forwarded", "x-real-ip"}
    leaked = {name for name, value in headers if name in telling or value in ("org-other", "proj_other")}
    checks.ok("no header that tells of the tenant went upstream", not leaked, leaked)
    device = sorted({name for name, _ in headers if name.startswith("x-stainless-") or name == "user-agent"})
    checks.note(f"headers upstream that tell of the device: {', '.join(device) or 'none'}")


def main():
    options = arguments()
    checks = Checks()
    for http in [1, 2] if options.http == "both" else [int(options.http)]:
        world = World(options, checks, http)
        with checks.group(f"h{http}"):
            for name in options.only.split(",") if options.only else GROUPS:
                with checks.group(name):
                    GROUPS[name](world)
            if world.sandbox:
                with checks.group("upstream"):
                    upstream(world)
    checks.finish()


main()
