"""Every served operation of the `anthropic` profile, by the SDK for Python. `drive_operations.py` walks them."""
from steps import Step

MODEL = "claude-sandbox-4"
SAID = [{"role": "user", "content": "hi"}]
TOOL = {"type": "code_execution_20250825", "name": "code_execution"}
ONE = {"model": MODEL, "max_tokens": 64, "messages": SAID}
BATCH = [{"custom_id": "x", "params": ONE}]


def document(file):
    return [{"role": "user", "content": [{"type": "text", "text": "read"}, {"type": "document", "source": {"type": "file", "file_id": file}}]}]


def spoken(got):
    return "".join(event.delta.text for event in got if event.type == "content_block_delta" and event.delta.type == "text_delta")


MAKES = [
    Step("messages.create", lambda c: c.messages.create(**ONE), good=lambda got: got.content[0].text == "You said: hi"),
    Step("messages.create", lambda c: c.messages.create(**ONE, stream=True), good=lambda got: spoken(got) == "You said: hi"),
    Step("messages.create", lambda c: c.messages.create(**ONE, tools=[TOOL]),
         makes={"container": lambda got: got.container.id, "made": lambda got: got.content[-1].content.content[0].file_id}),
    Step("files.upload", lambda c: c.files.upload(file=("n.txt", b"anteaters eat ants\n", "text/plain")), makes="file"),
    Step("messages.create", lambda c, container: c.messages.create(**ONE, tools=[TOOL], container=container)),
    Step("messages.create", lambda c, file: c.messages.create(**{**ONE, "messages": document(file)})),
    Step("messages.count_tokens", lambda c: c.messages.count_tokens(model=MODEL, messages=SAID), good=lambda got: got.input_tokens > 0),
    Step("messages.count_tokens", lambda c, file: c.messages.count_tokens(model=MODEL, messages=document(file))),
    Step("files.list", lambda c: c.files.list(), lists="file"),
    Step("files.retrieve_metadata", lambda c, file: c.files.retrieve_metadata(file)),
    Step("files.download", lambda c, made: c.files.download(made), good=lambda got: got == b"made in a container\n"),
    Step("messages.batches.create", lambda c: c.messages.batches.create(requests=BATCH), makes="batch"),
    Step("messages.batches.create", lambda c, file: c.messages.batches.create(
        requests=[{"custom_id": "y", "params": {**ONE, "messages": document(file)}}])),
    Step("messages.batches.create", lambda c, container: c.messages.batches.create(
        requests=[{"custom_id": "y", "params": {**ONE, "tools": [TOOL], "container": container}}])),
    Step("messages.batches.create", lambda c: c.messages.batches.create(requests=BATCH), makes="running"),
    Step("messages.batches.retrieve", lambda c, batch: c.messages.batches.retrieve(batch), ready=lambda got: got.processing_status == "ended"),
    Step("messages.batches.results", lambda c, batch: c.messages.batches.results(batch),
         good=lambda got: [each.custom_id for each in got] == ["x"] and got[0].result.message.content[0].text == "You said: hi"),
    # The SDK asks for the batch first, and then for its link; this is the link's own path.
    Step("messages.batches.results", lambda c, batch: c.get(f"/v1/messages/batches/{batch}/results", cast_to=str), good=lambda got: "You said: hi" in got),
    Step("messages.batches.list", lambda c: c.messages.batches.list(limit=1), lists="batch"),
    Step("messages.batches.list", lambda c, batch: c.messages.batches.list(after_id=batch)),
    Step("messages.batches.list", lambda c, batch: c.messages.batches.list(before_id=batch)),
    Step("models.list", lambda c: c.models.list(limit=1), good=lambda got: MODEL in {each.id for each in got}),
    Step("models.retrieve", lambda c: c.models.retrieve(MODEL)),
    # The beta client asks at the same paths, with `?beta=true`.
    Step("messages.create", lambda c, file: c.beta.messages.create(**{**ONE, "messages": document(file)}, stream=True),
         good=lambda got: spoken(got) == "You said: read"),
    Step("messages.create", lambda c, container: c.beta.messages.create(**ONE, tools=[TOOL], container=container), makes={"later": lambda got: got.content[-1].content.content[0].file_id}),
    Step("messages.count_tokens", lambda c, file: c.beta.messages.count_tokens(model=MODEL, messages=document(file)), good=lambda got: got.input_tokens > 0),
    Step("messages.batches.create", lambda c, file: c.beta.messages.batches.create(requests=[{"custom_id": "y", "params": {**ONE, "messages": document(file)}}]), makes="beta_batch"),
    Step("messages.batches.retrieve", lambda c, beta_batch: c.beta.messages.batches.retrieve(beta_batch), ready=lambda got: got.processing_status == "ended"),
    Step("messages.batches.results", lambda c, beta_batch: c.beta.messages.batches.results(beta_batch), good=lambda got: [each.custom_id for each in got] == ["y"]),
    Step("messages.batches.list", lambda c: c.beta.messages.batches.list(limit=1), lists="beta_batch"),
    Step("files.upload", lambda c: c.beta.files.upload(file=("n.txt", b"more\n", "text/plain")), makes="beta_file"),
    Step("files.list", lambda c: c.beta.files.list(), lists="beta_file"),
    Step("files.retrieve_metadata", lambda c, beta_file: c.beta.files.retrieve_metadata(beta_file)),
    Step("files.download", lambda c, later: c.beta.files.download(later), good=lambda got: got == b"made in a container\n"),
    Step("models.retrieve", lambda c: c.beta.models.retrieve(MODEL)),
]
# No operation trains a model here, so that nobody has one: any that looks trained is somebody else's.
NAMED = [
    Step("models.retrieve", lambda c, trained: c.models.retrieve(trained)),
    Step("models.list", lambda c, trained: c.models.list(after_id=trained)),
    Step("messages.create", lambda c, trained: c.messages.create(**{**ONE, "model": trained})),
    Step("messages.count_tokens", lambda c, trained: c.messages.count_tokens(model=trained, messages=SAID)),
    Step("messages.batches.create", lambda c, trained: c.messages.batches.create(requests=[{"custom_id": "y", "params": {**ONE, "model": trained}}])),
]
ENDS = [
    Step("messages.batches.cancel", lambda c, running: c.messages.batches.cancel(running), good=lambda got: got.processing_status == "canceling"),
    Step("messages.batches.delete", lambda c, batch: c.messages.batches.delete(batch)),
    Step("messages.batches.delete", lambda c, beta_batch: c.beta.messages.batches.delete(beta_batch)),
    Step("files.delete", lambda c, beta_file: c.beta.files.delete(beta_file)),
    Step("files.delete", lambda c, file: c.files.delete(file)),
]
