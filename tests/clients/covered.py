#!/usr/bin/env python3
"""What a driver of operations left out, by the gateway's own audit trail.

    covered.py --coverage FILE --route NAME --trail FOLDER --tenants A,B

FILE is what `consentry coverage --format json` says. Each operation that the route serves has to stand in the trail as
answered for tenant A and, where an id can stand in it, as refused to tenant B as somebody else's; each other that the
profile names, as refused to A for the profile's reason. An operation that nobody drives fails.
"""
import argparse
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lib"))
from checks import Checks  # noqa: E402


def trail(folder, tenant):
    """What the gateway recorded of a tenant: the operations that it answered, and those that it refused, with the reasons."""
    answered, refused = set(), set()
    for file in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in file.read_text().splitlines():
            entry = json.loads(line) if line.endswith("}") else {}
            if entry.get("tenant") != tenant:
                continue
            if entry.get("decision") in ("forward", "censored") and 200 <= entry.get("status", 0) < 300:
                answered.add(entry["operation"])
            if entry.get("decision") == "denied":
                refused.add((entry.get("operation"), entry["reason"]))
    return answered, refused


def left_out(rows, options):
    """Names of operations: served and not answered; taking ids and not refused with another's; closed and not refused as such."""
    (answered, closed), (_, refused) = (trail(options.trail, tenant) for tenant in options.tenants.split(","))
    served = [row for row in rows if row["served"] == "served"]
    return (
        [row["operation"] for row in served if row["operation"] not in answered],
        [row["operation"] for row in served if row["isolation"] and (row["operation"], "resource_unknown") not in refused],
        [row["operation"] for row in rows if row["served"] != "served" and (row["operation"], row["served"]) not in closed],
    )


def covered(checks, options):
    """The operations that the profile names, against those that were driven: the gateway is the witness."""
    rows = [json.loads(line) for line in pathlib.Path(options.coverage).read_text().splitlines()]
    rows = [row for row in rows if row["route"] == options.route]
    deadline = time.monotonic() + 10
    while any(left := left_out(rows, options)) and time.monotonic() < deadline:
        time.sleep(0.5)
    idle, open_, silent = left
    served = [row for row in rows if row["served"] == "served"]
    asked, closed = sum(bool(row["isolation"]) for row in served), len(rows) - len(served)
    checks.ok("the profile serves something, and refuses something by name", served and asked and closed)
    checks.ok("every served operation was answered for its owner", not idle, idle)
    checks.ok("every operation that takes ids was refused with another's", not open_, open_)
    checks.ok("every operation that is not served was refused by its name", not silent, silent)
    checks.note(
        f"of {len(served)} operations that are served {len(served) - len(idle)} were answered, of {asked} that take ids {asked - len(open_)} "
        f"were refused with another's; of {closed} that are not served {closed - len(silent)} were refused by name"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("coverage", "route", "trail", "tenants"):
        parser.add_argument(f"--{name}", required=True)
    options, checks = parser.parse_args(), Checks()
    covered(checks, options)
    checks.finish()


main()
