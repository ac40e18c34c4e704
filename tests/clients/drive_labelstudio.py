#!/usr/bin/env python3
"""Drives a real Label Studio behind the gateway with its own unmodified SDK, as two tenants of one service account.

    drive_labelstudio.py --base https://localhost:8443 --ca ca.crt --files DIR

KEY_A and KEY_B are the tenants' keys, NAME_A the first one's name; DIR is the server's document root for local storages, in which
this script makes `tenants/NAME_A`. One line for each check, `ok …` or `FAIL …`; status 1 if one failed.
"""
import argparse
import csv
import io
import os
import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
import httpx  # noqa: E402
from label_studio_sdk import LabelStudio  # noqa: E402
from label_studio_sdk.core.api_error import ApiError  # noqa: E402

from checks import Checks, until  # noqa: E402

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="c" toName="text">'
    '<Choice value="pos"/><Choice value="neg"/></Choices></View>'
)
CHOICE = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["neg"]}}]
NEVER = 999_999_999


class Tenant:
    def __init__(self, options, key):
        self.http = httpx.Client(
            base_url=options.base, verify=options.ca, timeout=60, headers={"Authorization": f"Token {key}"}
        )
        self.sdk = LabelStudio(base_url=options.base, api_key=key, httpx_client=httpx.Client(verify=options.ca, timeout=60))

    def told(self, method, path, **more):
        """What a caller can tell two answers apart by."""
        answer = self.http.request(method, path, **more)
        headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
        return answer.status_code, headers, answer.content


def project_of(tenant, mark):
    return tenant.sdk.projects.create(title=mark, label_config=CONFIG)


def labelling(checks, a, mark, files, made):
    project = project_of(a, mark)
    made["project"] = project.id
    checks.same("projects.get", a.sdk.projects.get(id=project.id).title, mark)
    imported = a.sdk.projects.import_tasks(
        id=project.id,
        request=[{"text": f"{mark} 1"}, {"data": {"text": f"{mark} 2"}, "predictions": [{"model_version": "m", "result": CHOICE}]}],
        return_task_ids=True,
    )
    checks.same("import by JSON", (imported.task_count, imported.prediction_count), (2, 1))
    answer = a.http.post(f"/api/projects/{project.id}/import", files={"file": ("rows.csv", f"text\n{mark} 3\n".encode())})
    checks.same("import by file", (answer.status_code, answer.json().get("task_count")), (201, 1))
    made["file_upload"] = answer.json()["file_upload_ids"][0]
    tasks = list(a.sdk.tasks.list(project=project.id, fields="all", page_size=2))
    checks.same("tasks.list", sorted(task.data["text"] for task in tasks), [f"{mark} {n}" for n in (1, 2, 3)])
    # No call of theirs named the file's task: it is theirs because it lives in their project.
    read = [a.sdk.tasks.get(id=str(each.id)).data["text"] for each in tasks]
    checks.same("tasks.get", sorted(read), [f"{mark} {n}" for n in (1, 2, 3)])
    made["task"] = task = min(task.id for task in tasks)
    annotation = a.sdk.annotations.create(id=task, result=CHOICE, lead_time=1.0)
    made["annotation"] = annotation.id
    a.sdk.annotations.update(id=annotation.id, lead_time=2.5)
    checks.same("annotations.get", a.sdk.annotations.get(id=annotation.id).lead_time, 2.5)
    made["prediction"] = a.sdk.predictions.create(task=task, result=CHOICE, score=0.25, model_version="n").id
    checks.same("predictions.list", [each.id for each in a.sdk.predictions.list(task=task)], [made["prediction"]])
    made["draft"] = a.http.post(f"/api/tasks/{task}/drafts", json={"result": CHOICE}).json()["id"]
    made["view"] = a.sdk.views.create(project=project.id, data={"title": mark}).id
    checks.same("views.list", [each.id for each in a.sdk.views.list(project=project.id)], [made["view"]])
    checks.same("tasks through a view", len(list(a.sdk.tasks.list(project=project.id, view=made["view"]))), 3)


