"""Training records with planted secrets and personal data, and the list of what was planted.

Every value is assembled at run time and has a valid check digit where its kind has one; nothing
accepts any of them. Values hold no character that JSON escapes, so that they stand in a body as
they stand here.
"""
import binascii
import json
import random
import string

LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase


def base62(number, width):
    text = ""
    while number:
        number, digit = divmod(number, 62)
        text = LETTERS[digit] + text
    return text.rjust(width, "0")


def luhn(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + (place % 2 == 0))
        total += value - 9 * (value > 9)
    return str(-total % 10)


class Planter:
    """Makes values; remembers them all in `secrets` and `personal`."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.secrets, self.personal = [], []

    def some(self, alphabet, length):
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def _openai(self):
        return "".join(["s", "k-", self.some(LETTERS, 20), "T3Blb", "kFJ", self.some(LETTERS, 20)])

    def _openai_project(self):
        return "".join(["s", "k-pr", "oj-", self.some(LETTERS, 74), "T3Blb", "kFJ", self.some(LETTERS, 74)])

    def _anthropic(self):
        return "".join(["s", "k-a", "nt-api03-", self.some(LETTERS + "-_", 92), self.some(LETTERS, 1), "AA"])

    def _huggingface(self):
        return "".join(["h", "f_", self.some(string.ascii_letters, 34)])

    def _google(self):
        return "".join(["AI", "za", self.some(LETTERS, 35)])

    def _aws(self):
        return "".join(["AK", "IA", self.some(string.ascii_uppercase + "234567", 16)])

    def _github(self):
        body = self.some(LETTERS, 30)
        return "".join(["g", "hp_", body, base62(binascii.crc32(body.encode()), 6)])

    def _slack(self):
        return "".join(["xo", "xb-", self.some(string.digits, 12), "-", self.some(string.digits, 12), "-", self.some(LETTERS, 24)])

    def _stripe(self):
        return "".join(["s", "k_li", "ve_", self.some(LETTERS, 32)])

    SECRETS = ("_openai", "_openai_project", "_anthropic", "_huggingface", "_google", "_aws", "_github", "_slack", "_stripe")

    def _email(self):
        return "".join([self.some(string.ascii_lowercase, 7), ".", self.some(string.ascii_lowercase, 5), "@", "mail-",
                        self.some(string.ascii_lowercase, 4), ".com"])

    def _phone(self):
        return "".join(["+", "4930", self.some("123456789", 8)])

    def _card(self):
        digits = "4" + self.some(string.digits, 14)
        return digits + luhn(digits)

    def _iban(self):
        account = self.some(string.digits, 18)
        check = 98 - int(account + "131400") % 97
        return f"DE{check:02}{account}"

    def _ssn(self):
        return f"{self.random.randint(100, 665)}-{self.random.randint(10, 99)}-{self.random.randint(1000, 9999)}"

    PERSONAL = ("_email", "_phone", "_card", "_iban", "_ssn")

    def secret(self, kind=None):
        value = getattr(self, kind or self.random.choice(self.SECRETS))()
        self.secrets.append(value)
        return value

    def person(self, kind=None):
        value = getattr(self, kind or self.random.choice(self.PERSONAL))()
        self.personal.append(value)
        return value


CONTEXT = {"_email": "write to {}", "_phone": "my phone number is {}", "_card": "the card {} is mine",
           "_iban": "my IBAN is {}", "_ssn": "my SSN is {}"}
# Clean lines in spellings that a rewrite would not give back: raw and escaped characters, spaces,
# numbers with exponents, keys out of order, empty values.
CLEAN = (
    '{{"messages":[{{"role":"user","content":"caf\\u00e9 and na\u00efve number {n}"}},{{"role":"assistant","content":"\u2713"}}],"n":{n}}}',
    '{{ "n" : {n} , "messages" : [ {{"content": "a \\"quoted\\" word\\/slash", "role": "user"}}, {{"role":"assistant","content":""}} ] }}',
    '{{"n":{n},"messages":[{{"role":"user","content":"1.0e5 is a number \U0001f600"}},{{"role":"assistant","content":"yes\\ttab","weight":1.0E+2}}]}}',
    '{{"n":{n},"messages":[{{"role":"user","content":"q{n}","name":null}},{{"role":"assistant","content":"a"}}],"x":[[],{{}},-0,1e-7]}}',
)


def records(planter, count, every=5):
    """`count` JSONL lines as bytes, each with its number in "n"; one in `every` holds planted values.

    Gives the lines and the set of the numbers of those with planted values.
    """
    lines, dirty = [], set()
    for number in range(count):
        if number % every != every - 1:
            lines.append(CLEAN[number % len(CLEAN)].format(n=number).encode())
            continue
        dirty.add(number)
        kind = planter.random.choice(Planter.PERSONAL)
        told = CONTEXT[kind].format(planter.person(kind))
        line = {"n": number, "messages": [
            {"role": "user", "content": f"Why does {planter.secret()} not work? By the way, {told}."},
            {"role": "assistant", "content": f"Try {planter.secret()} instead."}]}
        lines.append(json.dumps(line).encode())
    return lines, dirty
