"""Random values of one seed, and the alphabets that providers name in their formats."""

import base64
import binascii
import json
import random
import string

DIGITS = string.digits
LOWER = string.ascii_lowercase
UPPER = string.ascii_uppercase
ALNUM = DIGITS + UPPER + LOWER
LOWNUM = DIGITS + LOWER
UPNUM = DIGITS + UPPER
BASE64 = ALNUM + "+/"
URL64 = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE32 = UPPER + "234567"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Values:
    """Draws from one seed."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, alphabet, low, high=None):
        count = low if high is None else self.r.randint(low, high)
        return "".join(self.r.choice(alphabet) for _ in range(count))

    def one(self, *choices):
        return self.r.choice(choices)

    def digits(self, count):
        return self.some(DIGITS, count)

    def hex(self, count):
        return self.some(HEX, count)

    def alnum(self, low, high=None):
        """Letters of both cases and digits, as a generator of tokens gives them: not without a digit."""
        while True:
            text = self.some(ALNUM, low, high)
            if any(c.isdigit() for c in text) or len(text) < 8:
                return text

    def url64(self, low, high=None):
        """Base64url that ends in a letter or digit, so that where it ends is no question."""
        text = self.some(URL64, low, high)
        return self.some(ALNUM, 1) + text[1:-1] + self.some(ALNUM, 1)

    def bytes64(self, count):
        return base64.b64encode(self.r.randbytes(count)).decode()

    def bytes64url(self, count):
        return base64.urlsafe_b64encode(self.r.randbytes(count)).decode().rstrip("=")

    def uuid(self):
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{self.one(*'89ab')}{text[17:20]}-{text[20:]}"

    def json64(self, members):
        text = json.dumps(members, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    def jwt(self, **more):
        head = {"alg": self.one("HS256", "RS256", "ES256", "EdDSA"), "typ": "JWT"}
        if self.r.random() < 0.4:
            head["kid"] = self.hex(16)
        body = {"sub": self.digits(9), "iat": 1_760_000_000 + self.r.randint(0, 10**7), **more}
        return f"{self.json64(head)}.{self.json64(body)}.{self.url64(self.one(43, 86, 342))}"

    def pem(self, label=None, lines=None):
        label = label or self.one("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "DSA PRIVATE KEY")
        body = "\n".join(self.some(BASE64, 64) for _ in range(lines or self.one(3, 12, 25)))
        return f"-----BEGIN {label}-----\n{body}\n{self.some(BASE64, 34)}==\n-----END {label}-----"

    def crc62(self, prefix, body):
        """As GitHub and npm do; here mostly wrong on purpose, as made-up tokens are."""
        number, tail = binascii.crc32(body.encode()), ""
        while number:
            number, rest = divmod(number, 62)
            tail = ALNUM[rest] + tail
        return prefix + body + (tail.rjust(6, "0") if self.r.random() < 0.1 else self.some(ALNUM, 6))

    def password(self):
        """As people and managers of passwords make them: always with something that is no letter."""
        word = self.one("Harbour", "copper", "Falcon", "winter", "Delta", "mango", "Quartz", "river", "Zebra", "Sunset", "monkey", "Liverpool")
        other = self.one("Tiger", "lamp", "Cloud", "stone", "Violet", "kettle", "Orbit", "paper")
        symbols = "!@#$%^&*_-+=?~"
        return self.one(
            lambda: self.some(ALNUM + symbols, 10, 22) + self.digits(1) + self.one(*"!@#$%&*?"),
            lambda: word + str(self.r.randint(1950, 2026)) + self.one("!", "@", "#", "$", "!!", "?"),
            lambda: self.alnum(10, 16) + "7x",
            lambda: word.lower() + self.digits(4) + self.one("!", "#", ""),
            lambda: f"{word}-{other.lower()}-{self.digits(2)}",
            lambda: word.replace("a", "@").replace("o", "0").replace("i", "1") + self.digits(3) + self.one("!", "$"),
            lambda: f"{word}{self.one('_', '.', '#', '&')}{other}{self.digits(2)}",
            lambda: self.some(ALNUM, 4) + self.one(*"!@#$%^&*") + self.some(ALNUM, 4) + self.one(*"!@#$%^&*") + self.digits(2),
        )()
