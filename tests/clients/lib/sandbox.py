"""The control side of the sandbox: what arrived upstream, seen by the upstream itself."""
import json
import ssl
import urllib.request


class Sandbox:
    def __init__(self, url, ca):
        self.url = url.rstrip("/")
        self.context = ssl.create_default_context(cafile=ca)
        self.start = self.journal(limit=0)["next"]

    def _raw(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/__sandbox/{path}", data=data)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context))
        with opener.open(request, timeout=60) as answer:
            return answer.read()

    def ask(self, path, body=None):
        return json.loads(self._raw(path, body))

    def journal(self, limit=100_000, path="", after=None):
        since = "" if after is None else f"&after={after}"
        return self.ask(f"journal?limit={limit}&path={path}{since}")

    def arrived(self, path=""):
        """The requests since this object was made."""
        after = self.start - 1 if self.start else None
        return self.journal(path=path, after=after)["entries"]

    def watch(self, values):
        self.ask("watch", {"needles": sorted(values)})

    def files(self):
        """All files upstream: {id: content}."""
        return {each: self._raw(f"files/{each}") for each, told in self.ask("files").items() if told["kept"]}

    def leaks(self):
        return self.ask("leaks")["values"]


def header(entry, name):
    return next((value for key, value in entry["headers"] if key == name), None)


def json_body(entry):
    """The JSON body of a journal entry, or None if it isn't one or was cut."""
    try:
        return None if entry["cut"] else json.loads(entry["text"])
    except ValueError:
        return None
