#!/usr/bin/env python3
"""Drives a real doccano behind the gateway with its own unmodified client, as two tenants of one service account.

    drive_doccano.py --base https://localhost:8443 --ca ca.crt

KEY_A and KEY_B are the tenants' keys. One line for each check, `ok …` or `FAIL …`; status 1 if one failed. The client knows no keys:
its session is given the header that a key goes in, and logs in nowhere.
"""
import argparse
import io
import json
import os
import pathlib
import sys
import tempfile
import uuid
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import requests  # noqa: E402
from doccano_client import DoccanoClient  # noqa: E402
from doccano_client.exceptions import DoccanoAPIError  # noqa: E402

from checks import Checks, until  # noqa: E402

NEVER = 999_999_999
KINDS = ("category", "span", "text", "relation", "bounding_box", "segment")
PLURALS = dict(zip(KINDS, ("categories", "spans", "texts", "relations", "bboxes", "segments")))
P = "/v1/projects/{project}"
E = P + "/examples/{example}"


class Tenant:
    def __init__(self, options, key):
        self.base = options.base
        self.http = requests.Session()
        self.http.verify, self.http.trust_env = options.ca, False
        self.http.headers["Authorization"] = f"Token {key}"
        self.sdk = DoccanoClient(options.base, verify=options.ca)
        self.sdk._base_repository._session.headers["Authorization"] = f"Token {key}"

    def ask(self, method, path, **more):
        return self.http.request(method, self.base + path, timeout=60, **more)

    def told(self, method, path, **more):
        """What a caller can tell two answers apart by."""
        answer = self.ask(method, path, **more)
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in ("date", "x-request-id")}
        return answer.status_code, headers, answer.content

    def ingested(self, project, upload):
        body = {"format": "JSONL", "task": "DocumentClassification", "uploadIds": upload, "column_data": "text", "column_label": "label"}
        return self.ask("POST", f"/v1/projects/{project}/upload", json=body)

    def done(self, task):
        return until(lambda: self.ask("GET", f"/v1/tasks/status/{task}").json(), lambda status: status.get("ready") is not False)


def refused(call, *arguments):
    """The status of a call of the client that has to fail."""
    try:
        call(*arguments)
    except DoccanoAPIError as problem:
        return problem.response.status_code
    return None


def working(checks, a, mark, folder, made):
    project = a.sdk.create_project(name=mark, project_type="DocumentClassification", description="d", tags=["red", "blue"])
    made["project"] = project.id
    checks.same("find_project_by_id", (a.sdk.find_project_by_id(project.id).name, project.tags), (mark, ["red", "blue"]))
    a.sdk.update_project(project.id, description="e", guideline="g")
    checks.same("update_project", a.sdk.find_project_by_id(project.id).description, "e")
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": f"{mark} {n}", "label": ["pos"]}) + "\n" for n in range(6)))
    checks.ok("list_upload_options", "JSONL" in [each.name for each in a.sdk.list_upload_options(project.id)])
    status = a.sdk.upload(project.id, [str(rows)], "DocumentClassification", "JSONL")
    checks.same("upload", (status.ready, status.result, status.error), (True, {"error": []}, None))
    # Pages of five: the links of the first lead to the second.
    examples = list(a.sdk.list_examples(project.id))
    checks.same("list_examples", sorted(each.text for each in examples), [f"{mark} {n}" for n in range(6)])
    checks.same("count_examples", a.sdk.count_examples(project.id), 6)
    made["example"] = example = examples[0].id
    checks.same("find_example_by_id", a.sdk.find_example_by_id(project.id, example).text, examples[0].text)
    link = a.ask("GET", f"/v1/projects/{project.id}/examples/{example}").json()["filename"]
    checks.ok("the link to the file leads to the gateway", link.startswith(f"{a.base}/media/"), link)
    made["media"] = link.removeprefix(a.base)
    made["upload"] = made["media"].split("/")[2]
    checks.same("the uploaded file", a.ask("GET", made["media"]).content, rows.read_bytes())
    checks.same("the same, by its id", a.ask("GET", f"/v1/fp/load/?id={made['upload']}").content, rows.read_bytes())
    own = a.sdk.create_example(project.id, f"{mark} own", meta={"n": 1})
    a.sdk.update_example(project.id, own.id, text=f"{mark} rewritten")
    checks.same("update_example", a.sdk.find_example_by_id(project.id, own.id).text, f"{mark} rewritten")
    a.sdk.update_example_state(project.id, example)
    checks.same("list_examples, those that are done", [each.id for each in a.sdk.list_examples(project.id, is_confirmed=True)], [example])
    checks.same("get_progress", (a.sdk.get_progress(project.id).total, a.sdk.get_progress(project.id).completed), (7, 1))
    # Doccano looks in the names of files too, which are random: a short word may stand in one (`new` did).
    found = a.ask("GET", f"/v1/projects/{project.id}/examples", params={"q": f"{mark} rewritten"}).json()
    checks.same("a search", (found["count"], [each["id"] for each in found["results"]]), (1, [own.id]))
    checks.same("list_members", [each.rolename for each in a.sdk.list_members(project.id)], ["project_admin"])
    made["member"] = a.sdk.list_members(project.id)[0].id
    made["tag"] = a.ask("GET", f"/v1/projects/{project.id}/tags").json()[0]["id"]
    checks.ok("list_roles", len(a.sdk.list_roles()) == 3)
    checks.ok("get_profile", a.sdk.get_profile().username)
    checks.same("the server's health", a.ask("GET", "/v1/health/").status_code, 200)


