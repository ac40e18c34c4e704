#!/usr/bin/env python3
"""Takes checks out of an API profile, so that it can be seen that the drivers notice.

    plant.py PROFILE.yaml OPERATION::TEXT[::INSTEAD]...

In each OPERATION (`-`: anywhere) the first TEXT becomes INSTEAD (nothing). The changed profile goes to standard output.
"""
import pathlib
import re
import sys

profile = pathlib.Path(sys.argv[1]).read_text()
for fault in sys.argv[2:]:
    operation, text, instead = (fault.split("::") + [""])[:3]
    block = re.search(rf"^  {re.escape(operation)}:\n(?:    .*\n|\n)+" if operation != "-" else r"(?s).+", profile, re.MULTILINE)
    if not block or text not in block[0]:
        sys.exit(f"plant.py: {operation} has no {text}")
    profile = profile[: block.start()] + block[0].replace(text, instead, 1) + profile[block.end() :]
sys.stdout.write(profile)
