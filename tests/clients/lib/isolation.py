"""Every call as the wrong tenant: another's id and one that never was get the same answer."""
import io
import json
import random
import re
import string

import openai

from checks import until

# Headers that differ between any two answers.
VARYING = {"date", "x-request-id", "x-consentry-request-id", "request-id", "traceparent", "content-length", "server-timing"}


def invented(real):
    """An id of the same shape that never was."""
    runs = [*re.finditer(r"[0-9A-Za-z]{6,}", real)] or [*re.finditer(r"[0-9A-Za-z]+", real)]
    run = runs[-1]
    alphabet = string.hexdigits[:16] if re.fullmatch(r"[0-9a-f]+", run[0]) else string.ascii_letters + string.digits
    return real[: run.start()] + "".join(random.choice(alphabet) for _ in run[0]) + real[run.end() :]


class NotAnswered(Exception):
    """A batch was accepted, but its line got no answer."""


def outcome(ask, id):
    """What the SDK makes of the answer: exception, status, headers, body; the id that was asked for is taken out."""
    try:
        got = ask(id)
        if isinstance(got, openai.Stream):
            list(got)
        elif hasattr(got, "__iter__") and not hasattr(got, "model_dump"):
            list(got)
    except NotAnswered:
        return "NotFoundError", 404, {}, "the line was not answered"
    except openai.APIStatusError as problem:
        headers = {name: value.replace(id, "<id>") for name, value in problem.response.headers.items() if name not in VARYING}
        return type(problem).__name__, problem.status_code, headers, problem.response.text.replace(id, "<id>")
    return "no error", 200, {}, repr(got)[:200]


def user(text):
    return [{"role": "user", "content": text}]