def labelling(checks, a, mark, folder, made):
    project, example = made["project"], made["example"]
    pos = a.sdk.list_label_types(project, "category")[0]
    checks.same("list_label_types, of an import", pos.text, "pos")
    made["category_type"] = neg = a.sdk.create_label_type(project, "category", "neg").id
    made["span_type"] = a.sdk.create_label_type(project, "span", "who").id
    made["relation_type"] = a.sdk.create_label_type(project, "relation", "of").id
    a.sdk.update_label_type(project, neg, "category", text="bad")
    checks.same("update_label_type", a.sdk.find_label_type_by_id(project, neg, "category").text, "bad")
    more = folder / "types.json"
    more.write_text(json.dumps([{"text": "uploaded", "suffixKey": "u"}]))
    for kind in ("category", "span", "relation"):
        a.sdk.upload_label_type(project, str(more), kind)
        checks.ok(f"upload_label_type: {kind}", "uploaded" in [each.text for each in a.sdk.list_label_types(project, kind)])
    checks.same("list_categories, of an import", [each.label for each in a.sdk.list_categories(project, example)], [pos.id])
    first = a.sdk.create_span(project, example, 0, 2, "who")
    second = a.sdk.create_span(project, example, 3, 5, "who")
    labels = {
        "category": a.sdk.create_category(project, example, "bad"),
        "span": first,
        "text": a.sdk.create_text(project, example, "short"),
        "relation": a.sdk.create_relation(project, example, first.id, second.id, "of"),
        "bounding_box": a.sdk.create_bounding_box(project, example, 1, 2, 3, 4, "bad"),
        "segment": a.sdk.create_segment(project, example, [1, 2, 3, 4], "bad"),
    }
    for kind, label in labels.items():
        made[kind] = label.id
        update, find = getattr(a.sdk, f"update_{kind}"), getattr(a.sdk, f"find_{kind}_by_id")
        update(project, example, label.id, confidence=0.5)
        checks.same(f"update_{kind}", find(project, example, label.id).prob, 0.5)
        listed = getattr(a.sdk, f"list_{PLURALS[kind].replace('bboxes', 'bounding_boxes')}")(project, example)
        checks.ok(f"list of {kind}", label.id in [each.id for each in listed])
    made["comment"] = a.sdk.create_comment(project, example, f"{mark} c").id
    a.sdk.update_comment(project, made["comment"], f"{mark} d")
    checks.same("update_comment", a.sdk.find_comment_by_id(project, made["comment"]).text, f"{mark} d")
    checks.same("list_comments", [each.id for each in a.sdk.list_comments(project, example)], [made["comment"]])
    gone = [a.sdk.create_comment(project, example, str(n)).id for n in range(6)]
    a.sdk.delete_comment(project, gone[0])
    a.sdk.bulk_delete_comments(project, gone[1:])
    checks.same("bulk_delete_comments", [each.id for each in a.sdk.list_comments(project, example)], [made["comment"]])
    counts = list(a.sdk.get_label_distribution(project, "category"))[0].counts
    checks.same("get_label_distribution", {each.label: each.count for each in counts}, {"pos": 6, "bad": 1, "uploaded": 0})
    checks.same("get_members_progress", [each.progress.completed for each in a.sdk.get_members_progress(project)], [1])