def exporting(checks, a, mark, made):
    project = made["project"]
    exported = a.http.get(f"/api/projects/{project}/export", params={"exportType": "JSON"})
    checks.same("export as JSON", [task["data"]["text"] for task in exported.json()], [f"{mark} 1"])
    exported = a.http.get(f"/api/projects/{project}/export", params={"exportType": "CSV"})
    checks.same("export as CSV", [row["text"] for row in csv.DictReader(io.StringIO(exported.text))], [f"{mark} 1"])
    made["export"] = a.sdk.projects.exports.create(id=project, title="snapshot").id
    get = lambda: a.sdk.projects.exports.get(id=project, export_pk=made["export"]).status  # noqa: E731
    until(get, "completed".__eq__)
    data = b"".join(a.sdk.projects.exports.download(id=project, export_pk=made["export"], export_type="JSON"))
    checks.same("a snapshot holds all tasks", data.count(mark.encode()), 3)


def storing(checks, a, name, mark, files, made):
    folder = pathlib.Path(files) / "tenants" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "note.txt").write_text(f"{mark} note\n")
    project = made["stored_project"] = project_of(a, f"{mark} stored").id
    body = {"project": project, "title": mark, "path": str(folder), "use_blob_urls": True}
    answer = a.http.post("/api/storages/localfiles/", params={"project": project}, json=body)
    checks.same("a local storage is made", answer.status_code, 201)
    made["import_localfiles"] = storage = answer.json()["id"]
    a.http.post(f"/api/storages/localfiles/{storage}/sync", json={})
    until(lambda: a.http.get(f"/api/storages/localfiles/{storage}").json()["status"], "completed".__eq__)
    link = next(iter(a.sdk.tasks.list(project=project, fields="all"))).data["text"]
    made["link"] = link
    checks.same("the file behind a task", a.http.get(link).text, f"{mark} note\n")
    body["path"] = str(folder.parent / "somebody-else")
    checks.same("a folder of somebody else", a.http.post("/api/storages/localfiles/", json=body).status_code, 404)
    upload = a.http.get(f"/api/projects/{made['project']}/file-uploads", params={"all": "true"}).json()[0]
    made["file"] = f"/data/{upload['file']}"
    checks.same("the uploaded file", a.http.get(made["file"]).text, f"text\n{mark} 3\n")


PATHS = {
    "project": ["/api/projects/{}/", "/api/projects/{}/tasks/", "/api/projects/{}/next/", "/api/projects/{}/export",
                "/api/projects/{}/exports/", "/api/projects/{}/file-uploads", "/api/projects/{}/summary/", "/api/tasks/?project={}",
                "/api/dm/views/?project={}", "/api/dm/columns/?project={}", "/api/predictions/?project={}",
                "/api/storages/localfiles/?project={}", "/api/storages/s3/?project={}", "/api/webhooks/?project={}", "/api/ml/?project={}"],
    "task": ["/api/tasks/{}/", "/api/tasks/{}/annotations/", "/api/tasks/{}/drafts", "/api/predictions/?task={}"],
    "annotation": ["/api/annotations/{}/"],
    "draft": ["/api/drafts/{}/"],
    "prediction": ["/api/predictions/{}/"],
    "view": ["/api/dm/views/{}/"],
    "file_upload": ["/api/import/file-upload/{}"],
    "import_localfiles": ["/api/storages/localfiles/{}"],
}


def guessing(checks, b, made, own):
    """Every number from 1 to the highest, at every place, is answered as one that nothing ever had."""
    for kind, paths in PATHS.items():
        for path in paths:
            never = b.told("GET", path.format(NEVER))
            seen = [n for n in range(1, made[kind] + 1) if n not in own.get(kind, ()) and b.told("GET", path.format(n)) != never]
            checks.ok(f"{path} by number", never[0] == 404 and not seen, f"{never[0]}, {seen}")


