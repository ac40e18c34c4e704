#!/usr/bin/env python3
"""Drives a server that nobody here wrote with the unmodified openai-python SDK, as two tenants.

    drive.py --server aimock --base https://localhost:8443 --ca ca.crt --witness http://127.0.0.1:18300
    drive.py --server llama  --base https://localhost:8443 --ca ca.crt --witness http://127.0.0.1:18200
    drive.py --server aimock --direct --base http://127.0.0.1:18300

KEY_A and KEY_B (or --key-a, --key-b) are two tenants' keys, both with grants for training. --witness is the server
itself: what it says arrived. With --direct BASE is the server itself, and what only a gateway does is left out.
"""
import json
import threading

import openai

from world import World, arguments, ask, outcome, user  # first: it says where the next are
from checks import Checks, until  # noqa: E402
from planted import records  # noqa: E402

MODEL = "gpt-4o-mini-2024-07-18"


def aimock(world):
    checks, a, b = world.checks, world.a, world.b
    with checks.group("files"):
        lines, dirty = records(world.planter, 300)
        file = a.files.create(file=("train.jsonl", b"\n".join(lines)), purpose="fine-tune")
        got = a.files.content(file.id).content.split(b"\n")
        checks.same("as many records", len(got), len(lines))
        same = [n for n in range(len(lines)) if n not in dirty and got[n] != lines[n]]
        checks.ok("clean records are byte for byte the same", not same, same[:3])
        checks.ok("listed", file.id in [each.id for each in a.files.list(limit=1)])
        world.wrong("files.retrieve", file.id, b.files.retrieve)
        world.wrong("files.content", file.id, b.files.content)
        world.wrong("files.delete", file.id, b.files.delete)
        if not world.direct:
            checks.ok("not listed for the other", file.id not in [each.id for each in b.files.list()])
            text = ask(f"{world.options.witness}/v1/files/{file.id}/content")
            checks.same("upstream has as many records", len(text.split("\n")), len(lines))
            world.arrived("the file", text)
    with checks.group("jobs"):
        jobs = a.fine_tuning.jobs
        job = jobs.create(model=MODEL, training_file=file.id, suffix="acme")
        job = until(lambda: jobs.retrieve(job.id), lambda each: each.status in ("succeeded", "failed"))
        checks.same("it succeeds", job.status, "succeeded")
        checks.ok("it tells events", list(jobs.list_events(job.id, limit=2)))
        checks.ok("listed", job.id in [each.id for each in jobs.list(limit=1)])
        other = jobs.create(model=MODEL, training_file=file.id)
        checks.same("cancelled", jobs.cancel(other.id).status, "cancelled")
        world.wrong("jobs.retrieve", job.id, b.fine_tuning.jobs.retrieve)
        world.wrong("jobs.cancel", job.id, b.fine_tuning.jobs.cancel)
        world.wrong("jobs.events", job.id, lambda id: b.fine_tuning.jobs.list_events(id))
        world.wrong("jobs.create with the file", file.id, lambda id: b.fine_tuning.jobs.create(model=MODEL, training_file=id))
        world.wrong("chat with the model", job.fine_tuned_model, lambda id: b.chat.completions.create(model=id, messages=user("hi")))
    with checks.group("chat"):
        wanted = "Good day. These words come from a canned answer, in small pieces."
        checks.same("plain", a.chat.completions.create(model=job.fine_tuned_model, messages=user("hi")).choices[0].message.content, wanted)
        stream = a.chat.completions.create(model=job.fine_tuned_model, messages=user("hi"), stream=True)
        checks.same("streamed", "".join(c.delta.content or "" for chunk in stream for c in chunk.choices), wanted)
        told = "".join(c.delta.content or "" for chunk in a.chat.completions.create(model=MODEL, messages=user("leak"), stream=True) for c in chunk.choices)
        address = "@".join(["jane.roe", "mail-desk.com"])
        if world.direct:
            checks.ok("an address is told", address in told, told)
        else:
            checks.ok("an address that nobody sent is kept back", address not in told, told)
            checks.ok("the rest is there", told.startswith("The address is ") and told.endswith(", as asked."), told)
        a.chat.completions.create(model=MODEL, messages=user(f"the key is {world.planter.secret()}, mine is {world.planter.person('_email')}"))
        world.arrived("a chat", ask(f"{world.options.witness}/__aimock/journal?limit=1000"))
    with checks.group("batches"):
        line = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": MODEL, "messages": user("hi")}}
        source = a.files.create(file=("batch.jsonl", json.dumps(line).encode() + b"\n"), purpose="batch")
        batch = a.batches.create(input_file_id=source.id, endpoint="/v1/chat/completions", completion_window="24h")
        batch = until(lambda: a.batches.retrieve(batch.id), lambda each: each.status in ("completed", "failed"))
        answers = [json.loads(each) for each in a.files.content(batch.output_file_id).text.splitlines()]
        checks.same("answered", [each["custom_id"] for each in answers], ["one"])
        checks.ok("listed", batch.id in [each.id for each in a.batches.list(limit=1)])
        world.wrong("batches.retrieve", batch.id, b.batches.retrieve)
        world.wrong("the batch's output", batch.output_file_id, b.files.content)
    with checks.group("ending"):
        checks.ok("deleted", a.files.delete(file.id).deleted)
        checks.same("gone", outcome(openai, a.files.retrieve, file.id)[:2], ("NotFoundError", 404))


