"""The right tenant's calls, from the upload to the end."""
import io
import json
import re

import openai

from checks import until
from planted import records

FUNCTIONS = [
    {"name": "look_up", "parameters": {"type": "object", "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}}}},
    {"name": "send_note", "parameters": {"type": "object", "properties": {"body": {"type": "string"}}}},
]
CHAT_TOOLS = [{"type": "function", "function": each} for each in FUNCTIONS]


def user(text):
    return [{"role": "user", "content": text}]


def files(world):
    """A JSONL of many records with planted values, as bytes and as a stream."""
    checks, a = world.checks, world.a
    lines, dirty = records(world.planter, world.options.records)
    world.watch()
    data = b"\n".join(lines)  # the last line has no end, as many files' don't
    for way, content in {"bytes": data, "stream": io.BytesIO(data)}.items():
        file = a.files.create(file=("train \u00fc 1.jsonl", content, "application/jsonl"), purpose="fine-tune",
                              expires_after={"anchor": "created_at", "seconds": 86400})
        checks.same(f"{way}: the purpose is kept", (file.purpose, file.object), ("fine-tune", "file"))
        checks.same(f"{way}: the name is kept", file.filename, "train \u00fc 1.jsonl")
        got = a.files.content(file.id).content
        compare(world, f"{way}: downloaded", lines, dirty, got)
        if world.sandbox:
            compare(world, f"{way}: upstream", lines, dirty, world.sandbox.files().get(file.id, b""))
        checks.same(f"{way}: retrieve", a.files.retrieve(file.id).id, file.id)
        world.made.setdefault("file", file.id)
    binary = bytes(range(256)) * 8
    opaque = b"plain text, nothing in it\n" * 40
    for name, content in {"notes.txt": opaque}.items():
        file = a.files.create(file=(name, content), purpose="user_data")
        checks.same(f"{name}: byte for byte", a.files.content(file.id).content, content)
        world.made["notes"] = file.id
    if world.direct:
        file = a.files.create(file=("picture.bin", binary), purpose="user_data")
        checks.same("binary: byte for byte", a.files.content(file.id).content, binary)


def compare(world, what, lines, dirty, got):
    """The lines that came: as many, in order, the clean ones byte for byte, the others still JSON."""
    checks = world.checks
    if world.direct:
        checks.same(f"{what}: byte for byte", got == b"\n".join(lines), True)
        return
    came = got.split(b"\n")
    if not checks.same(f"{what}: as many records", len(came), len(lines)):
        return
    touched = [number for number, (line, other) in enumerate(zip(lines, came)) if number not in dirty and line != other]
    checks.ok(f"{what}: records without findings are byte for byte the same", not touched,
              f"{len(touched)} differ, first {touched[:1]}: {came[touched[0]][:200] if touched else ''}")
    numbers = [json.loads(line)["n"] for line in came]
    checks.same(f"{what}: every record is JSON and in order", numbers, list(range(len(lines))))
    unchanged = [number for number in dirty if came[number] == lines[number]]
    checks.ok(f"{what}: every record with findings was changed", not unchanged, f"{len(unchanged)} were not, first {unchanged[:1]}")
    world.clean(what, got.decode())
    if what.endswith("upstream"):
        found = [value for value in world.planter.personal if value.encode() in got]
        checks.ok(f"{what}: no planted personal datum", not found, f"{len(found)} found, first {found[:1]}")


def training(world):
    """Job, events, checkpoints, model; pause, resume and cancel."""
    checks, jobs = world.checks, world.a.fine_tuning.jobs
    job = jobs.create(model=world.model, training_file=world.made["file"], suffix="acme", metadata={"k": "v"},
                      method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}})
    checks.same("the job uses the file", (job.training_file, job.status), (world.made["file"], "validating_files"))
    world.made["job"] = job.id
    job = until(lambda: jobs.retrieve(job.id), lambda each: each.status in ("succeeded", "failed", "cancelled"))
    if not checks.ok("the job succeeds", job.status == "succeeded", job.error):
        return
    world.made["model"] = job.fine_tuned_model
    checks.ok("the model is named after base and suffix",
              re.fullmatch(rf"ft:{world.model}:[\w-]+:acme:\w+", job.fine_tuned_model or ""), job.fine_tuned_model)
    events = list(jobs.list_events(job.id, limit=2))
    checks.ok("the events come page by page, each once", len(events) > 6 and len({each.id for each in events}) == len(events), len(events))
    told = "\n".join(each.message for each in events)
    checks.ok("the events tell of the model", "New fine-tuned model created" in told, told)
    leaked = re.findall(r"sk-[0-9A-Za-z]{20}T3BlbkFJ[0-9A-Za-z]{20}", json.dumps([each.model_dump() for each in events], default=str))
    if world.direct:
        checks.same("the events leak a key", len(set(leaked)), 1)
    else:
        checks.ok("no key leaks through the events", not leaked, f"{len(leaked)} did")
        joined = "".join(reversed([each.message for each in events]))
        halves = re.search(r"g" + r"hp_[0-9A-Za-z]{36}", joined)
        world.checks.note(f"a token that is split over two events is {'still readable' if halves else 'not readable'} when they are joined")
    world.clean("the job's log", told)
    points = list(jobs.checkpoints.list(job.id, limit=1))
    checks.same("two checkpoints, newest first", [each.step_number for each in points], [3, 2])
    checks.ok("a checkpoint is of this job and names its model",
              points and points[0].fine_tuning_job_id == job.id and points[0].fine_tuned_model_checkpoint.startswith(job.fine_tuned_model))
    if points:
        answer = world.a.chat.completions.create(model=points[0].fine_tuned_model_checkpoint, messages=user("a word"))
        checks.same("a checkpoint answers", answer.choices[0].message.content, "You said: a word")
        world.made["checkpoint"] = points[0].fine_tuned_model_checkpoint
    result = world.a.files.content(job.result_files[0]).text
    checks.ok("the result file is read", result.startswith("step,"), result[:80])
    checks.same("the model is retrieved", world.a.models.retrieve(job.fine_tuned_model).id, job.fine_tuned_model)
    second = jobs.create(model=job.fine_tuned_model, training_file=world.made["file"], validation_file=world.made["file"])
    checks.same("paused", jobs.pause(second.id).status, "paused")
    checks.ok("resumed", jobs.resume(second.id).status in ("validating_files", "queued", "running"))
    checks.same("cancelled", jobs.cancel(second.id).status, "cancelled")
    checks.ok("both jobs are listed", {job.id, second.id} <= {each.id for each in jobs.list(limit=1)})
    checks.same("listed by metadata", [each.id for each in jobs.list(metadata={"k": "v"}) if each.id == job.id], [job.id])


