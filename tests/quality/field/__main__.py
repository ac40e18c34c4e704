"""Writes labelled items, one JSON object a line.

    python3 -m field --out FILE [--seed 1] [--rounds 4]

{"text": "...", "class": "...", "side": "secret" | "personal" | "harmless", "context": "...", "labels": [[start, end]]}
`start` and `end` are byte offsets in the text. A round gives every class some of its contexts; harmless items come in the
same number as the others.
"""

import argparse
import json

from . import contexts, harmless, keyed, personal, secrets
from .values import Values


def item(side, kind, context, pieces, value, more=None):
    text, labels = pieces[0], []
    for piece in pieces[1:]:
        start = len(text.encode())
        text += value
        labels.append([start, len(text.encode())])
        text += piece
    return {"text": text, "class": kind, "side": side, "context": context, "labels": labels, **(more or {})}


def named(v, kind, make, names, count):
    """A value under a name, in different contexts."""
    seen = 0
    for context, template in v.r.sample(contexts.NAMED, len(contexts.NAMED)):
        name, value = v.r.choice(names), make()
        if contexts.fits(context, template, value):
            pieces, value = contexts.fill(template, name, value)
            yield item("secret", kind, context, pieces, value)
            seen += 1
        if seen == count:
            return


def alone(v, side, kind, make, templates, count):
    seen = 0
    for context, template in v.r.sample(templates, len(templates)):
        value = make()
        template = template.replace("{v2}", "the rest")
        if contexts.fits(context, template, value):
            yield item(side, kind, context, template.split("{v}"), value)
            seen += 1
        if seen == count:
            return


def beside(v, kind, make, words, count):
    templates = [row for row in personal.BESIDE if "\n" not in (value := make()) and (row[0] != "url" or value.isalnum())]
    for context, template in v.r.sample(templates, min(count, len(templates))):
        name, value = v.r.choice(words), make()
        if context == "url" and not value.isalnum() or context == "csv" and "," in value:
            continue
        word = name.replace("_", " ")
        for mark, form in (("n", name), ("w", word), ("W", word.capitalize()), ("U", word.upper())):
            template = template.replace("{" + mark + "}", form)
        yield item("personal", kind, context, template.split("{v}"), value)


def everything(v, rounds):
    for _ in range(rounds):
        for kind, (make, names) in secrets.tokens(v).items():
            yield from alone(v, "secret", kind, make, contexts.ALONE, 3)
            yield from named(v, kind, make, names, 3)
        for kind, (make, names) in keyed.keys(v).items():
            yield from named(v, kind, make, names, 8)
        yield from named(v, "password", lambda: v.password(), keyed.PASSWORD_NAMES, 40)
        for kind, context, template, value in keyed.password_items(v, 60):
            if not ("'" not in template and '"' not in template and any(c in keyed.UNQUOTED for c in value)):
                yield item("secret", kind, context, template.split("{v}"), value)
        for kind, template, value in keyed.uris(v):
            for context, around in (("config", template), ("log", "2026-11-22 INFO using " + template), ("prose", "We use this:\n" + template + "\nand it fails."), ("json", '{"x": ' + json.dumps(template) + "}")):
                if context == "json" and ("\\" in value or "\n" in value):
                    continue
                yield item("secret", kind, context, around.split("{v}"), value)
        for kind, (make, words, free) in personal.numbered(v).items():
            if free:
                yield from alone(v, "personal", kind, make, personal.FREE, 4)
            if words:
                yield from beside(v, kind, make, words, 6 if free else 10)
        for kind, context, template, value in personal.spoken(v):
            yield item("personal", kind, context, template.replace("{v2}", "77").split("{v}"), value)
        for _ in range(90):
            for kind, make in harmless.items(v).items():
                text = make()
                yield {"text": text, "class": kind, "side": "harmless", "context": "harmless", "labels": []}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=4)
    args = parser.parse_args()
    with open(args.out, "w", encoding="utf-8") as out:
        for line in everything(Values(args.seed), args.rounds):
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