def exporting(checks, a, mark, folder, made):
    project = made["project"]
    checks.ok("list_download_options", "JSONL" in [each.name for each in a.sdk.list_download_options(project)])
    for form in ("JSONL", "CSV"):
        path = a.sdk.download(project, form, dir_name=str(folder / form))
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            text = b"".join(archive.read(name) for name in archive.namelist()).decode()
        # Six rows, one new one, and a comment.
        checks.ok(f"download as {form}", text.count(mark) >= 7 and f"{mark} rewritten" in text, text)
    made["task"] = a.ask("POST", f"/v1/projects/{project}/download", json={"format": "JSONL", "exportApproved": False}).json()["task_id"]
    a.done(made["task"])
    checks.same("an export by its task", a.ask("GET", f"/v1/projects/{project}/download?taskId={made['task']}").content[:2], b"PK")
    waiting = a.ask("POST", "/v1/fp/process/", files={"filepond": ("w.jsonl", b'{"text":"waits"}\n')})
    made["waiting"] = waiting.text
    checks.same("an upload that waits", (waiting.status_code, len(waiting.text)), (200, 22))
    restored = a.ask("GET", f"/v1/fp/restore/?id={made['waiting']}")
    checks.same("it is restored", (restored.status_code, restored.content), (200, b'{"text":"waits"}\n'))
    clone = a.ask("POST", f"/v1/projects/{project}/clone")
    made["clone"] = clone.json()["id"]
    checks.same("a clone", (clone.status_code, a.sdk.count_examples(made["clone"])), (201, 7))


DETAILS = {
    "project": ["", "/members", "/my-role", "/tags", "/examples", "/comments", "/catalog", "/download-format", "/metrics/progress",
                "/metrics/member-progress", "/metrics/category-distribution", "/metrics/span-distribution",
                "/metrics/relation-distribution", "/category-types", "/span-types", "/relation-types"],
    "example": ["", "/states"] + [f"/{plural}" for plural in PLURALS.values()],
}
NESTED = {"member": P + "/members/{}", "comment": P + "/comments/{}", "category_type": P + "/category-types/{}",
          "span_type": P + "/span-types/{}", "relation_type": P + "/relation-types/{}"}
NESTED |= {kind: E + f"/{plural}/{{}}" for kind, plural in PLURALS.items()}


def guessing(checks, b, made, own):
    """Every number from 1 to the highest, at every place, in another's project and in an own one, is as one that nothing ever had."""
    places = [("project", "/v1/projects/{}" + tail) for tail in DETAILS["project"]]
    for home in (own, made):
        places += [("example", P.format(**home) + "/examples/{}" + tail) for tail in DETAILS["example"]]
        places += [(kind, path.replace("{}", "{{}}").format(**home)) for kind, path in NESTED.items()]
    for kind, path in places:
        never = b.told("GET", path.format(NEVER))
        skipped = own.get(f"{kind}s", [own.get(kind)])
        seen = [n for n in range(1, made[kind] + 8) if n not in skipped and b.told("GET", path.format(n)) != never]
        checks.ok(f"{path} by number", never[0] == 404 and not seen, f"{never[0]}, {seen}")


BODIES = {"category": {"label": "category_type"}, "span": {"label": "span_type"}, "text": {}, "bounding_box": {"label": "category_type"},
          "segment": {"label": "category_type"}, "relation": {"type": "relation_type", "from_id": "span", "to_id": "span"}}
VALUES = {"span": {"start_offset": 0, "end_offset": 1}, "text": {"text": "x"}, "segment": {"points": [1, 2]},
          "bounding_box": {"x": 1, "y": 1, "width": 1, "height": 1}}