def chat(world):
    """Streams and tool calls on the tenant's own model."""
    checks, completions, model = world.checks, world.a.chat.completions, world.made.get("model", world.model)
    text = "Grüße 漢字 😀 \"quoted\" \\ back\nnew line, and a clean sentence to be said back in small pieces."
    answer = completions.create(model=model, messages=user(text))
    checks.same("clean text comes back the same", answer.choices[0].message.content, f"You said: {text}")
    chunks = list(completions.create(model=model, messages=user(text), stream=True, n=2, stream_options={"include_usage": True}))
    for index in range(2):
        joined = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices if c.index == index)
        checks.same(f"streamed, choice {index}: the same", joined, f"You said: {text}")
    checks.same("streamed: ends with stop and usage", ([c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason], chunks[-1].usage is not None), (["stop"] * 2, True))
    if not world.direct:
        cached = [each.usage.prompt_tokens_details for each in (answer, chunks[-1]) if each.usage]
        checks.ok("nothing tells of the account's prompt cache", not any(each and each.cached_tokens for each in cached), cached)
    secret, mail = world.secret(), world.person("_email")
    dirty = f"The key is {secret}; write to {mail} about it."
    if not world.direct:
        try:
            completions.create(model=model, messages=user(dirty), logprobs=True)
        except openai.PermissionDeniedError:
            checks.ok("log probabilities, which would tell the text once more, are refused", True)
        else:
            checks.ok("log probabilities, which would tell the text once more, are refused", False)
    plain = completions.create(model=model, messages=user(dirty))
    said = plain.choices[0].message.content
    world.clean("a plain answer", plain.model_dump_json())
    stream = list(completions.create(model=model, messages=user(dirty), stream=True))
    joined = "".join(c.delta.content or "" for chunk in stream for c in chunk.choices)
    world.clean("a streamed answer", joined)
    checks.same("streamed and plain say the same", joined, said)
    if world.options.restores:
        checks.ok("the address comes back in its own exchange", mail in said and mail in joined, said)
    tool_calls(world, model, f"call every tool with {secret} for {mail} and Grüße 😀")
    spoken = completions.create(model=model, messages=user("call it") + [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"query": f"{secret} x"})}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": f"found {mail}"}])
    checks.ok("a tool's answer is told", spoken.choices[0].message.content.startswith("The tool said: found "))
    leaky(world)