def published_faults(checks, b, made):
    """Two faults of Label Studio that were published: records of other organisations by their ids."""
    def same(name, method, path, made_id, **more):
        known, never = b.told(method, path.format(made_id), **more), b.told(method, path.format(NEVER), **more)
        checks.ok(name, known == never and known[0] == 404, f"{known[:2]} {never[:2]}")

    for method, more in (("GET", {}), ("PATCH", {"json": {"lead_time": 9}}), ("DELETE", {})):
        same(f"regression, annotations by id: {method}", method, "/api/annotations/{}/", made["annotation"], **more)
        same(f"regression, storage-object links by id: {method}", method, "/api/storages/localfiles/{}", made["import_localfiles"],
             **({"json": {"title": "x"}} if more else {}))
    same("regression, storage-object links by id: sync", "POST", "/api/storages/localfiles/{}/sync", made["import_localfiles"], json={})
    known, never = b.told("GET", made["link"]), b.told("GET", made["link"].replace("note.txt", "none.txt"))
    for path in ("/tasks/{}/resolve/?fileuri=eA==", "/tasks/{}/presign/?fileuri=eA==", "/projects/{}/resolve/?fileuri=eA=="):
        known_id = made["project"] if path.startswith("/projects") else made["task"]
        link, control = b.told("GET", path.format(known_id)), b.told("GET", path.format(NEVER))
        # Refused by name: the body tells the request's own id, and nothing else that differs.
        checks.same(f"regression, storage-object links by id: {path}", (link[0], len(link[2])), (403, len(control[2])))
    checks.ok("regression, storage-object links by id: the file", known == never and known[0] == 404, known)