def batch_of(client, model):
    """Uploads and runs a batch whose line names a model. Refused at once, or the line is not answered."""
    line = {"custom_id": "x", "method": "POST", "url": "/v1/chat/completions", "body": {"model": model, "messages": user("hi")}}
    file = client.files.create(file=("b.jsonl", json.dumps(line).encode() + b"\n"), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = until(lambda: client.batches.retrieve(batch.id), lambda each: each.status in ("completed", "failed", "cancelled"))
    if batch.request_counts and batch.request_counts.completed:
        return f"answered: {client.files.content(batch.output_file_id).text[:80]}"
    raise NotAnswered


def calls(client, own, kind, model):
    """Every place of the API where an id of this kind can stand: {name: function of the id}."""
    jobs, stores, uploads = client.fine_tuning.jobs, client.vector_stores, client.uploads
    part = [{"role": "user", "content": [{"type": "text", "text": "read"}, {"type": "file", "file": {"file_id": ""}}]}]

    def with_file(id):
        message = json.loads(json.dumps(part))
        message[0]["content"][1]["file"]["file_id"] = id
        return message

    return {
        "file": {
            "files.retrieve": client.files.retrieve,
            "files.content": client.files.content,
            "files.delete": client.files.delete,
            "files.list after": lambda id: client.files.list(after=id),
            "jobs.create training_file": lambda id: jobs.create(model=model, training_file=id),
            "jobs.create validation_file": lambda id: jobs.create(model=model, training_file=own["file"], validation_file=id),
            "batches.create": lambda id: client.batches.create(input_file_id=id, endpoint="/v1/chat/completions", completion_window="24h"),
            "chat file part": lambda id: client.chat.completions.create(model=model, messages=with_file(id)),
            "responses input_file": lambda id: client.responses.create(model=model, input=[{"role": "user", "content": [{"type": "input_file", "file_id": id}]}]),
            "responses input_image": lambda id: client.responses.create(model=model, input=[{"role": "user", "content": [{"type": "input_image", "file_id": id, "detail": "auto"}]}]),
            "vector_stores.create": lambda id: stores.create(file_ids=[own["file"], id]),
            "vector_stores.files.create": lambda id: stores.files.create(own["store"], file_id=id),
            "vector_stores.files.retrieve": lambda id: stores.files.retrieve(id, vector_store_id=own["store"]),
            "vector_stores.files.content": lambda id: stores.files.content(id, vector_store_id=own["store"]),
            "vector_stores.files.update": lambda id: stores.files.update(id, vector_store_id=own["store"], attributes={"a": 1}),
            "vector_stores.files.delete": lambda id: stores.files.delete(id, vector_store_id=own["store"]),
            "file_batches.create file_ids": lambda id: stores.file_batches.create(own["store"], file_ids=[own["file"], id]),
            "file_batches.create files": lambda id: stores.file_batches.create(own["store"], files=[{"file_id": id}]),
        },
        "job": {
            "jobs.retrieve": jobs.retrieve,
            "jobs.cancel": jobs.cancel,
            "jobs.pause": jobs.pause,
            "jobs.resume": jobs.resume,
            "jobs.events": lambda id: jobs.list_events(id),
            "jobs.checkpoints": lambda id: jobs.checkpoints.list(id),
            "jobs.list after": lambda id: jobs.list(after=id),
        },
        "model": {
            "models.retrieve": client.models.retrieve,
            "models.delete": client.models.delete,
            "chat": lambda id: client.chat.completions.create(model=id, messages=user("hi")),
            "chat, stream": lambda id: client.chat.completions.create(model=id, messages=user("hi"), stream=True),
            "completions": lambda id: client.completions.create(model=id, prompt="hi"),
            "responses": lambda id: client.responses.create(model=id, input="hi"),
            "responses, stream": lambda id: client.responses.create(model=id, input="hi", stream=True),
            "embeddings": lambda id: client.embeddings.create(model=id, input="hi"),
            "moderations": lambda id: client.moderations.create(model=id, input="hi"),
            "jobs.create": lambda id: jobs.create(model=id, training_file=own["file"]),
            "a batch's line": lambda id: batch_of(client, id),
        },
        "batch": {
            "batches.retrieve": client.batches.retrieve,
            "batches.cancel": client.batches.cancel,
            "batches.list after": lambda id: client.batches.list(after=id),
        },
        "upload": {
            "uploads.parts.create": lambda id: uploads.parts.create(id, data=b"hello"),
            "uploads.complete": lambda id: uploads.complete(id, part_ids=[own["part"]]),
            "uploads.cancel": uploads.cancel,
        },
        "open_part": {"uploads.complete part_ids": lambda id: uploads.complete(own["upload"], part_ids=[own["part"], id])},
        "store": {
            "vector_stores.retrieve": stores.retrieve,
            "vector_stores.update": lambda id: stores.update(id, name="mine"),
            "vector_stores.delete": stores.delete,
            "vector_stores.search": lambda id: stores.search(id, query="x"),
            "vector_stores.list after": lambda id: stores.list(after=id),
            "vector_stores.list before": lambda id: stores.list(before=id),
            "vector_stores.files.list": lambda id: stores.files.list(id),
            "vector_stores.files.create": lambda id: stores.files.create(id, file_id=own["file"]),
            "vector_stores.files.retrieve": lambda id: stores.files.retrieve(own["file"], vector_store_id=id),
            "vector_stores.files.content": lambda id: stores.files.content(own["file"], vector_store_id=id),
            "vector_stores.files.delete": lambda id: stores.files.delete(own["file"], vector_store_id=id),
            "file_batches.create": lambda id: stores.file_batches.create(id, file_ids=[own["file"]]),
            "file_batches.retrieve": lambda id: stores.file_batches.retrieve(own["group"], vector_store_id=id),
            "responses file_search": lambda id: client.responses.create(model=model, input="x", tools=[{"type": "file_search", "vector_store_ids": [id]}]),
        },
        "group": {
            "file_batches.retrieve": lambda id: stores.file_batches.retrieve(id, vector_store_id=own["store"]),
            "file_batches.cancel": lambda id: stores.file_batches.cancel(id, vector_store_id=own["store"]),
            "file_batches.files": lambda id: stores.file_batches.list_files(id, vector_store_id=own["store"]),
        },
        "response": {
            "responses.retrieve": client.responses.retrieve,
            "responses.delete": client.responses.delete,
            "responses.cancel": client.responses.cancel,
            "responses.input_items": lambda id: client.responses.input_items.list(id),
            "responses previous_response_id": lambda id: client.responses.create(model=model, input="x", previous_response_id=id),
        },
        "chat": {
            "chat.retrieve": client.chat.completions.retrieve,
            "chat.update": lambda id: client.chat.completions.update(id, metadata={"a": "b"}),
            "chat.delete": client.chat.completions.delete,
            "chat.messages": lambda id: client.chat.completions.messages.list(id),
            "chat.list after": lambda id: client.chat.completions.list(after=id),
        },
    }[kind]


def prepared(client):
    """What the wrong tenant needs of its own to ask with."""
    own = {"file": client.files.create(file=("own.jsonl", io.BytesIO(b'{"messages":[{"role":"user","content":"x"}]}\n')), purpose="fine-tune").id}
    own["store"] = client.vector_stores.create(name="own", file_ids=[own["file"]]).id
    own["group"] = client.vector_stores.file_batches.create(own["store"], file_ids=[own["file"]]).id
    own["upload"] = client.uploads.create(bytes=5, filename="x", mime_type="text/plain", purpose="user_data").id
    own["part"] = client.uploads.parts.create(own["upload"], data=b"hello").id
    return own


def isolation(world):
    checks, made = world.checks, dict(world.made)
    made["response"] = world.a.responses.create(model=world.model, input="mine").id
    made["chat"] = world.a.chat.completions.create(model=world.model, messages=user("mine"), store=True).id
    own = prepared(world.b)
    theirs = {"file": "file", "job": "job", "model": "model", "batch": "batch", "upload": "upload", "open_part": "open_part",
              "store": "store", "group": "group", "response": "response", "chat": "chat"}
    extra = {"file": ["store_file", "batch_file", "upload_file", "notes"], "model": ["checkpoint"]}
    for kind in theirs:
        asks = calls(world.b, own, kind, world.model)
        for real in [kind, *extra.get(kind, [])]:
            if real not in made:
                checks.ok(f"{real}: was made", False, "an earlier group failed")
                continue
            for name, ask in asks.items():
                never = outcome(ask, invented(made[real]))
                if world.direct:
                    checks.ok(f"{name} of an invented {real}: an error of the API", 400 <= never[1] < 500, never)
                    continue
                foreign = outcome(ask, made[real])
                checks.ok(f"{name} of another's {real}: NotFoundError", foreign[0] == "NotFoundError", foreign)
                checks.same(f"{name} of another's {real}: as if it never was", foreign, never)
    if not world.direct:
        with checks.group("afterwards"):
            still(world)
        with checks.group("the account"):
            carried(world)


def still(world):
    """What the wrong tenant tried to end is still there."""
    checks, a, made = world.checks, world.a, world.made
    asks = {"file": a.files.retrieve, "job": a.fine_tuning.jobs.retrieve, "model": a.models.retrieve, "batch": a.batches.retrieve, "store": a.vector_stores.retrieve}
    for kind, ask in asks.items():
        checks.same(f"the {kind} is still there", ask(made[kind]).id, made[kind])
    part = a.uploads.parts.create(made["upload"], data=b"again")
    checks.same("the upload is still open", part.upload_id, made["upload"])


def carried(world):
    """What tells of the shared account does not come through."""
    answer = world.a.chat.completions.with_raw_response.create(model=world.model, messages=user("x"))
    told = {name for name in answer.headers if name.startswith(("x-ratelimit", "openai-")) or name in ("set-cookie", "cf-ray")}
    world.checks.ok("no header tells of the shared account", not told, told)
    text = answer.http_response.text
    world.checks.ok("no body tells of the shared account", '"organization_id": "sandbox-org"' not in text)