def tool_calls(world, model, text):
    checks, completions = world.checks, world.a.chat.completions
    plain = completions.create(model=model, messages=user(text), tools=CHAT_TOOLS)
    wanted = [(call.function.name, json.loads(call.function.arguments)) for call in plain.choices[0].message.tool_calls]
    checks.same("both tools are called", [name for name, _ in wanted], ["look_up", "send_note"])
    found = {}
    for chunk in completions.create(model=model, messages=user(text), tools=CHAT_TOOLS, stream=True):
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                name, arguments = found.setdefault(call.index, ["", ""])
                found[call.index] = [name + (call.function.name or ""), arguments + (call.function.arguments or "")]
    streamed = [(name, json.loads(arguments)) for name, arguments in found.values()]
    checks.same("streamed: the same calls, their arguments still JSON", streamed, wanted)
    checks.ok("the clean end of the arguments is there", streamed and streamed[0][1]["query"].endswith("and Grüße 😀"), streamed)
    world.clean("the arguments", json.dumps(streamed, ensure_ascii=False))


def leaky(world):
    """The model tells secrets that nobody planted in the request."""
    if not world.sandbox:
        return
    values = world.sandbox.leaks()
    ask = {"model": "sandbox-leaky", "messages": user("hello")}
    if world.direct:
        ask["logprobs"] = True
    whole = world.a.chat.completions.create(**ask)
    chunks = list(world.a.chat.completions.create(**ask, stream=True))
    ways = {"plain": [whole.choices[0].message.content],
            "streamed": [c.delta.content or "" for chunk in chunks for c in chunk.choices]}
    choices = {"plain": whole.choices, "streamed": [c for chunk in chunks for c in chunk.choices]}
    for way, pieces in ways.items():
        # The text stands once more in the log probabilities, token by token, as text and as bytes.
        tokens = [token for choice in choices[way] if choice.logprobs for token in choice.logprobs.content or []]
        again = "".join(token.token for token in tokens) + "\n" + bytes(byte for token in tokens for byte in token.bytes or []).decode("utf-8", "replace")
        if not world.direct:
            found = [value for value in values if value in again]
            world.checks.ok(f"{way}: the log probabilities don't tell it either", not found, f"{len(found)} of {len(values)}")
        text = "".join(pieces)
        found = [value for value in values if value in text]
        if world.direct:
            world.checks.same(f"{way}: the leaky model leaks", len(found), len(values))
        else:
            world.checks.ok(f"{way}: what the model leaks is kept back", not found, text)
            world.checks.ok(f"{way}: the rest of what it says is there", text.startswith("You said: hello By the way, the deployment key is "), text)


