"""What stands around a value that has a name: assignment, JSON, YAML, log, prose, and where else secrets are found."""

# `{v}` the value; of the name `api_key`: `{k}` as it is, `{N}` API_KEY, `{c}` apiKey, `{f}` api-key, `{H}` Api-Key, `{w}` api key.
NAMED = [
    ("assignment", '{k} = "{v}"'), ("assignment", "{k}={v}"), ("assignment", "{k}: '{v}',"), ("assignment", "{N} = '{v}'"),
    ("env", "{N}={v}\n"), ("env", 'export {N}="{v}"\n'), ("env", "NODE_ENV=production\n{N}='{v}'\nPORT=8080\n"), ("env", "set {N}={v}\r\n"),
    ("json", '{"{k}": "{v}", "retries": 3}'), ("json", '{"{c}":"{v}"}'), ("json", '{\\"{k}\\": \\"{v}\\", \\"n\\": 1}'), ("json", '{"config": {"{f}": "{v}"}}'),
    ("yaml", "service:\n  {k}: {v}\n  port: 8080\n"), ("yaml", '{c}: "{v}"\n'), ("yaml", "env:\n  - name: {N}\n    value: {v}\n"), ("yaml", "{f}: >-\n  {v}\n"),
    ("log", "2026-11-22T10:00:00.123Z DEBUG [worker-7] request {k}={v} status=200"), ("log", 'level=warn msg="bad credentials" {k}="{v}" took=12ms'),
    ("log", "Nov 22 10:00:01 web-1 app[771]: using {w} {v}"), ("log", "[2026-11-22 10:00:00] app.ERROR: {N}: {v} rejected {\"code\":401}"),
    ("prose", "My {w} is {v}. Why do I get a 401?"), ("prose", "Here is the {w}: {v}\nThanks!"), ("prose", "I pasted the {w} `{v}` into the chat."), ("prose", "Please rotate the {w} ({v}) today."),
    ("url", "https://api.acme-freight.net/v1/items?{k}={v}&page=2"), ("url", "GET /v1/items?page=2&{c}={v} HTTP/1.1"),
    ("header", "X-{H}: {v}\r\nAccept: */*\r\n"), ("header", "curl -s -H 'X-{H}: {v}' https://api.acme-freight.net/v1/me"), ("header", "headers = {'{H}': '{v}'}"),
    ("csv", "name,value,note\n{k},{v},main account\n"), ("csv", '"{k}","{v}"\n"region","eu-west-1"\n'), ("csv", "{N};{v};2026\n"),
    ("shell", "./deploy --{f} {v} --region eu-west-1"), ("shell", "tool login --{f}={v}"), ("shell", "{N}={v} ./run.sh"), ("shell", "docker run -e {N}={v} acme/app"),
    ("python", "client = Client({k}='{v}', timeout=30)"), ("python", "os.environ['{N}'] = \"{v}\""), ("python", "{N}: str = '{v}'  # do not commit"),
    ("javascript", "const client = new Client({ {c}: '{v}' });"), ("javascript", "const {N} = `{v}`;"), ("javascript", "process.env.{N} = process.env.{N} || '{v}';"),
    ("java", 'private static final String {N} = "{v}";'), ("java", 'props.setProperty("acme.{c}", "{v}");'),
    ("go", '{c} := "{v}"'), ("go", 'os.Setenv("{N}", "{v}")'), ("rust", 'let {k}: &str = "{v}";'), ("csharp", 'var {c} = @"{v}";'), ("php", "define('{N}', '{v}');"), ("ruby", "{N} ||= '{v}'"),
    ("markdown", "- **{w}**: `{v}`\n"), ("markdown", "| {w} | {v} |\n"), ("markdown", "```sh\nexport {N}={v}\n```\n"),
    ("xml", "<{c}>{v}</{c}>"), ("xml", '<add key="{c}" value="{v}" />'), ("ini", "[default]\n{k} = {v}\nregion = eu\n"), ("docker", "ENV {N} {v}\n"), ("docker", "ARG {N}={v}\n"),
    ("terraform", 'resource "x" "y" {\n  {k} = "{v}"\n}\n'),
]

# For what needs no name.
ALONE = [
    ("alone", "{v}"), ("prose", "I pasted {v} into the chat by mistake."), ("prose", "Is ({v}) still valid?"), ("prose", "It says «{v}» is wrong."), ("prose", "see {v}, then {v2}"),
    ("log", "2026-11-22T10:00:00Z INFO got {v} from 10.0.0.7"), ("json", '["a", "{v}"]'), ("json", '{"x":"{v}"}'), ("json", '{\\"x\\":\\"{v}\\"}'), ("yaml", "- {v}\n- b\n"), ("csv", "7,{v},ok\n"),
    ("markdown", "`{v}`"), ("markdown", "> {v}\n"), ("code", "f('{v}');"), ("code", "// {v}\n"), ("url", "https://acme.net/?q={v}&n=1"), ("shell", "echo {v} | base64 -d"), ("html", "<td>{v}</td>"), ("assignment", "x={v};"), ("header", "X-Thing: {v}\r\n"),
]


def fill(template, name, value):
    parts = name.split("_")
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    forms = {"k": name, "N": name.upper(), "c": camel, "f": "-".join(parts), "H": "-".join(part.capitalize() for part in parts), "w": " ".join(parts)}
    for letter, form in forms.items():
        template = template.replace("{" + letter + "}", form)
    return template.split("{v}"), value


def fits(context, template, value):
    """Could somebody have written this value so?"""
    if "\n" in value:
        return context in ("alone", "prose", "env", "python", "markdown") and "{v}\n" in template + "\n" and '"{v}' not in template and "`{v}" not in template
    if any(c in value for c in "%#&+ ?/=") and context == "url":
        return False
    if any(c in value for c in "#&;|$()*!?<>") and context in ("shell", "docker") and "'" not in template:
        return False
    if ";" in value and context == "csv":
        return False
    return not (value.startswith("http") and context in ("header", "url"))
