#!/usr/bin/env python3
"""Chat records with planted secrets and personal data, and where they stand.

    gen_jsonl.py --out FILE [--mb 2] [--seed 1] [--every 1500]

Writes FILE, one JSON record a line, and FILE.labels, one JSON object a planted value:
    {"line": n, "pointer": "/messages/0/content", "start": b, "end": b, "raw": [b, b], "type": "..."}
`start` and `end` are byte offsets in the decoded string at `pointer`, `raw` those in FILE as it is, escapes and all. Types in capitals are personal data, the others
secrets. Every value is made here, with a right check digit where the scheme has one. What stands around them (words,
code, hashes, ids, images, versions, placeholders) is unlabelled: a finding there is a false one.
"""

import argparse
import base64
import binascii
import hashlib
import json
import random
import string

DIGITS = string.digits
LOWER = string.ascii_lowercase
UPPER = string.ascii_uppercase
B62 = DIGITS + UPPER + LOWER
B36 = DIGITS + LOWER
B64 = B62 + "+/"
URL64 = B62 + "-_"
HEX = "0123456789abcdef"
B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

WORDS = (
    "about after again all also and any are as at back be because before between both build but by call can change class "
    "client code come could data day did do does each error even every file find first for from function get give go good "
    "had has have he her here him his how if image in input into is it job just know last like line list load look made "
    "make many may me model month more most much must my name need new next no not now number object of off on one only "
    "open or order other our out over page people place point prompt query read request response result return right run "
    "same say see server service set she should show so some state step such system take test text than that the their "
    "them then there these they thing this time to token train tree two type under up update us use user value version "
    "very want was way we week well were what when where which who why will with work would write year you your"
).split()
GIVEN = "Aisyah Ben Chiara Daniel Eva Farid Grace Hugo Ines Joon Kaya Lena Marco Nina Omar Petra Ravi Sofia Tomas Wei".split()
FAMILY = "Ahmad Bauer Cohen Dubois Eriksson Ferrari Gupta Hoffmann Ito Jansen Kowalski Lim Moreau Novak Okoye Park Rahman Silva Tanaka Yilmaz".split()
HOSTS = "db.internal 10.4.7.21 cache.acme-freight.net pg-0.prod.svc orders.x8k2.mongodb.net mq.northwind.io".split()
DOMAINS = "acme-freight.net northwind.io kestrel-health.org oakline.co.uk werke-nord.de harbour.sg saffron.in utara.com.my".split()