def responses(world):
    checks, responses, model = world.checks, world.a.responses, world.model
    text = f"My key {world.secret()} fails. Grüße 😀"
    plain = responses.create(model=model, input=text)
    checks.ok("answered", plain.output_text.startswith("You said: My key ") and plain.output_text.endswith("fails. Grüße 😀"), plain.output_text)
    world.clean("the response", plain.model_dump_json())
    events = list(responses.create(model=model, input=text, stream=True))
    kinds = [event.type for event in events]
    checks.same("the events are in their order", [kinds[0], kinds[1], kinds[2], kinds[3], kinds[-4], kinds[-3], kinds[-2], kinds[-1]], [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"])
    numbers = [event.sequence_number for event in events]
    checks.ok("their numbers go up", numbers == sorted(set(numbers)), numbers)
    joined = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    checks.same("the deltas, the done event and the plain answer agree", (joined, events[-4].text), (plain.output_text,) * 2)
    world.clean("the events", "\n".join(event.model_dump_json() for event in events))
    tools = [{"type": "function", **each} for each in FUNCTIONS]
    stream = list(responses.create(model=model, input=f"call a tool with {world.secret()}", tools=tools, stream=True))
    joined = "".join(event.delta for event in stream if event.type == "response.function_call_arguments.delta")
    done = next(event for event in stream if event.type == "response.function_call_arguments.done")
    checks.same("a function call's deltas and its end agree", json.loads(joined), json.loads(done.arguments))
    world.clean("the function call", joined)
    if world.direct:
        checks.same("retrieved", responses.retrieve(plain.id).id, plain.id)
        checks.same("replayed", [event.type for event in responses.retrieve(plain.id, stream=True)], kinds)
        second = responses.create(model=model, input="and again", previous_response_id=plain.id)
        checks.same("refers to the first", second.previous_response_id, plain.id)
        checks.same("its input", [item.content[0].text for item in responses.input_items.list(second.id)], ["and again"])
        later = responses.create(model=model, input="later", background=True)
        checks.same("in the background", (later.status, responses.retrieve(later.id).status), ("queued", "completed"))
        checks.same("counted", responses.input_tokens.count(model=model, input="four").object, "response.input_tokens")
        responses.delete(plain.id)
        gone(checks, "deleted", lambda: responses.retrieve(plain.id))


def gone(checks, what, ask):
    try:
        ask()
    except openai.NotFoundError as problem:
        checks.same(f"{what}: it is gone", problem.status_code, 404)
    else:
        checks.ok(f"{what}: it is gone", False, "it is still there")


def others(world):
    """Completions of the old kind, embeddings, moderations, models; images and audio."""
    checks, a = world.checks, world.a
    text = f"Once upon a {world.secret()} time"
    plain = a.completions.create(model="gpt-3.5-turbo-instruct", prompt=text).choices[0].text
    joined = "".join(chunk.choices[0].text for chunk in a.completions.create(model="gpt-3.5-turbo-instruct", prompt=text, stream=True))
    checks.same("completion: streamed and plain say the same", joined, plain)
    world.clean("the completion", plain)
    answer = a.embeddings.create(model="text-embedding-3-small", input=["one", text], dimensions=8)
    checks.same("embeddings: two vectors of floats", [(each.index, len(each.embedding), type(each.embedding[0])) for each in answer.data], [(0, 8, float), (1, 8, float)])
    listed = a.embeddings.create(model="text-embedding-3-small", input="one", dimensions=8, encoding_format="float")
    near = max(abs(x - y) for x, y in zip(listed.data[0].embedding, answer.data[0].embedding))
    checks.ok("embeddings: as base64 and as floats the same", near < 1e-6, near)
    checks.same("moderation", [each.flagged for each in a.moderations.create(input=["hello", "I kill time"]).results], [False, True])
    checks.ok("models are listed", world.model in {each.id for each in a.models.list()})
    checks.same("a model with a slash", a.models.retrieve("sandbox-org/open-model").id, "sandbox-org/open-model")
    gone(checks, "a model that never was", lambda: a.models.retrieve("ft:gpt-4o-mini-2024-07-18:nobody::00000000"))
    if world.direct:
        image = a.images.generate(model="dall-e-3", prompt="a point").data[0]
        checks.ok("images: an absolute address", image.url.startswith(world.options.base), image.url)
        checks.ok("images: inline", a.images.edit(model="gpt-image-1", image=("a.png", b"\x89PNG"), prompt="x").data[0].b64_json)
        heard = a.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"good morning"))
        checks.same("audio: heard", heard.text, "good morning")
        checks.ok("audio: spoken", a.audio.speech.create(model="tts-1", voice="alloy", input="hi").content.endswith(b"hi"))


def batches(world):
    checks, a = world.checks, world.a
    texts = [f"line {n} with {world.planter.secret()} and ü" if n % 3 == 0 else f"line {n} is clean" for n in range(30)]
    world.watch()
    lines = [{"custom_id": f"request-{n}", "method": "POST", "url": "/v1/chat/completions",
              "body": {"model": world.model, "messages": user(text), "store": n % 2 == 0}} for n, text in enumerate(texts)]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    file = a.files.create(file=("batch.jsonl", data), purpose="batch")
    batch = a.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"who": "a"})
    world.made["batch"], world.made["batch_file"] = batch.id, file.id
    batch = until(lambda: a.batches.retrieve(batch.id), lambda each: each.status in ("completed", "failed", "cancelled"))
    if not checks.ok("the batch completes", batch.status == "completed", batch.errors):
        return
    checks.same("all requests are answered", batch.request_counts.completed, len(texts))
    output = a.files.content(batch.output_file_id).text
    answers = [json.loads(line) for line in output.splitlines()]
    checks.same("each has its id", [each["custom_id"] for each in answers], [line["custom_id"] for line in lines])
    said = [each["response"]["body"]["choices"][0]["message"]["content"] for each in answers]
    checks.same("clean lines are said back", [text for n, text in enumerate(said) if n % 3], [f"You said: {text}" for n, text in enumerate(texts) if n % 3])
    world.clean("the batch's output", output)
    checks.same("its result can be retrieved", a.files.retrieve(batch.output_file_id).purpose, "batch_output")
    other = a.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    checks.ok("another is cancelled", a.batches.cancel(other.id).status in ("cancelled", "cancelling"))
    if world.sandbox and not world.direct:
        upstream = world.sandbox.files().get(file.id, b"")
        stored = [line for line in upstream.splitlines() if json.loads(line)["body"].get("store")]
        checks.ok("no line upstream is stored", upstream and not stored, f"{len(stored)} are")