def writes(made, own):
    """Calls by the owner of `own` that name something of `made`, which stands for what is another's or never was."""
    theirs = P.format(**made)
    mine, mine_in = P.format(**own), E.format(**own)
    bodies = {kind: VALUES.get(kind, {}) | {field: own[what] for field, what in BODIES[kind].items()} for kind in KINDS}
    yield "a project changed", "PATCH", theirs, {"resourcetype": "TextClassificationProject", "name": "x"}
    yield "a project replaced", "PUT", theirs, {"resourcetype": "TextClassificationProject", "name": "x", "project_type": "Seq2seq"}
    yield "a project deleted", "DELETE", theirs, None
    yield "a project cloned", "POST", f"{theirs}/clone", None
    yield "projects deleted", "DELETE", "/v1/projects", {"ids": [made["project"]]}
    yield "a tag", "POST", f"{theirs}/tags", {"text": "x"}
    yield "an example made", "POST", f"{theirs}/examples", {"text": "x"}
    yield "all examples deleted", "DELETE", f"{theirs}/examples", {"ids": []}
    yield "an export", "POST", f"{theirs}/download", {"format": "JSONL", "exportApproved": False}
    for project in (theirs, mine):
        yield "a tag deleted", "DELETE", f"{project}/tags/{made['tag']}", None
        yield "an example changed", "PATCH", f"{project}/examples/{made['example']}", {"text": "x"}
        yield "an example deleted", "DELETE", f"{project}/examples/{made['example']}", None
        yield "an example done", "POST", f"{project}/examples/{made['example']}/states", None
        yield "a comment on an example", "POST", f"{project}/comments?example={made['example']}", {"text": "x"}
        yield "comments of an example", "GET", f"{project}/comments?example={made['example']}", None
        yield "a comment changed", "PUT", f"{project}/comments/{made['comment']}", {"text": "x"}
        yield "a comment deleted", "DELETE", f"{project}/comments/{made['comment']}", None
        for kind in ("category", "span", "relation"):
            path = f"{project}/{kind}-types/{made[f'{kind}_type']}"
            yield f"a {kind} type changed", "PATCH", path, {"text": "x"}
            yield f"a {kind} type deleted", "DELETE", path, None
    for place, key in (("examples", "example"), ("comments", "comment"), ("category-types", "category_type"),
                       ("span-types", "span_type"), ("relation-types", "relation_type")):
        for name, ids in (("in a list", [made[key]]), ("as texts", [str(made[key])]), ("behind an own one", [own[key], made[key]]),
                          ("as a key", {str(made[key]): own[key]}), ("as letters", str(made[key])), ("as a list in a list", [[made[key]]])):
            yield f"{place} deleted, {name}", "DELETE", f"{mine}/{place}", {"ids": ids}
    for kind, plural in PLURALS.items():
        for example in (f"{mine}/examples/{made['example']}", f"{theirs}/examples/{own['example']}"):
            yield f"a {kind} made", "POST", f"{example}/{plural}", bodies[kind]
            yield f"all {plural} deleted", "DELETE", f"{example}/{plural}", None
        for path in (f"{mine_in}/{plural}/{made[kind]}", f"{E.format(**made)}/{plural}/{made[kind]}"):
            yield f"a {kind} changed", "PATCH", path, {"prob": 0.1}
            yield f"a {kind} deleted", "DELETE", path, None
        yield f"a {kind} moved to an example", "PATCH", f"{mine_in}/{plural}/{own[kind]}", {"example": made["example"]}
        yield f"a {kind} replaced on an example", "PUT", f"{mine_in}/{plural}/{own[kind]}", bodies[kind] | {"example": made["example"]}
        for field, what in BODIES[kind].items():
            yield f"a {kind} made with a {field}", "POST", f"{mine_in}/{plural}", bodies[kind] | {field: made[what]}
            yield f"a {kind} given a {field}", "PATCH", f"{mine_in}/{plural}/{own[kind]}", {field: made[what]}


def files(made, own):
    """The same for what has no number: uploads and tasks."""
    body = {"format": "JSONL", "task": "DocumentClassification", "column_data": "text", "column_label": "label"}
    project = P.format(**own)
    for upload in (made["upload"], made["waiting"]):
        yield "an upload loaded", "GET", f"/v1/fp/load/?id={upload}", None
        yield "an upload restored", "GET", f"/v1/fp/restore/?id={upload}", None
        for name, ids in (("", [upload]), (" behind an own one", [own["waiting"], upload]), (" as a key", {upload: own["waiting"]}),
                          (" as a text", upload)):
            yield f"an upload imported{name}", "POST", f"{project}/upload", body | {"uploadIds": ids}
    yield "a file", "GET", made["media"], None
    yield "a file by a path", "GET", f"/v1/fp/load/?id={made['upload']}/x", None
    yield "the state of an export", "GET", f"/v1/tasks/status/{made['task']}", None
    for home in (made, own):
        yield "an export downloaded", "GET", f"{P.format(**home)}/download?taskId={made['task']}", None


