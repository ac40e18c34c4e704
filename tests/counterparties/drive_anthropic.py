#!/usr/bin/env python3
"""Drives a server that nobody here wrote with Anthropic's unmodified SDK for Python, as two tenants.

    drive_anthropic.py --server aimock --base https://localhost:8443 --ca ca.crt --witness http://127.0.0.1:18300
    drive_anthropic.py --server llama  --base https://localhost:8443 --ca ca.crt --witness http://127.0.0.1:18200

The options are those of drive.py.
"""
import json

import anthropic

from world import World, arguments, ask, outcome, user  # first: it says where the next are
from checks import Checks  # noqa: E402

TOOL = {"name": "look_up", "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}}}


def spoken(stream):
    return "".join(event.delta.text for event in stream if event.type == "content_block_delta" and event.delta.type == "text_delta")


def talk(client, content, model="tiny", **more):
    return client.messages.create(model=model, max_tokens=more.pop("max_tokens", 64), messages=user(content), **more)


def foreign(world):
    """Nothing that these servers make has an id; what could be somebody's is asked for in each place that takes one."""
    file = {"type": "document", "source": {"type": "file", "file_id": "file_011CNha8iCJcU1wXNR6q4V8w"}}
    world.wrong("a trained model", "ft:tiny:acme::Zq7Lw2Kx", lambda id: talk(world.b, "hi", model=id))
    world.wrong("the same, streamed", "ft:tiny:acme::Zq7Lw2Kx", lambda id: talk(world.b, "hi", model=id, stream=True))
    world.wrong("a file in a message", file["source"]["file_id"], lambda id: talk(world.b, [{**file, "source": {"type": "file", "file_id": id}}]))
    world.wrong("a container", "container_01Zq7Lw2Kx", lambda id: talk(world.b, "hi", container=id))
    world.wrong("a batch", "msgbatch_01Zq7Lw2KxAb", world.b.messages.batches.retrieve)
    world.wrong("a file", file["source"]["file_id"], world.b.files.retrieve_metadata)


def planted(world, witness):
    """Secrets and personal data in every place of a message; none of them arrives."""
    secret, person = world.planter.secret, lambda: world.planter.person("_email")
    turns = [
        {"role": "user", "content": [{"type": "text", "text": f"look up {person()}"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {"query": f"{secret()} of {person()}"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": f"it is {secret()}"}]}]},
    ]
    world.a.messages.create(model="tiny", max_tokens=16, system=f"the key is {secret()}", messages=user(f"mine is {person()}"))
    world.a.messages.create(model="tiny", max_tokens=16, tools=[TOOL], messages=turns)
    world.arrived("a message", witness())


def aimock(world):
    checks, a = world.checks, world.a
    wanted = "Good day. These words come from a canned answer, in small pieces."
    with checks.group("messages"):
        checks.same("plain", talk(a, "hi").content[0].text, wanted)
        checks.same("streamed", spoken(talk(a, "hi", stream=True)), wanted)
        with a.messages.stream(model="tiny", max_tokens=64, messages=user("hi")) as stream:
            checks.same("by the SDK's helper", (stream.get_final_text(), stream.get_final_message().stop_reason), (wanted, "end_turn"))
        told = spoken(talk(a, "leak", stream=True))
        address = "@".join(["jane.roe", "mail-desk.com"])
        if world.direct:
            checks.ok("an address is told", address in told, told)
        else:
            checks.ok("an address that nobody sent is kept back", address not in told, told)
            checks.ok("the rest is there", told.startswith("The address is ") and told.endswith(", as asked."), told)
    with checks.group("witness"):
        planted(world, lambda: ask(f"{world.options.witness}/__aimock/journal?limit=1000"))
    with checks.group("foreign"):
        foreign(world)
    with checks.group("not there"):
        got = outcome(anthropic, lambda _: a.messages.count_tokens(model="tiny", messages=user("hi")), "none")
        checks.same("what the server does not serve", got[:2], ("NotFoundError", 404))


def llama(world):
    checks, a = world.checks, world.a
    same = {"extra_body": {"temperature": 0, "seed": 1}}
    with checks.group("messages"):
        plain, streamed = talk(a, "hello", **same).content[0].text, spoken(talk(a, "hello", stream=True, **same))
        checks.ok("it talks", len(plain) > 20, plain)
        checks.same("streamed and plain agree", streamed, plain)
        long = list(talk(a, "a long story", max_tokens=1500, stream=True, extra_body={"temperature": 0, "seed": 1, "ignore_eos": True}))
        checks.ok("a long stream arrives whole", len(long) > 1400 and long[-1].type == "message_stop", len(long))
        checks.ok("tokens are counted", a.messages.count_tokens(model="tiny", messages=user("hello")).input_tokens > 5)
    with checks.group("two tenants"):
        words = "a prompt that one tenant sends and then the other, word for word"
        talk(a, words)
        usage = talk(world.b, words).usage
        begun = next(iter(talk(world.b, words, stream=True))).message.usage
        if world.direct:
            checks.ok("the server tells of cached tokens", usage.cache_read_input_tokens and begun.cache_read_input_tokens, usage)
        else:
            checks.ok("no count tells of the other's prompt", not usage.cache_read_input_tokens and not begun.cache_read_input_tokens, (usage, begun))
    with checks.group("witness"):
        alone = anthropic.Anthropic(api_key="none", base_url=world.options.witness, max_retries=0)
        checks.same("clean words are the server's own", talk(a, "hello", **same).content[0].text, talk(alone, "hello", **same).content[0].text)
        planted(world, lambda: "\n".join(str(slot.get("prompt")) for slot in json.loads(ask(f"{world.options.witness}/slots"))))
    with checks.group("foreign"):
        foreign(world)
    with checks.group("closed"):
        world.closed(("/slots", "/props", "/v1/chat/completions", "/tokenize"))


def main():
    options, checks = arguments(__doc__), Checks()
    with checks.group(f"anthropic, {options.server}"):
        {"aimock": aimock, "llama": llama}[options.server](World(anthropic, options, checks))
    checks.finish()


main()
