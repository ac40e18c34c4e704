"""Numbers with check digits, made by the schemes' own rules."""

from .values import BASE58, DIGITS, UPPER

import hashlib


def luhn(head):
    total = 0
    for place, digit in enumerate(reversed(head)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 * (value > 9)
    return head + str(-total % 10)


def weighted(text, weights):
    return sum(int(digit) * weight for digit, weight in zip(text, weights))


def until(make):
    while True:
        value = make()
        if value:
            return value


def verhoeff(head):
    """Dihedral group of the pentagon: product of places that are turned by a permutation."""
    product = lambda a, b: (a + b) % 5 + 5 * (b > 4) if a < 5 and b < 5 else ((a + b - 5) % 5 + 5 if a < 5 else ((a - b) % 5 + 5 if b < 5 else (a - b) % 5))
    turn = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    total = 0
    for place, digit in enumerate(reversed("".join(head)), 1):
        number = int(digit)
        for _ in range(place % 8):
            number = turn[number]
        total = product(total, number)
    return head + str(next(d for d in range(10) if product(total, d) == 0))


def iban(v):
    shapes = {"DE": "18d", "GB": "4A14d", "FR": "23d", "NL": "4A10d", "ES": "20d", "SA": "20d", "AE": "19d", "CH": "17d", "AT": "16d", "BE": "12d", "PL": "24d", "PT": "21d", "SE": "20d", "NO": "11d", "DK": "14d", "IE": "4A14d", "TR": "22d"}
    country = v.one(*shapes)
    body, count = "", ""
    for letter in shapes[country]:
        if letter.isdigit():
            count += letter
        else:
            body, count = body + v.some(UPPER if letter == "A" else DIGITS, int(count)), ""
    number = int("".join(str(int(letter, 36)) for letter in body + country + "00"))
    code = f"{country}{98 - number % 97:02}{body}"
    grouped = lambda gap: gap.join(code[at : at + 4] for at in range(0, len(code), 4))
    return v.one(code, code, grouped(" "), grouped(" "), grouped("\u00a0"), grouped("-"), code.lower(), grouped(" ").lower(), grouped("\u202f"))


def card(v):
    head, length = v.one(("4", 16), ("52", 16), ("2223", 16), ("37", 15), ("6011", 16), ("3528", 16), ("62", 16), ("4", 16), ("55", 16))
    number = luhn(head + v.digits(length - len(head) - 1))
    joint = v.one("", "", " ", "-", " ", "\u00a0", "\u202f", ".", "\u2011", "  ")
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5)}[length]
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    text = joint.join(parts)
    return text.translate({ord(d): ord(d) - 48 + 0xFF10 for d in DIGITS}) if v.r.random() < 0.04 else text


def ssn(v):
    area = until(lambda: (n := v.r.randint(1, 899)) != 666 and n)
    return v.one("-", "-", "-", "\u2011", "\u2013").join((f"{area:03}", f"{v.r.randint(1, 99):02}", f"{v.r.randint(1, 9999):04}"))


def nhs(v):
    def make():
        head = v.digits(9)
        check = 11 - weighted(head, range(10, 1, -1)) % 11
        return check != 10 and head + str(check % 11)
    number = until(make)
    return v.one(f"{number[:3]} {number[3:6]} {number[6:]}", number, f"{number[:3]}-{number[3:6]}-{number[6:]}")