def stocked(b, mark, folder):
    """What B has: one of everything."""
    own = {}
    own["project"] = project = b.sdk.create_project(name=f"{mark} b", project_type="SequenceLabeling", description="d", use_relation=True).id
    own["example"] = example = b.sdk.create_example(project, "b text").id
    for kind in ("category", "span", "relation"):
        own[f"{kind}_type"] = b.sdk.create_label_type(project, kind, f"b {kind}").id
    spans = [b.sdk.create_span(project, example, start, start + 1, "b span").id for start in (0, 2)]
    own["span"], own["spans"] = spans[0], spans
    own["category"] = b.sdk.create_category(project, example, "b category").id
    own["text"] = b.sdk.create_text(project, example, "b").id
    own["relation"] = b.sdk.create_relation(project, example, *spans, "b relation").id
    own["bounding_box"] = b.sdk.create_bounding_box(project, example, 1, 2, 3, 4, "b category").id
    own["segment"] = b.sdk.create_segment(project, example, [1, 2], "b category").id
    own["comment"] = b.sdk.create_comment(project, example, "b").id
    own["member"] = b.sdk.list_members(project)[0].id
    own["waiting"] = b.ask("POST", "/v1/fp/process/", files={"filepond": ("b.jsonl", b'{"text":"b","label":[]}\n')}).text
    return own


def never_was(made):
    """The same names, of nothing."""
    path = made["media"].replace(made["upload"], "0" * 22)
    return {key: NEVER for key in made} | {"upload": "0" * 22, "waiting": "1" * 22, "task": str(uuid.UUID(int=1)), "media": path}


def hidden(checks, a, b, mark, folder, made):
    own = made["own"] = stocked(b, mark, folder)
    checks.same("list_projects", [each.id for each in b.sdk.list_projects()], [own["project"]])
    counted = b.ask("GET", "/v1/projects?limit=1").json()
    checks.same("the count of projects", (counted["count"], counted["next"], counted["previous"]), (1, None, None))
    checks.same("projects by a search", b.ask("GET", "/v1/projects", params={"q": mark}).status_code, 403)
    mine = sorted((made["project"], made["clone"]))
    linked = a.ask("GET", "/v1/projects?limit=1").json()
    checks.ok("a link leads to the gateway", linked["count"] == 2 and linked["next"].startswith(a.base), linked["next"])
    checks.same("the other's list", sorted(each.id for each in a.sdk.list_projects()), mine)
    guessing(checks, b, made, own)
    never = never_was(made)
    for calls in (writes, files):
        for (name, method, path, body), (_, _, control, nobodys) in zip(calls(made, own), calls(never, own)):
            told, control = b.told(method, path, json=body), b.told(method, control, json=nobodys)
            checks.ok(f"{name}, {method} {path}: as what never was", told == control and told[0] in (403, 404), (told, control))


def untouched(checks, a, b, made):
    """All of A's is as it was, and all of B's too: B only called in vain."""
    for tenant, of in ((a, made), (b, made["own"])):
        project, example = of["project"], of["example"]
        for kind in KINDS:
            label = getattr(tenant.sdk, f"find_{kind}_by_id")(project, example, of[kind])
            checks.same(f"a {kind} is still there", (label.id, label.example), (of[kind], example))
        checks.same("a comment is still there", tenant.sdk.find_comment_by_id(project, of["comment"]).id, of["comment"])
        for kind in ("category", "span", "relation"):
            checks.ok(f"a {kind} type is still there", tenant.sdk.find_label_type_by_id(project, of[f"{kind}_type"], kind).text != "x")
    checks.same("A's examples", a.sdk.count_examples(made["project"]), 7)
    checks.same("B's examples", [each.id for each in b.sdk.list_examples(made["own"]["project"])], [made["own"]["example"]])
    checks.same("what is done is still done", a.sdk.get_progress(made["project"]).completed, 1)