def hidden(checks, a, b, mark, made):
    own = project_of(b, f"{mark} b")
    task = b.sdk.tasks.create(project=own.id, data={"text": "b"}).id
    checks.same("projects.list", [each.id for each in b.sdk.projects.list()], [own.id])
    counted = b.http.get("/api/projects/?page_size=1").json()
    checks.same("the count of projects", (counted["count"], counted["next"]), (1, None))
    checks.same("the counts of projects", b.http.get("/api/projects/counts/").json()["count"], 1)
    checks.same("a filter by ids", b.http.get("/api/projects/", params={"ids": f"{made['project']},{own.id}"}).json()["count"], 1)
    checks.same("a filter by title", b.http.get("/api/projects/", params={"title": mark}).json()["count"], 1)
    mine = sorted((made["project"], made["stored_project"]))
    linked = a.http.get("/api/projects/?page_size=1").json()["next"]
    checks.ok("a link leads to the gateway", linked.startswith(str(a.http.base_url)), linked)
    checks.same("the other's list", sorted(each.id for each in a.sdk.projects.list(page_size=1)), mine)
    for name, path in (("tasks", "/api/tasks/"), ("predictions", "/api/predictions/"), ("views", "/api/dm/views/"),
                       ("webhooks", "/api/webhooks/"), ("back-ends", "/api/ml/")):
        checks.same(f"{name} of the whole account", b.http.get(path).status_code, 400)
    guessing(checks, b, made, {"project": [own.id], "task": [task]})
    published_faults(checks, b, made)
    # What is another's is told from what never was by nothing: status, headers, body.
    for name, method, ask in (
        ("a task in another's project", "POST", lambda m: ("/api/tasks/", {"project": m["project"], "data": {"text": "x"}})),
        ("a task moved there", "PATCH", lambda m: (f"/api/tasks/{task}/", {"project": m["project"]})),
        ("an annotation of another's", "POST", lambda m: (f"/api/tasks/{task}/annotations/", {"result": [], "parent_annotation": m["annotation"]})),
        ("another's draft taken", "POST", lambda m: (f"/api/tasks/{task}/annotations/", {"result": [], "draft_id": m["draft"]})),
        ("a prediction on another's task", "POST", lambda m: ("/api/predictions/", {"task": m["task"], "result": []})),
        ("another's tasks deleted", "POST", lambda m: (f"/api/dm/actions/?project={own.id}&id=delete_tasks", {"selectedItems": {"all": False, "included": [m["task"]]}})),
        ("an action on another's view", "POST", lambda m: (f"/api/dm/actions/?project={own.id}&id=cache_labels", {"view": m["view"]})),
        ("an import into another's project", "POST", lambda m: (f"/api/projects/{m['project']}/import", [{"text": "x"}])),
        ("another's upload again", "POST", lambda m: (f"/api/projects/{own.id}/reimport", {"file_upload_ids": [m["file_upload"]]})),
        ("a webhook on another's project", "POST", lambda m: ("/api/webhooks/", {"project": m["project"], "url": "https://hooks.example/"})),
        ("another's snapshot", "GET", lambda m: (f"/api/projects/{m['project']}/exports/{m['export']}", None)),
        ("another's snapshot, in an own project", "GET", lambda m: (f"/api/projects/{own.id}/exports/{m['export']}/download", None)),
    ):
        (path, body), (control, nobodys) = ask(made), ask({key: NEVER for key in made})
        told, never = b.told(method, path, json=body), b.told(method, control, json=nobodys)
        checks.ok(f"{name}: as what never was", told == never and told[0] in (403, 404), (told[0], never[0]))
    path = "/api/projects/{}/exports/{}"
    for ids in ((made["project"], made["export"]), (own.id, made["export"])):
        checks.same("another's snapshot", b.http.get(path.format(*ids)).status_code, 404)
        checks.same("another's snapshot, downloaded", b.http.get(path.format(*ids) + "/download").status_code, 404)
    checks.same("another's uploaded file", b.http.get(made["file"]).status_code, 404)
    for path in ("/api/users/", "/api/organizations/", "/api/invite", "/api/current-user/token", "/api/token/", "/api/labels/"):
        checks.same(f"{path} is refused", b.http.get(path).status_code, 403)
    for name, method, path, body in (
        ("files that the tasks name, in an export", "GET", f"/api/projects/{own.id}/export?exportType=YOLO_WITH_IMAGES", None),
        ("training without being asked", "PATCH", f"/api/projects/{own.id}/", {"min_annotations_to_start_training": 1}),
        ("a project that trains by itself", "POST", "/api/projects/", {"title": "x", "start_training_on_annotation_update": True}),
        ("the server's own credentials", "POST", "/api/storages/s3/", {"project": own.id, "bucket": "b", "aws_access_key_id": " ", "aws_secret_access_key": "\t"}),
    ):
        checks.same(f"{name}: refused", b.http.request(method, path, json=body).status_code, 403)
    checks.ok("whoami names nobody", "account@example" not in b.http.get("/api/current-user/whoami").text)
    checks.same("what is theirs is still there", a.sdk.annotations.get(id=made["annotation"]).lead_time, 2.5)
    made["own"] = own.id


def ending(checks, a, b, made):
    for tenant, project in ((a, "project"), (a, "stored_project"), (b, "own")):
        tenant.sdk.projects.delete(id=made[project])
        try:
            tenant.sdk.projects.get(id=made[project])
        except ApiError as problem:
            checks.same("a deleted project", problem.status_code, 404)
        else:
            checks.ok("a deleted project", False, "it is still there")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("base", "ca", "files"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    checks, made, mark = Checks(), {}, f"mark-{uuid.uuid4().hex[:8]}"
    a, b = Tenant(options, os.environ["KEY_A"]), Tenant(options, os.environ["KEY_B"])
    with checks.group("labelling"):
        labelling(checks, a, mark, options.files, made)
    with checks.group("exports"):
        exporting(checks, a, mark, made)
    with checks.group("storages"):
        storing(checks, a, os.environ["NAME_A"], mark, options.files, made)
    with checks.group("the other tenant"):
        hidden(checks, a, b, mark, made)
    with checks.group("the end"):
        ending(checks, a, b, made)
    checks.finish()


main()