def tfn(v):
    number = until(lambda: (t := v.one(*"123456789") + v.digits(8)) and weighted(t, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 and t)
    return v.one(f"{number[:3]} {number[3:6]} {number[6:]}", number)


def abn(v):
    def make():
        text = v.one(*"123456789") + v.digits(10)
        return (weighted(text, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0 and text
    number = until(make)
    return f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"


def medicare(v):
    head = v.one(*"23456") + v.digits(7)
    number = head + str(weighted(head, (1, 3, 7, 9, 1, 3, 7, 9)) % 10) + v.one(*"123456789")
    return f"{number[:4]} {number[4:9]} {number[9]}"


def sg_nric(v):
    prefix, text = v.one(*"STFG"), v.digits(7)
    total = weighted(text, (2, 7, 6, 5, 4, 3, 2)) + (4 if prefix in "TG" else 0)
    return prefix + text + ("JZIHGFEDCBA" if prefix in "ST" else "XWUTRQPNMLK")[total % 11]


def cpf(v):
    text = v.digits(9)
    for length in (10, 11):
        text += str(weighted(text, range(length, 1, -1)) * 10 % 11 % 10)
    return v.one(f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}", text)


def cnpj(v):
    text = v.digits(8) + "0001"
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = weighted(text, weights) % 11
        text += str(0 if rest < 2 else 11 - rest)
    return f"{text[:2]}.{text[2:5]}.{text[5:8]}/{text[8:12]}-{text[12:]}"


def pesel(v):
    text = f"{v.r.randint(50, 99)}{v.r.randint(1, 12):02}{v.r.randint(1, 28):02}{v.digits(4)}"
    return text + str(-weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10)


def nif(v):
    letters = "TRWAGMYFPDXBNJZSQVHLCKE"
    number = v.digits(8)
    foreign = v.one(*"XYZ") + v.digits(7)
    return v.one(number + letters[int(number) % 23], number + "-" + letters[int(number) % 23], foreign + letters[int(str("XYZ".index(foreign[0])) + foreign[1:]) % 23])


def codice_fiscale(v):
    consonants = "BCDFGLMNPRSTV"
    text = v.some(consonants, 6) + f"{v.r.randint(40, 99)}" + v.one(*"ABCDEHLMPRST") + f"{v.r.randint(1, 28):02}" + v.one(*"AFHL") + v.digits(3)
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)))
    total = sum(odd[c] if at % 2 == 0 else int(c, 36) - (0 if c.isdigit() else 10) for at, c in enumerate(text))
    return text + UPPER[total % 26]


def nir(v):
    text = f"{v.one('1', '2')}{v.r.randint(40, 99)}{v.r.randint(1, 12):02}{v.r.randint(1, 95):02}{v.r.randint(1, 900):03}{v.r.randint(1, 900):03}"
    key = f"{97 - int(text) % 97:02}"
    return v.one(text + key, f"{text[0]} {text[1:3]} {text[3:5]} {text[5:7]} {text[7:10]} {text[10:]} {key}")