def vector_stores(world):
    checks, stores = world.checks, world.a.vector_stores
    paragraphs = [f"Paragraph {n} tells about {'anteaters' if n % 2 else 'labels'}." for n in range(60)]
    secret = world.secret()
    paragraphs[7] = f"Paragraph 7 tells about anteaters and {secret}."
    file = world.a.files.create(file=("notes.md", "\n".join(paragraphs).encode()), purpose="assistants")
    store = stores.create(name="notes", metadata={"k": "v"}, expires_after={"anchor": "last_active_at", "days": 7})
    world.made["store"], world.made["store_file"] = store.id, file.id
    entry = stores.files.create_and_poll(file.id, vector_store_id=store.id, attributes={"kind": "notes"})
    checks.same("the file is in", (entry.status, entry.id), ("completed", file.id))
    hits = list(stores.search(store.id, query="anteaters"))
    checks.ok("it is found", hits and hits[0].file_id == file.id and "anteaters" in hits[0].content[0].text, hits)
    world.clean("what is found", "".join(part.text for hit in hits for part in hit.content))
    checks.same("a filter keeps it out", list(stores.search(store.id, query="anteaters", filters={"type": "eq", "key": "kind", "value": "other"})), [])
    text = "".join(part.text for part in stores.files.content(file.id, vector_store_id=store.id))
    checks.ok("its content is read", "Paragraph 59 tells" in text, text[-80:])
    world.clean("its content", text)
    group = stores.file_batches.create_and_poll(store.id, file_ids=[file.id, world.made.get("notes", file.id)])
    checks.same("a batch of files", group.file_counts.total, 2)
    world.made["group"] = group.id
    checks.ok("the batch's files", file.id in {each.id for each in stores.file_batches.list_files(group.id, vector_store_id=store.id)})
    checks.same("renamed", stores.update(store.id, name="other").name, "other")
    checks.ok("listed", store.id in {each.id for each in stores.list(limit=1)})
    changed = stores.files.update(file.id, vector_store_id=store.id, attributes={"kind": "more"})
    checks.same("attributes", changed.attributes, {"kind": "more"})
    checks.ok("its files are listed", file.id in {each.id for each in stores.files.list(store.id, limit=1)})


