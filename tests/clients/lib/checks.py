"""Checks: one line each, a summary at the end, status 1 if one failed."""
import contextlib
import sys
import time


class Checks:
    def __init__(self):
        self.count, self.failed, self.prefix = 0, [], ""

    def ok(self, name, good, detail=""):
        """One check; gives back whether it is good."""
        self.count += 1
        name = self.prefix + name
        if good:
            print(f"ok   {name}", flush=True)
        else:
            self.failed.append(name)
            print(f"FAIL {name}: {' '.join(str(detail).split())[:600]}", flush=True)
        return bool(good)

    def same(self, name, got, wanted):
        return self.ok(name, got == wanted, f"got {short(got)}, wanted {short(wanted)}")

    def note(self, text):
        print(f"note {self.prefix}{text}", flush=True)

    @contextlib.contextmanager
    def group(self, name):
        """What goes wrong in a group is one failed check of its own; the other groups still run."""
        before, self.prefix = self.prefix, f"{self.prefix}{name}: "
        try:
            yield
        except Exception as problem:  # noqa: BLE001 whatever the client raises is the finding
            self.ok("goes through", False, f"{type(problem).__name__}: {problem}")
        finally:
            self.prefix = before

    def finish(self):
        print(f"{self.count} checks, {len(self.failed)} failed")
        sys.exit(1 if self.failed else 0)


def short(value, limit=240):
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def until(ask, good, seconds=60, pause=0.1):
    """Asks again and again until the answer is good; returns it, or fails."""
    deadline = time.monotonic() + seconds
    while True:
        value = ask()
        if good(value):
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {short(value)} after {seconds} s")
        time.sleep(pause)