def bsn(v):
    return until(lambda: (t := v.one(*"12345678") + v.digits(8)) and weighted(t, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and t)


def be_nrn(v):
    text = f"{v.r.randint(40, 99)}{v.r.randint(1, 12):02}{v.r.randint(1, 28):02}{v.r.randint(1, 997):03}"
    check = f"{97 - int(text) % 97:02}"
    return f"{text[:2]}.{text[2:4]}.{text[4:6]}-{text[6:]}.{check}"


def personnummer(v):
    day = f"{v.r.randint(1, 12):02}{v.r.randint(1, 28):02}"
    year = v.r.randint(40, 99)
    tail = luhn(f"{year}{day}{v.digits(3)}")
    return v.one("", "19") + tail[:6] + "-" + tail[6:]


def hetu(v):
    day = f"{v.r.randint(1, 28):02}{v.r.randint(1, 12):02}{v.r.randint(40, 99)}"
    serial = f"{v.r.randint(2, 899):03}"
    return f"{day}-{serial}{'0123456789ABCDEFHJKLMNPRSTUVWXY'[int(day + serial) % 31]}"


def tr_id(v):
    text = v.one(*"123456789") + v.digits(8)
    odd, even = sum(int(c) for c in text[::2]), sum(int(c) for c in text[1::2])
    text += str((odd * 7 - even) % 10)
    return text + str(sum(int(c) for c in text) % 10)


def cn_ric(v):
    text = f"{v.one('110101', '310115', '440305', '330106')}{v.r.randint(1960, 2005)}{v.r.randint(1, 12):02}{v.r.randint(1, 28):02}{v.digits(3)}"
    return text + "10X98765432"[weighted(text, [2 ** (17 - at) % 11 for at in range(17)]) % 11]


def kr_rrn(v):
    text = f"{v.r.randint(50, 99)}{v.r.randint(1, 12):02}{v.r.randint(1, 28):02}{v.one('1', '2')}{v.digits(5)}"
    check = (11 - weighted(text, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return f"{text[:6]}-{text[6:]}{check}"


def tw_id(v):
    letter, text = v.one(*"ABCDEFGH"), v.one("1", "2") + v.digits(7)
    number = int(letter, 36)
    total = number // 10 + number % 10 * 9 + weighted(text, (8, 7, 6, 5, 4, 3, 2, 1))
    return letter + text + str(-total % 10)


def th_id(v):
    text = v.one(*"12345678") + v.digits(11)
    text += str((11 - weighted(text, range(13, 1, -1)) % 11) % 10)
    return v.one(text, f"{text[0]}-{text[1:5]}-{text[5:10]}-{text[10:12]}-{text[12]}")


def za_id(v):
    return luhn(f"{v.r.randint(50, 99)}{v.r.randint(1, 12):02}{v.r.randint(1, 28):02}{v.digits(4)}08")


def de_tax_id(v):
    """Ten digits of which one stands twice, and an ISO 7064 check digit."""
    digits = v.r.sample(DIGITS[1:], 9)
    digits.insert(v.r.randint(1, 9), digits[v.r.randint(0, 8)])
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    text = "".join(digits) + str((11 - product) % 10)
    return v.one(text, f"{text[:2]} {text[2:5]} {text[5:8]} {text[8:]}")


def cuit(v):
    text = until(lambda: (t := v.one("20", "23", "27", "30") + v.digits(8)) and weighted(t, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11 != 1 and t)
    check = (11 - weighted(text, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11
    return f"{text[:2]}-{text[2:]}-{check}"


def rut(v):
    number = str(v.r.randint(5_000_000, 25_999_999))
    total = sum(int(c) * (2 + at % 6) for at, c in enumerate(reversed(number)))
    check = "0123456789K0"[11 - total % 11] if total % 11 else "0"
    return f"{int(number):,}".replace(",", ".") + "-" + check


def nino(v):
    text = until(lambda: (t := v.one(*"ABCEHJKLMPRSTWXYZ") + v.one(*"ABCEHJKLMPRSTWXYZ")) not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ") and t) + v.digits(6) + v.one(*"ABCD")
    spaced = f"{text[:2]} {text[2:4]} {text[4:6]} {text[6:8]} {text[8]}"
    return v.one(text, text, spaced)


def bitcoin(v):
    payload = bytes([v.one(0, 5)]) + v.r.randbytes(20)
    payload += hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, text = int.from_bytes(payload, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return "1" * (len(payload) - len(payload.lstrip(b"\0"))) + text


def solana(v):
    """The base-58 form of 32 bytes."""
    number, text = int.from_bytes(bytes([v.r.randint(8, 255)]) + v.r.randbytes(31), "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return text


def vin(v):
    values = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9, *range(10))))
    text = v.one("1HG", "WVW", "JTD", "5YJ") + v.some("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 5) + "0" + v.some("ABCDEFGHJKLMNPRSTVWXYZ", 2) + v.digits(6)
    total = sum(values[c] * w for c, w in zip(text, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)))
    return text[:8] + "0123456789X"[total % 11] + text[9:]


def mrz(v):
    value = lambda text: str(sum((0 if c == "<" else int(c, 36)) * (7, 3, 1)[at % 3] for at, c in enumerate(text)) % 10)
    first = ("P<" + v.one("GBR", "USA", "DNK", "IND") + v.one("ERIKSSON<<ANNA<MARIA", "PATEL<<PRIYA", "OKAFOR<<CHIDI<JOHN")).ljust(44, "<")
    number, born, until_, rest = v.some("0123456789ABCDEFGHJK", 9), f"{v.r.randint(50, 99)}0{v.r.randint(1, 9)}1{v.r.randint(0, 9)}", f"{v.r.randint(27, 35)}0{v.r.randint(1, 9)}1{v.r.randint(0, 9)}", "<" * 14
    second = number + value(number) + first[2:5] + born + value(born) + v.one("F", "M") + until_ + value(until_) + rest + "0"
    return first + "\n" + second + value(second[:10] + second[13:20] + second[21:43])


def aba(v):
    return until(lambda: (t := v.one("01", "02", "03", "11", "12", "26", "31") + v.digits(7)) and weighted(t, (3, 7, 1) * 3) % 10 == 0 and t)