def uploads(world):
    """Parts that cut records in the middle, sent out of order."""
    checks, uploads = world.checks, world.a.uploads
    lines, dirty = records(world.planter, world.options.records // 4)
    world.watch()
    data = b"\n".join(lines)
    # The cuts fall into the middle of planted values.
    cuts = [data.index(value.encode()) + len(value) // 2 for value in (world.planter.secrets[-9], world.planter.secrets[-3])]
    cuts = [0, len(data) // 3, *sorted(cuts), len(data)]
    cuts.sort()
    parts = [data[start:end] for start, end in zip(cuts, cuts[1:])]
    planted = world.planter.secrets + world.planter.personal
    world.cut = {value for value in planted if value.encode() in data and not any(value.encode() in part for part in parts)}
    checks.ok("cuts fall into planted values", len(world.cut) >= 2, world.cut)
    upload = uploads.create(bytes=len(data), filename="parts.jsonl", mime_type="application/jsonl", purpose="fine-tune")
    checks.same("begun", (upload.status, upload.file), ("pending", None))
    ids = {}
    for place in [1, 3, 0, 2]:
        part = uploads.parts.create(upload.id, data=parts[place])
        checks.same(f"part {place}", part.upload_id, upload.id)
        ids[place] = part.id
    done = uploads.complete(upload.id, part_ids=[ids[place] for place in range(4)])
    if checks.ok("complete", done.status == "completed" and done.file, done):
        world.made["upload_file"] = done.file.id
        compare(world, "downloaded", lines, dirty, world.a.files.content(done.file.id).content)
        if world.sandbox:
            compare(world, "upstream", lines, dirty, world.sandbox.files().get(done.file.id, b""))
        job = world.a.fine_tuning.jobs.create(model=world.model, training_file=done.file.id)
        job = until(lambda: world.a.fine_tuning.jobs.retrieve(job.id), lambda each: each.status in ("succeeded", "failed"))
        checks.ok("it can be trained on", job.status == "succeeded", job.error)
    other = uploads.create(bytes=5, filename="x.txt", mime_type="text/plain", purpose="user_data")
    world.made["part"] = uploads.parts.create(other.id, data=b"hello").id
    checks.same("cancelled", uploads.cancel(other.id).status, "cancelled")
    open_one = uploads.create(bytes=5, filename="x.txt", mime_type="text/plain", purpose="user_data")
    world.made["upload"], world.made["open_part"] = open_one.id, uploads.parts.create(open_one.id, data=b"hello").id
    chunked = uploads.upload_file_chunked(file=b"chunked text\n" * 100, filename="c.txt", bytes=1300, mime_type="text/plain", purpose="user_data", part_size=333)
    checks.same("in chunks, by the SDK", world.a.files.content(chunked.file.id).content, b"chunked text\n" * 100)


def paging(world):
    """Seven files of each tenant, in turns; each sees exactly its own, in order, two a page."""
    checks = world.checks
    clients = {"a": world.a} if world.direct else {"a": world.a, "b": world.b}
    made = {name: [] for name in clients}
    for number in range(7):
        for name, client in clients.items():
            made[name].append(client.files.create(file=(f"{name}{number}.txt", b"x"), purpose="vision").id)
    for name, client in clients.items():
        for order, wanted in {"desc": made[name][::-1], "asc": made[name]}.items():
            got = [each.id for each in client.files.list(limit=2, order=order, purpose="vision")]
            got = got if not world.direct else [each for each in got if each in wanted]
            checks.same(f"{name}, {order}: exactly its own, in order", got, wanted)
        page = client.files.with_raw_response.list(limit=2, purpose="vision").http_response.json()
        checks.same(f"{name}: the first page", (page["first_id"], page["last_id"], page["has_more"]), (page["data"][0]["id"], page["data"][-1]["id"], True))
        last = client.files.with_raw_response.list(limit=2, purpose="vision", after=made[name][1]).http_response.json()
        if not world.direct:
            checks.same(f"{name}: the last page", ([each["id"] for each in last["data"]], last["has_more"]), ([made[name][0]], False))
    if not world.direct:
        kinds = {"files": lambda c: c.files.list(limit=3), "jobs": lambda c: c.fine_tuning.jobs.list(limit=1), "batches": lambda c: c.batches.list(limit=1), "vector stores": lambda c: c.vector_stores.list(limit=1)}
        for kind, ask in kinds.items():
            a, b = ({each.id for each in ask(client)} for client in (world.a, world.b))
            checks.ok(f"{kind}: no tenant sees another's", not a & b, a & b)
        trained = [each.id for each in world.b.models.list() if each.id.startswith("ft:")]
        checks.ok("models: no tenant sees another's", world.made.get("model") not in trained, trained)
    world.made["many"] = made["a"]


def ending(world):
    """Everything is deleted, and gone."""
    checks, a, made = world.checks, world.a, world.made
    checks.ok("a file leaves the store", a.vector_stores.files.delete(made["store_file"], vector_store_id=made["store"]).deleted)
    for what, client, id in [("model", a.models, "model"), ("vector store", a.vector_stores, "store"), ("file", a.files, "file"),
                             ("uploaded file", a.files, "upload_file"), ("batch input", a.files, "batch_file")]:
        if id not in made:
            continue
        checks.ok(f"{what}: deleted", client.delete(made[id]).deleted)
        gone(checks, what, lambda: client.retrieve(made[id]))  # noqa: B023 called at once
    for id in made.get("many", []):
        a.files.delete(id)
    checks.ok("what was deleted is not listed", made.get("file") not in {each.id for each in a.files.list()})
