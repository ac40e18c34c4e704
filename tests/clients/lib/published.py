"""Faults of another gateway that were published, each by its number: what one tenant got of another's account of files, batches,
jobs and answers. Directly, before the account itself, each has to be there, or these checks would see nothing.
"""
import json

from checks import until
from isolation import outcome, user

LITELLM = "BerriAI/litellm#"


def found(world, name, leaks, detail=""):
    """One check: nothing leaks through the gateway, and something does from the account."""
    world.checks.ok(name, bool(leaks) == world.direct, detail or leaks)


def file_of(client, purpose="batch", line=None):
    line = line or {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o-mini", "messages": user("hi")}}
    return client.files.create(file=("published.jsonl", json.dumps(line).encode() + b"\n"), purpose=purpose).id


def batch_of(client, file):
    return client.batches.create(input_file_id=file, endpoint="/v1/chat/completions", completion_window="24h")


def answered(client, file):
    id = batch_of(client, file).id
    return until(lambda: client.batches.retrieve(id), lambda each: each.status in ("completed", "failed"))


def n35530_raw_ids_of_files_are_read_and_deleted_by_whoever_knows_them(world):
    id = file_of(world.a, "user_data")
    for name, ask in {"retrieve": world.b.files.retrieve, "content": world.b.files.content, "delete": world.b.files.delete}.items():
        found(world, name, outcome(ask, id)[0] == "no error")
    found(world, "it is gone", outcome(world.a.files.retrieve, id)[0] != "no error")


def n33989_the_output_of_a_batch_is_a_raw_id_that_any_key_can_download(world):
    batch = answered(world.a, file_of(world.a))
    found(world, "the batch is seen", outcome(world.b.batches.retrieve, batch.id)[0] == "no error")
    for ask in (world.b.files.retrieve, world.b.files.content):
        found(world, f"the output, {ask.__name__}", outcome(ask, batch.output_file_id)[0] == "no error")
    world.checks.ok("its owner reads it", "You said: hi" in world.a.files.content(batch.output_file_id).text)


def n36031_a_list_of_files_shows_outputs_by_other_ids(world):
    batch = answered(world.a, file_of(world.a))
    listed = {each.id for each in world.a.files.list(limit=100)}
    world.checks.ok("its owner's list has the output by the id that the batch says", batch.output_file_id in listed)
    found(world, "another's list has it", batch.output_file_id in {each.id for each in world.b.files.list(limit=100)})


def n34474_a_batch_is_made_of_anothers_file(world):
    file, before = file_of(world.a), inputs(world)
    got = outcome(lambda id: batch_of(world.b, id), file)
    found(world, "it is made", got[0] == "no error", got)
    found(world, "the upstream was asked for it", file in inputs(world) - before)
    found(world, "it stands in a list", file in {each.input_file_id for each in world.b.batches.list(limit=20)})


def inputs(world):
    """What the upstream was asked to make batches of."""
    entries = world.sandbox.arrived("/v1/batches") if world.sandbox else []
    return {json.loads(entry["text"])["input_file_id"] for entry in entries if entry["line"].startswith("POST /v1/batches ")}


def n17401_anybody_retrieves_and_cancels_a_batch(world):
    id = batch_of(world.a, file_of(world.a)).id
    found(world, "retrieve", outcome(world.b.batches.retrieve, id)[0] == "no error")
    found(world, "cancel", outcome(world.b.batches.cancel, id)[0] == "no error")
    found(world, "it is cancelled", world.a.batches.retrieve(id).status in ("cancelling", "cancelled"))


def n39966_the_list_of_jobs_is_the_accounts(world):
    job = world.a.fine_tuning.jobs.create(model=world.model, training_file=file_of(world.a, "fine-tune", {"messages": user("x")}))
    try:
        world.checks.ok("its owner sees it", job.id in {each.id for each in world.a.fine_tuning.jobs.list(limit=50)})
        for limit in (1, 50):
            found(world, f"in pages of {limit}", job.id in {each.id for each in world.b.fine_tuning.jobs.list(limit=limit)})
    finally:
        world.a.fine_tuning.jobs.cancel(job.id)


def n29955_an_answer_to_one_team_is_served_to_the_next(world):
    ask = {"model": world.model, "messages": user("the same words of two teams"), "temperature": 0}
    first, second = (client.chat.completions.with_raw_response.create(**ask) for client in (world.a, world.b))
    ids = {each.http_response.json()["id"] for each in (first, second)}
    world.checks.same("two answers", len(ids), 2)
    if world.sandbox:
        asked = [entry for entry in world.sandbox.arrived("/v1/chat/completions") if "the same words of two teams" in entry["text"]]
        world.checks.same("the upstream gave both", len(asked), 2)
    found(world, "the second tells of the first", second.http_response.json()["usage"]["prompt_tokens_details"]["cached_tokens"] > 0)
    told = {name for name in second.headers if "cache" in name.lower() and name.lower() != "cache-control"}
    world.checks.ok("no header tells of a cache", not told, told)


FAULTS = [each for name, each in sorted(globals().items()) if name.startswith("n") and name[1].isdigit()]


def published(world):
    for fault in FAULTS:
        number, _, words = fault.__name__[1:].partition("_")
        with world.checks.group(f"{LITELLM}{number} {words.replace('_', ' ')}"):
            fault(world)