class Maker:
    """Values and texts of one seed."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def some(self, alphabet, count):
        return "".join(self.r.choice(alphabet) for _ in range(count))

    def digits(self, count):
        return self.some(DIGITS, count)

    def bytes64(self, count):
        return base64.b64encode(self.r.randbytes(count)).decode()

    # check digits

    @staticmethod
    def luhn(head):
        total = 0
        for place, digit in enumerate(reversed(head)):
            value = int(digit) * (2 if place % 2 == 0 else 1)
            total += value - 9 * (value > 9)
        return head + str(-total % 10)

    @staticmethod
    def crc62(prefix, body):
        number, tail = binascii.crc32(body.encode()), ""
        while number:
            number, rest = divmod(number, 62)
            tail = B62[rest] + tail
        return prefix + body + tail.rjust(6, "0")

    def until(self, make, holds):
        while True:
            value = make()
            if holds(value):
                return value

    # secrets

    def password(self):
        word = self.r.choice("Harbour copper Falcon winter Delta mango Quartz river".split())
        return self.r.choice(
            [
                self.some(B62 + "!@#%^&*_-", self.r.randint(10, 20)) + self.digits(1),
                word + self.r.choice(["2024", "2025", "99"]) + self.r.choice("!@#$"),
                self.some(B62, self.r.randint(10, 16)) + self.digits(1) + "x",
                word.lower() + self.digits(4) + self.r.choice("!#"),
            ]
        )

    def key(self):
        return self.r.choice(
            [lambda: self.some(B62, 32), lambda: self.some(HEX, 40), lambda: self.some(B62, 48), lambda: self.bytes64(32), lambda: self.some(B36, 32)]
        )()

    def jwt(self):
        part = lambda value: base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()
        head = part({"alg": self.r.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"})
        body = part({"sub": self.digits(9), "iat": 1_760_000_000 + self.r.randint(0, 10**7), "scope": "read write"})
        return f"{head}.{body}.{self.some(URL64, 43)}"

    def pem(self):
        label = self.r.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
        body = "\n".join(self.some(B64, 64) for _ in range(self.r.choice([3, 12, 25])))
        return f"-----BEGIN {label}-----\n{body}\n{self.some(B64, 30)}==\n-----END {label}-----"

    def service_account(self):
        members = {
            "type": "service_account",
            "project_id": "prod-" + self.some(LOWER, 6),
            "private_key_id": self.some(HEX, 40),
            "private_key": "-----BEGIN PRIVATE KEY-----\n" + "\n".join(self.some(B64, 64) for _ in range(25)) + "\n-----END PRIVATE KEY-----\n",
            "client_email": "svc@prod.iam.gserviceaccount.com",
        }
        return json.dumps(members, indent=self.r.choice([None, 2]))

    def uri(self):
        scheme = self.r.choice(["postgres", "postgresql+asyncpg", "mysql", "mongodb+srv", "redis", "amqp", "mssql+pyodbc", "clickhouse"])
        user = self.r.choice(["app", "svc_orders", "root", "reader"])
        return f"{scheme}://{user}:{self.some(B62 + '-_.!', self.r.randint(9, 18))}x@{self.r.choice(HOSTS)}/{self.r.choice(['orders', 'prod', 'app?ssl=true'])}"

    def web_uri(self):
        return f"{self.r.choice(['https', 'http', 'ftp'])}://{self.r.choice(['ci', 'deploy', 'bot'])}:{self.some(B62, 14)}@{self.r.choice(DOMAINS)}/{self.some(LOWER, 5)}"

    # personal data

    def card(self):
        head, length = self.r.choice([("4", 16), ("52", 16), ("2223", 16), ("37", 15), ("6011", 16)])
        number = self.luhn(head + self.digits(length - len(head) - 1))
        joint = self.r.choice(["", " ", "-"]) if length == 16 else ""
        return joint.join(number[at : at + 4] for at in range(0, 16, 4)) if joint else number

    def iban(self):
        country, shape = self.r.choice([("DE", "18"), ("GB", "A4 14"), ("NL", "A4 10"), ("FR", "23"), ("SA", "20"), ("ES", "20")])
        body = "".join(self.some(UPPER, int(part[1:])) if part[0] == "A" else self.digits(int(part)) for part in shape.split())
        number = int("".join(str(int(letter, 36)) for letter in body + country + "00"))
        code = f"{country}{98 - number % 97:02}{body}"
        return " ".join(code[at : at + 4] for at in range(0, len(code), 4)) if self.r.random() < 0.5 else code

    def phone(self):
        return self.r.choice(
            [
                f"+1 ({self.r.choice([212, 415, 617])}) 555-{self.digits(4)}",
                f"+44 20 7946 {self.digits(4)}",
                f"+49 151 2{self.digits(7)}",
                f"+60 12-{self.digits(3)} {self.digits(4)}",
                f"+9665{self.digits(8)}",
                f"+91 9{self.digits(4)} {self.digits(5)}",
                f"+65 9{self.digits(3)} {self.digits(4)}",
            ]
        )

    def national_phone(self):
        return self.r.choice(
            [f"020 7946 {self.digits(4)}", f"012-{self.digits(3)} {self.digits(4)}", f"0151 2{self.digits(7)}", f"(212) 555-{self.digits(4)}", f"06 12 {self.digits(2)} {self.digits(2)} {self.digits(2)}"]
        )

    def date(self):
        year, month, day = self.r.randint(1950, 2006), self.r.randint(1, 12), self.r.randint(1, 28)
        names = "January February March April May June July August September October November December".split()
        return self.r.choice([f"{year}-{month:02}-{day:02}", f"{day:02}/{month:02}/{year}", f"{day}.{month}.{year}", f"{day} {names[month - 1]} {year}", f"{names[month - 1]} {day}, {year}"])

    def nhs(self):
        weigh = lambda text: 11 - sum(int(d) * (10 - at) for at, d in enumerate(text)) % 11
        head = self.until(lambda: self.digits(9), lambda text: weigh(text) != 10)
        number = head + str(weigh(head) % 11)
        return f"{number[:3]} {number[3:6]} {number[6:]}"

    def bitcoin(self):
        payload = b"\0" + self.r.randbytes(20)
        payload += hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
        number, text = int.from_bytes(payload, "big"), ""
        while number:
            number, rest = divmod(number, 58)
            text = B58[rest] + text
        return "1" * (len(payload) - len(payload.lstrip(b"\0"))) + text

    def nric(self):
        head = self.digits(7)
        total = sum(int(d) * w for d, w in zip(head, (2, 7, 6, 5, 4, 3, 2)))
        return "S" + head + "JZIHGFEDCBA"[total % 11]

    def tfn(self):
        holds = lambda text: sum(int(d) * w for d, w in zip(text, (1, 4, 3, 7, 5, 8, 6, 9, 10))) % 11 == 0
        number = self.until(lambda: self.r.choice("123456789") + self.digits(8), holds)
        return f"{number[:3]} {number[3:6]} {number[6:]}"

    def ssn(self):
        return f"{self.r.choice([101, 219, 345, 536, 777]):03}-{self.r.randint(1, 99):02}-{self.r.randint(1, 9999):04}"

    # what is around

    def sentence(self):
        words = [self.r.choice(WORDS) for _ in range(self.r.randint(5, 18))]
        words[0] = words[0].capitalize()
        return " ".join(words) + self.r.choice([".", ".", ".", "?", "!"])

    def name(self):
        return "_".join(self.r.sample(WORDS, self.r.randint(1, 3)))

    def code(self):
        lines = []
        for _ in range(self.r.randint(3, 12)):
            lines.append(
                self.r.choice(
                    [
                        f"def {self.name()}({self.name()}, {self.name()}=None):",
                        f"    {self.name()} = {self.name()}.{self.name()}({self.name()})",
                        f'    if {self.name()}["{self.name()}"] != {self.r.randint(0, 9999)}:',
                        f'    token = os.environ["{self.name().upper()}_TOKEN"]',
                        f"    # {self.sentence()}",
                        f'    return {{"id": "{self.uuid()}", "sha": "{self.some(HEX, 40)}"}}',
                        f"    password = getpass.getpass()",
                        f"    key = {self.name()}[{self.r.randint(0, 9)}]",
                    ]
                )
            )
        return "```python\n" + "\n".join(lines) + "\n```"

    def uuid(self):
        text = self.some(HEX, 32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def distractor(self):
        return self.r.choice(
            [
                lambda: f"commit {self.some(HEX, 40)}",
                lambda: f"request id {self.uuid()}",
                lambda: f"sha256:{self.some(HEX, 64)}",
                lambda: f'"integrity": "sha512-{self.bytes64(64)}"',
                lambda: f"![img](data:image/png;base64,iVBORw0KGgo{self.some(B64, 400)}=)",
                lambda: f"order {self.digits(10)} of 2026-{self.r.randint(1, 12):02}-{self.r.randint(1, 28):02}T10:22:{self.digits(1)}0Z",
                lambda: f"version {self.r.randint(1, 20)}.{self.r.randint(0, 30)}.{self.r.randint(0, 99)} build {self.digits(6)}",
                lambda: self.r.choice(["API_KEY=<YOUR_API_KEY>", "password: ${DB_PASSWORD}", 'token: "{{ vault_token }}"', "SECRET_KEY=changeme", "Authorization: Bearer $TOKEN", "postgres://user:password@localhost/db"]),
                lambda: f"tracking 1Z{self.some(DIGITS + UPPER, 16)}",
                lambda: f"ISBN 978-{self.digits(1)}-{self.digits(4)}-{self.digits(4)}-{self.digits(1)}",
                lambda: f"epoch {self.digits(13)}",
                lambda: f"etag \"{self.some(HEX, 32)}\"",
                lambda: f'name = "{self.name()}"\nversion = "1.0.{self.digits(2)}"\nchecksum = "{self.some(HEX, 64)}"',
                lambda: f"max_tokens: {self.r.randint(16, 8192)}, prompt_tokens: {self.r.randint(1, 4000)}",
                lambda: f"color #{self.some(HEX, 6)} at 0x{self.some(HEX, 8)}",
            ]
        )()


def kinds(m):
    """Type: weight, maker, templates with one `{}`."""
    keyed = ["{n}={}", '{n}="{}"', "{n}: {}", '"{n}": "{}"', "export {n}={}", "--{f} {}", "curl -H 'X-{n}: {}' https://api.acme-freight.net", "my {w} is {}", '{{"name": "call", "arguments": "{{\\"{n}\\": \\"{}\\"}}"}}', "| {w} | {} |"]

    def named(*names):
        out = []
        for name in names:
            for template in keyed:
                flag, words = name.lower().replace("_", "-"), name.lower().replace("_", " ")
                out.append(template.replace("{n}", name).replace("{f}", flag).replace("{w}", words).replace("{{", "{").replace("}}", "}"))
        return out

    plain = ["I pasted {} by mistake.", "x = '{}'", '{"v": "{}"}', "value: {}", "2026-11-22T10:00:00Z WARN got {} from client", "`{}`", "({})"]
    s = m.some
    return {
        "openai-api-key": (5, lambda: "sk-" + "proj-" + s(URL64, 74) + "T3Blbk" + "FJ" + s(URL64, 74), plain + named("OPENAI_API_KEY")),
        "anthropic-api-key": (5, lambda: "sk-" + "ant-" + "api03-" + s(URL64, 93) + "AA", plain + named("ANTHROPIC_API_KEY")),
        "huggingface-access-token": (4, lambda: "hf" + "_" + s(UPPER + LOWER, 34), plain + named("HF_TOKEN")),
        "groq-api-key": (2, lambda: "gsk" + "_" + s(B62, 52), plain),
        "xai-api-key": (1, lambda: "xai" + "-" + s(B62, 80), plain),
        "openrouter-api-key": (2, lambda: "sk-" + "or-v1-" + s(HEX, 64), plain),
        "perplexity-api-key": (1, lambda: "pplx" + "-" + s(B62, 48), plain),
        "replicate-api-token": (1, lambda: "r8" + "_" + s(B62, 37), plain),
        "deepseek-api-key": (2, lambda: "sk" + "-" + s(HEX, 32), plain),
        "gcp-api-key": (3, lambda: "AI" + "za" + s(URL64, 35), plain + ["https://maps.googleapis.com/maps/api/js?key={}&v=3"]),
        "aws-access-token": (4, lambda: "AK" + "IA" + s(UPPER + "234567", 16), plain + named("aws_access_key_id")),
        "aws-secret-access-key": (4, lambda: s(B64, 40), named("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "secretAccessKey")[:6]),
        "azure-storage-account-key": (2, lambda: s(B64, 86) + "==", ["DefaultEndpointsProtocol=https;AccountName=logs;AccountKey={};EndpointSuffix=core.windows.net"]),
        "github-pat": (5, lambda: m.crc62("gh" + "p_", s(B62, 30)), plain + ["git clone https://{}@github.com/acme/infra.git"]),
        "github-fine-grained-pat": (2, lambda: "github" + "_pat_" + s(B62, 22) + "_" + s(B62, 59), plain),
        "gitlab-pat": (3, lambda: "gl" + "pat-" + s(URL64, 20), plain + ['curl --header "PRIVATE-TOKEN: {}" https://git.acme-freight.net/api/v4/projects']),
        "npm-access-token": (2, lambda: m.crc62("np" + "m_", s(B62, 30)), plain + ["//registry.acme-freight.net/:_authToken={}"]),
        "pypi-upload-token": (1, lambda: "py" + "pi-AgEIcHlwaS5vcmc" + s(URL64, 150), plain),
        "slack-bot-token": (3, lambda: "xo" + f"xb-{m.digits(12)}-{m.digits(13)}-{s(B62, 24)}", plain),
        "slack-webhook-url": (1, lambda: "https://hooks." + f"slack.com/services/T{s(UPPER, 8)}/B{s(UPPER, 10)}/{s(B62, 24)}", plain),
        "stripe-access-token": (3, lambda: m.r.choice(["sk_" + "live_", "rk_" + "live_", "sk_" + "test_"]) + s(B62, 24), plain),
        "sendgrid-api-token": (2, lambda: "S" + "G." + s(URL64, 22) + "." + s(URL64, 43), plain),
        "twilio-api-key": (1, lambda: "S" + "K" + s(HEX, 32), plain),
        "digitalocean-pat": (1, lambda: "do" + "p_v1_" + s(HEX, 64), plain),
        "telegram-bot-api-token": (1, lambda: m.digits(10) + ":A" + "A" + s(URL64, 33), plain + ["https://api.telegram.org/bot{}/getMe"]),
        "jwt": (5, m.jwt, plain + ["Authorization: Bearer {}", 'curl -H "Authorization: Bearer {}" https://api.acme-freight.net/v1/me']),
        "private-key": (4, m.pem, ["My key:\n{}\nWhat is wrong?", "{}", "key: |\n{}\n"]),
        "gcp-service-account": (2, m.service_account, ["```json\n{}\n```", "creds.json is {}"]),
        "db-connection-uri": (6, m.uri, ["DATABASE_URL={}", 'engine = create_engine("{}")', "url: {}", "connect to {} please"]),
        "basic-auth-url": (3, m.web_uri, ["pip install --index-url {} pkg", "wget {}", 'remote = "{}"']),
        "generic-password": (9, m.password, named("DB_PASSWORD", "password", "smtpPassword")[:27] + ["the admin password is {}", "Passwort: {}", "contraseña: {}", "kata laluan: {}", "密码：{}", '{"user": "svc", "password": "{}"}', "Server=db;User Id=app;Password={};Encrypt=true", "  - name: DB_PASSWORD\n    value: {}", "<password>{}</password>"]),
        "generic-api-key": (9, m.key, named("API_KEY", "client_secret", "auth_token", "signingSecret")[:36] + ["X-Api-Key: {}", "https://api.acme-freight.net/v1/x?api_key={}&page=2", "<apiKey>{}</apiKey>", 'headers = {"x-api-key": "{}"}', "  - name: API_TOKEN\n    value: {}"]),
        "EMAIL_ADDRESS": (12, lambda: f"{m.r.choice(GIVEN).lower()}.{m.r.choice(FAMILY).lower()}@{m.r.choice(DOMAINS)}", ["write to {}.", "From: {}", '{"email": "{}"}', "<{}>", "user={} logged in", "cc {}, thanks"]),
        "PHONE_NUMBER": (9, m.phone, ["call {} please", "tel: {}", '"phone": "{}"', "{}", "WhatsApp {}", "my number is {}"]),
        "PHONE_NUMBER_NATIONAL": (4, m.national_phone, ["my phone number is {}", "tel: {}", '"phoneNumber": "{}"', "mobile {}", "Call {} after six"]),
        "CREDIT_CARD": (5, m.card, ["charge {} please", '"card_number": "{}"', "card {}, exp 09/29", "{}"]),
        "IBAN_CODE": (4, m.iban, ["IBAN {}", "iban={}", "transfer to {} today"]),
        "US_SSN": (4, m.ssn, ["SSN: {}", "my social security number is {}", '"ssn": "{}"']),
        "UK_NHS": (2, m.nhs, ["NHS number: {}", '"nhsNumber": "{}"']),
        "AU_TFN": (2, m.tfn, ["tax file number {}", "TFN: {}"]),
        "MY_NRIC": (2, lambda: f"{m.r.randint(60, 99)}{m.r.randint(1, 12):02}{m.r.randint(1, 28):02}-{m.r.choice([1, 8, 10, 14]):02}-{m.digits(4)}", ["MyKad {}", "No. KP: {}", "{}"]),
        "SG_NRIC_FIN": (2, m.nric, ["NRIC {}", '"nric": "{}"']),
        "SA_NATIONAL_ID": (2, lambda: m.luhn(m.r.choice("12") + m.digits(8)), ["Iqama number {}", "national id: {}"]),
        "IP_ADDRESS": (7, lambda: f"{m.r.choice([23, 45, 52, 81, 104, 185])}.{m.r.randint(20, 255)}.{m.r.randint(0, 255)}.{m.r.randint(1, 254)}", ["client_ip={}", "ssh root@{}", '{} - - [12/Mar/2026:10:22:31 +0000] "GET / HTTP/1.1" 200 512', "from {} port 22"]),
        "MAC_ADDRESS": (2, lambda: ":".join(f"{m.r.randint(0, 255):02x}" for _ in range(6)), ["eth0 HWaddr {}", "mac={}"]),
        "CRYPTO": (2, m.bitcoin, ["send it to {}", "wallet: {}"]),
        "DATE_OF_BIRTH": (4, m.date, ["date of birth: {}", "DOB {}", '"birthDate": "{}"', "born on {}", "tarikh lahir: {}"]),
        "PERSON": (3, lambda: f"{m.r.choice(GIVEN)} {m.r.choice(FAMILY)}", ["my name is {}, hello", "Dear Mr. {}, thanks", '"full_name": "{}"']),
    }


def content(m, table, every, due):
    """A text and its labels."""
    text, labels = "", []
    size = m.r.choice([500, 1500, 4000])
    while len(text) < size:
        if due[0] >= every:
            due[0] -= every
            kind = m.r.choices(list(table), [row[0] for row in table.values()])[0]
            value, template = table[kind][1](), m.r.choice(table[kind][2])
            head, tail = template.split("{}", 1) if template.count("{}") == 1 else template.rsplit("{}", 1)
            text += head
            start = len(text.encode())
            text += value
            labels.append((start, len(text.encode()), kind))
            more = tail + m.r.choice(["\n", " ", "\n\n"])
        else:
            more = m.r.choices([m.sentence() + " ", "\n" + m.code() + "\n", m.distractor() + "\n"], [12, 1, 1.5])[0]
        text += more
        due[0] += len(more)
    return text, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--mb", type=float, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1500, help="bytes for one planted value")
    args = parser.parse_args()
    m = Maker(args.seed)
    table, due, size, line = kinds(m), [0], 0, 0  # `size` in bytes: where the next record begins
    with open(args.out, "w", encoding="utf-8") as records, open(args.out + ".labels", "w", encoding="utf-8") as labels:
        while size < args.mb * 1e6:
            messages, planted = [], []
            ascii = m.r.random() < 0.5
            for index in range(m.r.choice([1, 2, 4])):
                text, marks = content(m, table, args.every, due)
                messages.append({"role": "assistant" if index % 2 else "user", "content": text})
                planted += [(index, start, end, kind) for start, end, kind in marks]
            record = json.dumps({"id": m.uuid(), "messages": messages}, ensure_ascii=ascii)
            at, places = 0, []
            for message in messages:
                at = record.index('"content": ', at) + 12
                places.append(size + len(record[:at].encode()))
                at += len(json.dumps(message["content"], ensure_ascii=ascii)) - 1
            for index, start, end, kind in planted:
                text = messages[index]["content"].encode()
                raw = [places[index] + len(json.dumps(text[:place].decode(), ensure_ascii=ascii).encode()) - 2 for place in (start, end)]
                labels.write(json.dumps({"line": line, "pointer": f"/messages/{index}/content", "start": start, "end": end, "raw": raw, "type": kind}) + "\n")
            records.write(record + "\n")
            size += len(record.encode()) + 1
            line += 1


if __name__ == "__main__":
    main()
