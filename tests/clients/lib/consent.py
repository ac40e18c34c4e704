"""Training use without a grant, storing, and credentials."""
import openai

from sandbox import header, json_body

INFERENCE = ("/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings", "/v1/moderations")


def refused(checks, what, ask, kind=openai.PermissionDeniedError):
    try:
        ask()
    except openai.APIStatusError as problem:
        checks.ok(f"{what}: {kind.__name__}", isinstance(problem, kind), f"{type(problem).__name__} {problem}")
        body = problem.response.json() if problem.response.headers.get("content-type", "").startswith("application/json") else {}
        checks.ok(f"{what}: in the API's error shape", {"message", "type", "code"} <= set(body.get("error") or {}), problem.response.text)
    else:
        checks.ok(f"{what}: {kind.__name__}", False, "it went through")


def consent(world):
    """The third tenant has no grant: what trains is refused, what does not is not."""
    checks, c = world.checks, world.c
    line = b'{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}\n'
    said = c.chat.completions.create(model=world.model, messages=[{"role": "user", "content": "hello"}], store=True)
    checks.same("inference goes through", said.choices[0].message.content, "You said: hello")
    c.responses.create(model=world.model, input="hello")
    c.responses.create(model=world.model, input="hello", store=True)
    list(c.chat.completions.create(model=world.model, messages=[{"role": "user", "content": "hello"}], store=True, stream=True))
    c.embeddings.create(model="text-embedding-3-small", input="hello")
    if world.direct:
        return
    refused(checks, "a training file", lambda: c.files.create(file=("t.jsonl", line), purpose="fine-tune"))
    refused(checks, "a training file in parts", lambda: c.uploads.create(bytes=len(line), filename="t.jsonl", mime_type="application/jsonl", purpose="fine-tune"))
    refused(checks, "a file for evaluation", lambda: c.files.create(file=("t.jsonl", line), purpose="evals"))
    file = c.files.create(file=("t.jsonl", line), purpose="user_data")
    refused(checks, "a job", lambda: c.fine_tuning.jobs.create(model=world.model, training_file=file.id))
    refused(checks, "a job with a retry", lambda: world.client(world.keys[2], max_retries=2).fine_tuning.jobs.create(model=world.model, training_file=file.id))
    if world.sandbox:
        seen(world)


def seen(world):
    """Upstream's side of it."""
    checks, sandbox = world.checks, world.sandbox
    asked = [entry for path in INFERENCE for entry in sandbox.arrived(path) if entry["line"].startswith("POST") and entry["path"] == path]
    unmarked = [entry["line"] for entry in asked if (header(entry, "content-usage") or "").replace(" ", "") != "train-ai=n"]
    checks.ok("inference carries content-usage: train-ai=n", asked and not unmarked, f"{len(unmarked)} of {len(asked)}: {sorted(set(unmarked))[:3]}")
    bodies = [(entry, json_body(entry)) for entry in asked]
    stored = [entry["line"] for entry, body in bodies if body and entry["path"] == "/v1/chat/completions" and body.get("store")]
    checks.ok("no chat is stored upstream", not stored, f"{len(stored)} are")
    stored = [entry["line"] for entry, body in bodies if body and entry["path"] == "/v1/responses" and body.get("store") is not False]
    checks.ok("no response is stored upstream, absent means true", not stored, f"{len(stored)} are")
    unread = [entry["line"] for entry, body in bodies if body is None]
    checks.ok("all of these bodies were JSON", not unread, unread[:3])
    files = [entry["text"] for entry in sandbox.arrived("/v1/files") if entry["line"].startswith("POST")]
    checks.ok("the refused files did not arrive", not any('filename="t.jsonl"' in text and "user_data" not in text for text in files))


def credentials(world):
    """Wrong keys, and operations that there are not."""
    checks = world.checks
    wrong = "".join(["wrong", "-", "key", "-0123456789"])
    refused(checks, "a wrong key", lambda: world.client(wrong).models.list(), openai.AuthenticationError)
    refused(checks, "an unknown operation", lambda: world.a.get("/nothing/here", cast_to=object), openai.NotFoundError)
    if world.direct:
        return
    both = {"x-api-key": world.keys[1]}
    refused(checks, "two tenants' keys at once", lambda: world.client(world.keys[0], default_headers=both).models.list(), openai.AuthenticationError)
    refused(checks, "an operation on the whole account", lambda: world.a.get("/organization/admin_api_keys", cast_to=object), openai.PermissionDeniedError)
    refused(checks, "an operation that the profile does not name", lambda: world.a.get("/no/such/operation", cast_to=object), openai.NotFoundError)
    named = world.client(world.keys[0], organization="org-other", project="proj_other")
    try:
        named.models.list()
    except openai.APIStatusError:
        checks.ok("a chosen organisation is refused", True)
    else:
        checks.ok("a chosen organisation is dropped", True)
