"""Writes the table of values into the chart's README, between its two marks.

    python3 tests/charts/make_readme.py            # writes
    python3 tests/charts/make_readme.py --check    # exit 1 if it would change something

A value's text is the comment above it that begins with `# --`, as helm-docs has it. A map or list with a comment is one row; without
one, its children are rows.
"""

import json
import pathlib
import re
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent.parent.parent / "charts" / "consentry"
BEGIN, END = "<!-- values: made by tests/charts/make_readme.py -->", "<!-- end of values -->"
KEY = re.compile(r"^( *)([A-Za-z0-9_.-]+):(?: |$)")


def comments(text):
    """Path of a key → its comment."""
    found, path, pending = {}, [], []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("# -- "):
            pending = [stripped[5:]]
        elif stripped.startswith("#") and pending:
            pending.append(stripped[1:].strip())
        elif match := KEY.match(line):
            depth = len(match[1]) // 2
            path = [*path[:depth], match[2]]
            if pending:
                found[".".join(path)] = " ".join(pending)
            pending = []
        else:
            pending = []
    return found


def rows(values, texts, prefix=""):
    """(path, value, comment) of everything that is documented; raises KeyError for what is not."""
    for key, value in values.items():
        path = prefix + key
        if path in texts:
            yield path, value, texts[path]
        elif isinstance(value, dict) and value:
            yield from rows(value, texts, path + ".")
        else:
            raise KeyError(f"values.yaml: {path} has no `# --` comment")


def table():
    """The table as Markdown."""
    text = (CHART / "values.yaml").read_text()
    lines = ["| Value | Default | What it is |", "|---|---|---|"]
    for path, value, comment in rows(yaml.safe_load(text), comments(text)):
        default = json.dumps(value, ensure_ascii=False).replace("|", "\\|")
        lines.append(f"| `{path}` | `{default}` | {comment.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


def readme():
    """The README as it should be."""
    text = (CHART / "README.md").read_text()
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def main():
    wanted, path = readme(), CHART / "README.md"
    if path.read_text() == wanted:
        return 0
    if "--check" in sys.argv:
        print("charts/consentry/README.md is not current: run python3 tests/charts/make_readme.py", file=sys.stderr)
        return 1
    path.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
