#!/usr/bin/env python3
"""What other detectors make of the items of `field/`, by class.

    peers.py --consentry PATH [--rounds 1] [--seed 31] [--detect-secrets PYTHON] [--credsweeper PATH] [--kingfisher PATH] [--presidio PYTHON] [--out FILE]

A tool is skipped by name when its path isn't given. Each item is a file of its own. Cover: labelled bytes that lie inside
of what a tool says it found; flagged: harmless items with any finding. Presidio is asked for personal data, the others for
secrets; Consentry for both. The result is a table in Markdown.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent

DETECT_SECRETS = """
import json, sys
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
with default_settings():
    for path in sys.stdin.read().split():
        print(json.dumps([path, [secret.secret_value for secret in scan_file(path)]]))
"""

PRESIDIO = """
import json, sys
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider
model = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": sys.argv[1]}]}
analyzer = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=model).create_engine())
for path in sys.stdin.read().split():
    text = open(path, encoding="utf-8", newline="").read()
    found = [r for r in analyzer.analyze(text, "en", score_threshold=0.4) if r.entity_type not in ("URL", "DATE_TIME")]
    print(json.dumps([path, [[len(text[:r.start].encode()), len(text[:r.end].encode())] for r in found]]))
"""


def values_to_spans(text, values):
    """Every place where a value stands."""
    spans = []
    for value in {value for value in values if value}:
        wanted, at = value.encode(), -1
        while (at := text.find(wanted, at + 1)) >= 0:
            spans.append((at, at + len(wanted)))
    return spans


def consentry(binary, folder, texts):
    out = subprocess.run([binary, "scan", "--no-ignore", "--format", "json", str(folder)], capture_output=True, text=True).stdout
    spans = defaultdict(list)
    for line in out.splitlines():
        found = json.loads(line)
        spans[Path(found["file"]).name].append((found["start"], found["end"]))
    return spans


def listed(command, folder, texts, are_spans):
    names = "\n".join(str(folder / name) for name in texts)
    out = subprocess.run(command, input=names, capture_output=True, text=True).stdout
    spans = {}
    for line in out.splitlines():
        if not line.startswith("["):
            continue
        path, found = json.loads(line)
        name = Path(path).name
        spans[name] = found if are_spans else values_to_spans(texts[name], found)
    return spans


def credsweeper(binary, folder, texts):
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        subprocess.run([binary, "--path", str(folder), "--save-json", report.name, "--jobs", "2"], capture_output=True)
        values = defaultdict(list)
        for found in json.load(open(report.name)):
            for line in found["line_data_list"]:
                values[Path(line["path"]).name].append(line["value"])
    return {name: values_to_spans(texts[name], found) for name, found in values.items()}


def kingfisher(binary, folder, texts):
    out = subprocess.run([binary, "scan", "--no-validate", "--format", "json", "--git-history", "none", "--confidence", "low", "--no-update-check", "--no-dedup", str(folder)], capture_output=True, text=True).stdout
    values = defaultdict(list)
    for found in json.loads(out.splitlines()[0])["findings"]:
        values[Path(found["finding"]["path"]).name].append(found["finding"]["snippet"])
    return {name: values_to_spans(texts[name], found) for name, found in values.items() if name in texts}


def covered(span, spans):
    start, end = span
    marks = bytearray(end - start)
    for low, high in spans:
        low, high = max(low, start), min(high, end)
        if low < high:
            marks[low - start : high - start] = b"\1" * (high - low)
    return sum(marks)


def score(items, spans):
    cover, flagged = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0])
    for name, item in items.items():
        found = spans.get(name, [])
        if item["side"] == "harmless":
            for key in (item["class"], "all"):
                flagged[key][0] += bool(found)
                flagged[key][1] += 1
        for label in item["labels"]:
            for key in ((item["side"], item["class"]), (item["side"], "all")):
                cover[key][0] += covered(label, found)
                cover[key][1] += label[1] - label[0]
    return cover, flagged


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--consentry", required=True)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=31)
    for tool in ("detect-secrets", "credsweeper", "kingfisher", "presidio"):
        parser.add_argument("--" + tool)
    parser.add_argument("--presidio-model", default="en_core_web_lg")
    parser.add_argument("--out", default="-")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "items"
        folder.mkdir()
        lines = Path(root) / "items.jsonl"
        subprocess.run([sys.executable, "-m", "field", "--out", str(lines), "--seed", str(args.seed), "--rounds", str(args.rounds)], cwd=HERE, check=True)
        items, texts = {}, {}
        for number, line in enumerate(lines.read_text(encoding="utf-8").splitlines()):
            item = json.loads(line)
            name = f"{number:06}.txt"
            items[name], texts[name] = item, item["text"].encode()
            (folder / name).write_bytes(texts[name])
        runs = {
            "Consentry": (args.consentry, ("secret", "personal"), lambda path: consentry(path, folder, texts)),
            "detect-secrets": (args.detect_secrets, ("secret",), lambda path: listed([path, "-c", DETECT_SECRETS], folder, texts, False)),
            "CredSweeper": (args.credsweeper, ("secret",), lambda path: credsweeper(path, folder, texts)),
            "Kingfisher": (args.kingfisher, ("secret",), lambda path: kingfisher(path, folder, texts)),
            "Presidio": (args.presidio, ("personal",), lambda path: listed([path, "-c", PRESIDIO, args.presidio_model], folder, texts, True)),
        }
        results = {}
        for tool, (path, sides, run) in runs.items():
            if path is None:
                print(f"{tool}: skipped, no path given", file=sys.stderr)
                continue
            began = time.time()
            results[tool] = (sides, *score(items, run(path)))
            print(f"{tool}: {time.time() - began:.0f} s", file=sys.stderr)
        out = sys.stdout if args.out == "-" else open(args.out, "w", encoding="utf-8")
        write(items, results, out)


def write(items, results, out):
    share = lambda counts: f"{100 * counts[0] / counts[1]:.1f}" if counts[1] else ""
    for side in ("secret", "personal"):
        tools = [tool for tool, (sides, _, _) in results.items() if side in sides]
        classes = sorted({item["class"] for item in items.values() if item["side"] == side})
        print(f"\n| {side} | {' | '.join(tools)} |\n|---|{'---:|' * len(tools)}", file=out)
        for name in ["all", *classes]:
            print(f"| {name} | {' | '.join(share(results[tool][1][(side, name)]) for tool in tools)} |", file=out)
    tools = list(results)
    print(f"\n| harmless, flagged | {' | '.join(tools)} |\n|---|{'---:|' * len(tools)}", file=out)
    for name in ["all", *sorted({item["class"] for item in items.values() if item["side"] == "harmless"})]:
        print(f"| {name} | {' | '.join(share(results[tool][2][name]) for tool in tools)} |", file=out)


if __name__ == "__main__":
    main()
