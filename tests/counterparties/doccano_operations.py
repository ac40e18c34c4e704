"""Prints method, path and name of every operation of doccano's API, from the server's own table of URLs.

Its operations have no ids of their own: a name is the method and the name of the URL. What is not under `v1/` is left out:
pages for people, the administration's among them.
"""
import re

import django

django.setup()

from django.urls import URLResolver, get_resolver  # noqa: E402

METHODS = ("get", "head", "post", "put", "patch", "delete")


def urls(patterns, before=""):
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from urls(each.url_patterns, before + str(each.pattern))
        else:
            yield before + str(each.pattern), each


def template(path):
    path = re.sub(r"\(\?P<(\w+)>[^()]*\)", r"{\1}", path)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path).replace("^", "").replace("$", "")


def methods(view):
    # A HEAD that follows from the GET is no operation of its own.
    own = [method for method in METHODS if method in vars(view) or method != "head" and hasattr(view, method)]
    return [method for method in own if method in view.http_method_names]


lines = []
for path, url in urls(get_resolver().url_patterns):
    if path.startswith("v1/"):
        name = re.sub(r"\W", "_", url.name or path.removeprefix("v1/").rstrip("/"))
        view = getattr(url.callback, "view_class", None) or url.callback.cls
        lines += [f"{method.upper()} {template(path)} {method}_{name}" for method in methods(view)]
print("\n".join(sorted(lines)))
