#!/usr/bin/env python3
"""Drives every served operation of a profile over TLS with the unmodified SDK, as two tenants, before the sandbox.

    drive_operations.py --sdk openai --base https://localhost:8443 --ca ca.crt --coverage FILE --trail FOLDER --tenants A,B

KEY_A and KEY_B are the keys of the two tenants; both hold every grant. Each makes all that there is by itself; the second
then asks for all of it with the first one's ids, each place in turn. At the end the gateway's own audit trail has to
name each operation of FILE (`consentry coverage --format json`) as answered for the first tenant and, where an id can
stand in it, as refused to the second: an operation that nobody drives here fails.
"""
import argparse
import json
import os
import pathlib
import ssl
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import steps  # noqa: E402
from checks import Checks  # noqa: E402


def openai_parts(options):
    import openai

    import openai_steps as s

    def client(key):
        http = openai.DefaultHttpxClient(verify=ssl.create_default_context(cafile=options.ca), trust_env=False)
        return openai.OpenAI(api_key=key, base_url=options.base.rstrip("/") + "/v1", http_client=http, max_retries=0, timeout=60)

    return openai, client, s.MAKES, s.NAMED, s.ENDS


def anthropic_parts(options):
    import anthropic

    import anthropic_steps as s

    def client(key):
        http = anthropic.DefaultHttpxClient(verify=ssl.create_default_context(cafile=options.ca), trust_env=False)
        return anthropic.Anthropic(api_key=key, base_url=options.base, http_client=http, max_retries=0, timeout=60)

    return anthropic, client, s.MAKES, s.NAMED, s.ENDS


def trail(folder, tenant):
    """What the gateway recorded of a tenant: the operations that it answered, and those that it refused as unknown ids."""
    answered, refused = set(), set()
    for file in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in file.read_text().splitlines():
            entry = json.loads(line) if line.endswith("}") else {}
            if entry.get("tenant") != tenant:
                continue
            if entry.get("decision") in ("forward", "censored") and 200 <= entry.get("status", 0) < 300:
                answered.add(entry["operation"])
            if entry.get("decision") == "denied" and entry.get("status") == 404:
                refused.add(entry.get("operation"))
    return answered, refused


def covered(checks, options):
    """The operations that are served, against those that were driven: the gateway is the witness."""
    rows = [json.loads(line) for line in pathlib.Path(options.coverage).read_text().splitlines()]
    rows = [row for row in rows if row["route"] == options.route and row["served"] == "served"]
    a, b = options.tenants.split(",")
    deadline = time.monotonic() + 10
    while True:
        answered, refused = trail(options.trail, a)[0], trail(options.trail, b)[1]
        idle = sorted(row["operation"] for row in rows if row["operation"] not in answered)
        open_ = sorted(row["operation"] for row in rows if row["isolation"] and row["operation"] not in refused)
        if not (idle or open_) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    checks.ok("the profile serves something", rows)
    checks.ok("every served operation was answered for its owner", not idle, idle)
    checks.ok("every operation that takes ids was refused with another's", not open_, open_)
    asked = sum(bool(row["isolation"]) for row in rows)
    checks.note(f"{len(rows)} operations are served: {len(rows) - len(idle)} were answered, {asked - len(open_)} of {asked} that take ids were refused with another's")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdk", choices=["openai", "anthropic"], required=True)
    for name in ("base", "ca", "coverage", "trail", "tenants", "route"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def main():
    options, checks = arguments(), Checks()
    sdk, client, makes, named, ends = {"openai": openai_parts, "anthropic": anthropic_parts}[options.sdk](options)
    a, b, own, theirs = client(os.environ["KEY_A"]), client(os.environ["KEY_B"]), {}, {}
    with checks.group(options.sdk):
        steps.make(checks, makes, a, "A", theirs)
        steps.make(checks, makes, b, "B", own)
        with checks.group("lists"):
            steps.lists(checks, makes, a, "A", theirs, own)
            steps.lists(checks, makes, b, "B", own, theirs)
        # Where nothing trains models there is none of A's; what looks like one is nobody's.
        theirs.setdefault("trained", "ft:claude-sandbox-4:acme::Zq7Lw2Kx")
        with checks.group("B with A's ids"):
            steps.foreign(sdk, checks, makes + named + ends, b, own, theirs)
        with checks.group("lists after that"):
            steps.lists(checks, makes, a, "A", theirs, own)
        steps.make(checks, ends, a, "A", theirs)
        with checks.group("gone"):
            steps.gone(sdk, checks, makes, ends, a, theirs)
        with checks.group("coverage"):
            covered(checks, options)
    checks.finish()


main()