def told(client, text, **more):
    """Plain and streamed; the same words, since nothing is left to chance."""
    given = {"model": "tiny", "messages": user(text), "max_tokens": 200, "temperature": 0, "seed": 1, **more}
    plain = client.chat.completions.create(**given)
    chunks = list(client.chat.completions.create(**given, stream=True))
    streamed = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    return plain, streamed, chunks


def llama(world):
    checks, a = world.checks, world.a
    with checks.group("chat"):
        checks.ok("the model is listed", "tiny" in [each.id for each in a.models.list()])
        plain, streamed, chunks = told(a, "hello")
        checks.ok("it talks", len(streamed) > 20 and len(chunks) > 20, streamed)
        checks.same("streamed and plain agree", streamed, plain.choices[0].message.content)
        checks.ok("it ends", any(c.finish_reason for chunk in chunks for c in chunk.choices))
        long = told(a, "a long story", max_tokens=1800, extra_body={"ignore_eos": True})
        checks.ok("a long stream arrives whole", len(long[2]) > 1500 and long[1] == long[0].choices[0].message.content, len(long[2]))
        response = a.responses.create(model="tiny", input="hello", max_output_tokens=16)
        checks.ok("a response", response.status in ("completed", "incomplete"), response.status)
        kinds = [event.type for event in a.responses.create(model="tiny", input="hello", max_output_tokens=16, stream=True)]
        checks.same("its events", (kinds[0], kinds[-1] in ("response.completed", "response.incomplete")), ("response.created", True))
    with checks.group("two tenants"):
        words = "a prompt that one tenant sends and then the other, word for word"
        told(a, words)
        usage = told(world.b, words)[0].usage
        cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
        if world.direct:
            checks.note(f"the server tells of {cached} cached tokens")
        else:
            checks.ok("nothing tells of the other's prompt", not cached, usage)
        results = {}

        def run(name, client, text):
            results[name] = told(client, text, max_tokens=400)

        threads = [threading.Thread(target=run, args=(f"{name}{n}", client, f"{name} asks {n}")) for n in range(3) for name, client in (("a", a), ("b", world.b))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        checks.same("six streams at once, all whole", sum(len(each[1]) > 20 for each in results.values()), 6)
    with checks.group("witness"):
        if world.options.witness:
            alone = openai.OpenAI(api_key="none", base_url=f"{world.options.witness}/v1", max_retries=0)
            checks.same("clean words are the server's own", told(a, "hello")[1], told(alone, "hello")[1])
            told(a, f"my key {world.planter.secret()} and {world.planter.person('_email')}")
            world.arrived("a prompt", "\n".join(str(slot.get("prompt")) for slot in json.loads(ask(f"{world.options.witness}/slots"))))
    with checks.group("closed"):
        world.closed(("/slots", "/props", "/metrics", "/v1/../slots", "/lora-adapters"))


def main():
    options = arguments(__doc__)
    checks = Checks()
    with checks.group(options.server):
        {"aimock": aimock, "llama": llama}[options.server](World(openai, options, checks))
    checks.finish()


main()
