"""What is sent and answered: ordinary text, and values in it that must not pass."""

import json

WORDS = """we you they customer order account invoice report meeting question answer quarter model batch record question
summary please explain compare write read check the a this that every some of in on with without after before between
because when and or but so then also only already again about under over morning evening week month server request
response table column value list number result change version review update delivery package station garden music
river window letter language history science travel winter summer question small large quick slow early late common
simple open clear good better strong public local general special possible important different whole single""".split()


def prose(rng, size):
    """Ordinary sentences with numbers in them, about `size` bytes."""
    out, length = [], 0
    while length < size:
        words = [rng.choice(WORDS) for _ in range(rng.randint(5, 14))]
        if rng.random() < 0.3:
            words.insert(rng.randrange(len(words)), str(rng.randint(2, 9000)))
        words[0] = words[0].capitalize()
        sentence = " ".join(words) + rng.choice([". ", ". ", ". ", "? ", ".\n", ": "])
        out.append(sentence)
        length += len(sentence)
    return "".join(out)[:size]


def planted(rng):
    """Values that must not pass, put together here so that none stands in the repository."""
    digits = lambda n: "".join(rng.choice("0123456789") for _ in range(n))
    upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    bban = "3704004405320130" + "00"
    check = 98 - int(bban + "1314" + "00") % 97
    return [
        "annika.lindqvist" + "@" + "brightfield-logistics.com",
        "AKIA" + "".join(rng.choice(upper) for _ in range(16)),
        f"DE{check:02}{bban}",
        "+49 30 " + "9018" + digits(5),
    ]


def chat(rng, size, values=()):
    """A chat completion's request of `size` bytes: a few turns of text, with the values spread over it."""
    values = list(values)
    turns = max(4, len(values))
    messages = [{"role": "system", "content": "You are a careful assistant of a delivery company."}]
    request = {"model": "gpt-4o-mini", "temperature": 0.2, "messages": messages}
    each = (size - 64 * turns - 160) // turns
    for turn in range(turns):
        text = prose(rng, each)
        if turn < len(values):
            middle = text.index(" ", len(text) // 2)
            text = f"{text[:middle]} please use {values[turn]} for it{text[middle:]}"
        messages.append({"role": "assistant" if turn % 2 else "user", "content": text})
    missing = size - len(json.dumps(request).encode())
    messages[-1]["content"] += prose(rng, missing) if missing > 0 else ""
    messages[-1]["content"] = messages[-1]["content"][: missing or None] if missing < 0 else messages[-1]["content"]
    return json.dumps(request).encode()


def records(rng, size):
    """Chat records, one a line, `size` bytes in all."""
    lines, left = [], size
    while left > 0:
        length = min(left, 1024) if left >= 1536 or left <= 1024 else left // 2
        frame = len(json.dumps({"messages": [{"role": "user", "content": ""}]})) + 1
        text = prose(rng, max(1, length - frame)).replace("\n", " ")
        lines.append(json.dumps({"messages": [{"role": "user", "content": text}]}) + "\n")
        left -= len(lines[-1])
    return "".join(lines).encode()


def completion(rng):
    """A chat completion's answer of about 1 KiB."""
    message = {"role": "assistant", "content": prose(rng, 700).replace("\n", " ").replace("'", " "), "refusal": None}
    return json.dumps(
        {
            "id": "chatcmpl-bench000000000000000000",
            "object": "chat.completion",
            "created": 1760000000,
            "model": "gpt-4o-mini",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1800, "completion_tokens": 160, "total_tokens": 1960},
        }
    )
