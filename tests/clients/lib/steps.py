"""Steps: what one tenant makes, reads and ends by an SDK, and the same with another's ids.

A step is an operation of the profile and a call of the SDK. The names of the call's parameters are names of what was made
before, so that it is known where an id can stand: each of them is asked for with another's, and with one that never was.
"""
import inspect
import itertools
import json
import pathlib
import re
import sys
import time

from pydantic import ValidationError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from isolation import VARYING, invented  # noqa: E402


class Step:
    def __init__(self, operation, ask, makes=None, lists=None, good=None, ready=None):
        """`makes`: names of what it makes, with the function that finds the id in the answer. `lists`: which of these has
        to be in the list. `good`: what is true of the answer. `ready`: asked again until that is true."""
        self.operation, self.ask, self.lists, self.good, self.ready = operation, ask, lists, good, ready
        self.makes = {makes: lambda got: got.id} if isinstance(makes, str) else makes or {}
        self.names = [name for name in inspect.signature(ask).parameters if name != "c"]

    def __call__(self, client, ids):
        return read(self.ask(client, **{name: ids[name] for name in self.names}))


def read(got):
    """An answer as a whole: streams to their end, lists over all pages."""
    if hasattr(got, "iter_bytes"):
        return got.read()
    if isinstance(got, str):
        return got
    if hasattr(got, "__iter__") and (not hasattr(got, "model_dump") or hasattr(got, "iter_pages")):
        return list(itertools.islice(iter(got), 1000))
    return got


# What the SDK's types do not say though the API does it: a paused job, the user's side of a stored chat, what is left of a
# compacted input.
UNTRUE = {("FineTuningJob", "status", "paused"), ("ChatCompletionStoreMessage", "role", "user")}
UNLIKE = {"CompactedResponse"}


def right(got):
    """None if what came is what the SDK's own type says, field by field; else what is wrong. Null stands for nothing."""
    for each in got[:50] if isinstance(got, list) else [got]:
        name = type(each).__name__
        if hasattr(each, "model_dump") and name not in UNLIKE:
            try:
                type(each).model_validate(each.model_dump(by_alias=True, exclude_unset=True, warnings=False))
            except ValidationError as problem:
                wrong = [one for one in problem.errors(include_url=False) if one["input"] is not None and (name, one["loc"][-1], str(one["input"])) not in UNTRUE]
                if wrong:
                    return f"{name}: {wrong}"
    return None


# How much of a prompt somebody of the account has sent before.
CACHED = {"cached_tokens", "cache_write_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"}


def cached(got):
    """What of an answer tells of the account's cache: the counts that are not nought, at any depth and in files of JSON lines."""
    if hasattr(got, "model_dump"):
        return cached(got.model_dump(warnings=False))
    if isinstance(got, (bytes, str)):
        lines = (got.decode("utf-8", "replace") if isinstance(got, bytes) else got).splitlines()
        return [told for line in lines if line.startswith("{") for told in cached(json.loads(line))]
    if isinstance(got, dict):
        return [(name, value) for name, value in got.items() if name in CACHED and value] + cached([*got.values()])
    return [told for each in got if not isinstance(each, (bytes, str)) for told in cached(each)] if isinstance(got, list) else []


def outcome(sdk, step, client, ids, asked):
    """What the SDK makes of the answer; the id that was asked for is taken out."""
    try:
        got = step(client, ids)
    except sdk.APIStatusError as problem:
        headers = {name: value.replace(asked, "<id>") for name, value in problem.response.headers.items() if name not in VARYING}
        body = problem.response.json()
        body.pop("request_id", None)
        return type(problem).__name__, problem.status_code, headers, str(body).replace(asked, "<id>")
    return "no error", 200, {}, repr(got)[:200]


def make(checks, steps, client, who, ids):
    """One tenant's own steps in order; each has to go through and be of the SDK's own types."""
    for step in steps:
        with checks.group(f"{step.operation} of {who}"):
            missing = [name for name in step.names if name not in ids]
            if not checks.ok("has what it needs", not missing, missing):
                continue
            got = step(client, ids)
            deadline = time.monotonic() + 60
            while step.ready and not step.ready(got) and time.monotonic() < deadline:
                time.sleep(0.1)
                got = step(client, ids)
            if step.ready:
                checks.ok("gets ready", step.ready(got), repr(got)[:300])
            for name, find in step.makes.items():
                ids[name] = find(got)
                checks.ok(f"makes {name}", ids[name], repr(got)[:300])
            wrong = right(got)
            checks.ok("is what the SDK's types say", wrong is None, wrong)
            told = cached(got)
            checks.ok("tells nothing of the account's cache", not told, told)
            if step.good:
                checks.ok("says what it should", step.good(got), repr(got)[:300])


def foreign(sdk, checks, steps, client, own, theirs):
    """Each step of the second tenant, with the first one's id in each place in turn: as if it never was."""
    for step in steps:
        for name in step.names:
            with checks.group(f"{step.operation}, another's {name}"):
                never = invented(theirs[name])
                there = outcome(sdk, step, client, {**own, name: theirs[name]}, theirs[name])
                gone = outcome(sdk, step, client, {**own, name: never}, never)
                checks.ok("NotFoundError", there[0] == "NotFoundError", there)
                checks.same("as if it never was", there, gone)


def lists(checks, steps, client, who, own, theirs):
    """Each list holds what is the tenant's, and nothing that is the other's."""
    for step in steps:
        if not step.lists:
            continue
        with checks.group(f"{step.operation} of {who}"):
            held = {getattr(each, "id", None) for each in step(client, own)}
            checks.ok("holds the own", own[step.lists] in held, held)
            others = held & {value for name, value in theirs.items() if value not in own.values()}
            checks.ok("holds nobody else's", not others, others)


def gone(sdk, checks, makes, ends, client, ids):
    """What was deleted can't be looked at any more: the last name of a `DELETE` is what it ended."""
    for step in ends:
        if "delete" not in step.operation.lower() or not step.names:
            continue
        name = step.names[-1]
        looks = [each for each in makes if each.names and each.names[-1] == name and re.search(r"(^|\.)(get|retrieve)", each.operation, re.IGNORECASE)]
        for look in looks[:1]:
            found = outcome(sdk, look, client, ids, ids[name])
            checks.ok(f"{name} after {step.operation}: NotFoundError", found[0] == "NotFoundError", found)


def refused(sdk, checks, rows, client, base):
    """What the profile names and does not serve: refused with the SDK's own error, whatever stands for its ids. `base` is what of each path the SDK adds."""
    for row in rows:
        method, path = row["call"].split(" ")
        with checks.group(row["operation"]):
            ask = getattr(client, method.lower())
            path = re.sub(r"\{[^}]*\}", "one", path).removeprefix(base)
            try:
                got = ask(path, cast_to=object, **({"body": {}} if method != "GET" else {}))
                checks.ok("is refused", False, repr(got)[:200])
            except sdk.APIStatusError as problem:
                checks.same("is refused", (type(problem).__name__, problem.status_code), ("PermissionDeniedError", 403))
