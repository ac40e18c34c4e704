#!/usr/bin/env python3
"""Drives every served operation of a profile over TLS with the unmodified SDK, as two tenants, before the sandbox.

    drive_operations.py --sdk openai --base https://localhost:8443 --ca ca.crt --route NAME --coverage FILE

KEY_A and KEY_B are the keys of the two tenants; both hold every grant. Each makes all that there is by itself; the second
then asks for all of it with the first one's ids, each place in turn. What the route NAME refuses by name, as FILE says
(`consentry coverage --format json`), is asked for as well. covered.py looks that nothing was left out.
"""
import argparse
import json
import os
import pathlib
import ssl
import sys

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


def realtime(checks, client, options):
    """The SDK's own WebSocket is refused, in words that it can show."""
    import websockets

    # It goes to the base's host by `wss`, with the key in its header.
    connection = client.realtime.connect(model="gpt-realtime", max_retries=0, websocket_connection_options={"ssl": ssl.create_default_context(cafile=options.ca)})
    try:
        connection.enter().close()
        checks.ok("is refused", False, "it was opened")
    except websockets.InvalidStatus as problem:
        error = json.loads(problem.response.body)["error"]
        checks.same("is refused", (problem.response.status_code, error["code"]), (403, "upgrade_refused"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sdk", choices=["openai", "anthropic"], required=True)
    for name in ("base", "ca", "route", "coverage"):
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
        with checks.group("refused by name"):
            rows = [json.loads(line) for line in pathlib.Path(options.coverage).read_text().splitlines()]
            rows = [row for row in rows if row["route"] == options.route and row["served"] != "served"]
            steps.refused(sdk, checks, rows, a, "/v1" if options.sdk == "openai" else "")
        if options.sdk == "openai":
            with checks.group("realtime by WebSocket"):
                realtime(checks, a, options)
    checks.finish()


main()