def refusals(checks, b, own):
    project = own["project"]
    for name, call, arguments in (
        ("login", b.sdk.login, ("account", "guess")), ("search_users", b.sdk.search_users, ()), ("create_user", b.sdk.create_user, ("x", "y")),
        ("add_member", b.sdk.member._member_repository.bulk_delete, (project, [own["member"]])),
        ("change_current_user_password", b.sdk.change_current_user_password, ("x" * 12, "x" * 12)),
    ):
        checks.same(f"{name}: refused", refused(call, *arguments), 403)
    for method, path in (
        ("GET", "/v1/auth/user/"), ("POST", "/v1/auth/logout/"), ("GET", "/v1/social/links/"), ("GET", "/v1/fp/fetch/?target=http://localhost/"),
        ("DELETE", "/v1/fp/revert/"), ("PATCH", f"/v1/fp/patch/{own['waiting']}"), ("GET", f"/v1/projects/{project}/auto-labeling/configs"),
        ("POST", f"/v1/projects/{project}/auto-labeling/request-testing"), ("POST", f"/v1/projects/{project}/members"), ("GET", "/admin/"),
        ("GET", "/swagger/"), ("GET", "/"), ("GET", "/media/export.zip"),
    ):
        checks.ok(f"{method} {path}: refused", b.ask(method, path).status_code in (400, 403, 404))
    page = b.ask("GET", f"/v1/projects/{project}/examples/{own['example']}/categories", headers={"Accept": "text/html"})
    checks.same("a page with everybody's labels is never asked for", page.headers["Content-Type"], "application/json")
    checks.same("nor by the query", b.ask("GET", f"/v1/projects/{project}/comments?format=api").status_code, 403)
    b.sdk._base_repository._session.cookies.clear()


def importing(checks, b, own):
    status = b.done(b.ingested(own["project"], [own["waiting"]]).json()["task_id"])
    checks.same("an own upload is imported", (status["result"], b.sdk.count_examples(own["project"])), ({"error": []}, 2))


def ending(checks, a, b, made):
    own, project, example = made["own"], made["project"], made["example"]
    # A relation goes with its span.
    for kind in reversed(KINDS):
        for tenant, of in ((a, made), (b, own)):
            getattr(tenant.sdk, f"delete_{kind}")(of["project"], of["example"], of[kind])
    find = a.sdk.find_category_by_id
    checks.same("a deleted category", refused(find, project, example, made["category"]), 404)
    a.sdk.delete_all_categories(project, example)
    checks.same("delete_all_categories", a.sdk.list_categories(project, example), [])
    a.sdk.bulk_delete_label_types(project, [made["span_type"]], "span")
    checks.same("bulk_delete_label_types", [each.text for each in a.sdk.list_label_types(project, "span")], ["uploaded"])
    a.sdk.delete_label_type(project, made["category_type"], "category")
    checks.same("a deleted label type", refused(a.sdk.find_label_type_by_id, project, made["category_type"], "category"), 404)
    a.sdk.delete_example(project, example)
    checks.same("a deleted example", refused(a.sdk.find_example_by_id, project, example), 404)
    left = [each.id for each in a.sdk.list_examples(project)]
    a.sdk.bulk_delete_examples(project, left[:2])
    checks.same("bulk_delete_examples", a.sdk.count_examples(project), 4)
    a.sdk.delete_all_examples(project)
    checks.same("delete_all_examples", a.sdk.count_examples(project), 0)
    b.sdk.delete_project(own["project"])
    checks.same("a deleted project", refused(b.sdk.find_project_by_id, own["project"]), 404)
    checks.same("projects, after the last", b.ask("GET", "/v1/projects").json(), {"count": 0, "next": None, "previous": None, "results": []})
    checks.same("projects deleted at once", a.ask("DELETE", "/v1/projects", json={"ids": [project, made["clone"]]}).status_code, 204)
    checks.same("and gone", [each.id for each in a.sdk.list_projects()], [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("base", "ca"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    # The client's library takes this variable, where it is set, for more than what the client is told.
    os.environ["REQUESTS_CA_BUNDLE"] = options.ca
    checks, made, mark = Checks(), {}, f"mark-{uuid.uuid4().hex[:8]}"
    a, b = Tenant(options, os.environ["KEY_A"]), Tenant(options, os.environ["KEY_B"])
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        with checks.group("working"):
            working(checks, a, mark, folder, made)
        with checks.group("labelling"):
            labelling(checks, a, mark, folder, made)
        with checks.group("exports"):
            exporting(checks, a, mark, folder, made)
        with checks.group("the other tenant"):
            hidden(checks, a, b, mark, folder, made)
        with checks.group("untouched"):
            untouched(checks, a, b, made)
        with checks.group("refused"):
            refusals(checks, b, made["own"])
        with checks.group("imports"):
            importing(checks, b, made["own"])
        with checks.group("the end"):
            ending(checks, a, b, made)
    checks.finish()


main()
