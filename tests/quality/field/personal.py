"""Personal data: class, maker, and texts it stands in. Numbers that prove themselves stand alone too; the others have their word."""

from . import numbers as n
from .values import BASE58, BECH32, DIGITS, HEX, UPPER

GIVEN = "Amelia Bilal Chen Dana Elif Farah Goran Hana Idris Jonas Kavya Liam Mei Nadia Omar Priya Rosa Samir Tariq Viktor Wei Yusuf Zainab José Renée Søren Łukasz Siobhán".split()
FAMILY = "Abdullah Becker Costa Díaz Evans Fischer García Hassan Ivanov Jensen Khan López Müller Nguyen Okafor Patel Rossi Singh Tan Weber Yilmaz Zhang O'Connor McDonald Smith-Jones".split()
DOMAINS = "acme-freight.net northwind.io kestrel-health.org oakline.co.uk werke-nord.de harbour.sg saffron.in utara.com.my gmail.com outlook.com yahoo.co.jp proton.me".split()
STREETS = ["Evergreen Terrace", "Oak Street", "Mill Lane", "King's Road", "Maple Avenue", "Elm St", "Station Rd", "Sunset Blvd", "Park Drive", "St. John's Court", "N Michigan Ave", "Church Way"]

# A word and its value, as forms, records and people write it: `{w}` the word, `{v}` the value.
BESIDE = [
    ("assignment", "{n} = \"{v}\""), ("assignment", "{n}={v}"), ("json", '{"{n}": "{v}", "x": 1}'), ("json", '{\\"{n}\\": \\"{v}\\"}'), ("yaml", "person:\n  {n}: {v}\n"), ("yaml", "{n}: '{v}'\n"),
    ("log", "2026-11-22T10:00:00Z INFO update {n}={v} ok"), ("prose", "The {w} is {v}."), ("prose", "{W}: {v}"), ("prose", "Hello, my {w} is {v}, thanks"), ("csv", "field,value\n{n},{v}\n"),
    ("markdown", "| {W} | {v} |\n"), ("markdown", "**{W}:** {v}"), ("xml", "<{n}>{v}</{n}>"), ("code", "user.{n} = '{v}';"), ("prose", "{W} ({v})"), ("prose", "{U} {v}"), ("url", "https://acme.net/f?{n}={v}&a=1"),
]
# What proves itself.
FREE = [
    ("alone", "{v}"), ("prose", "It was {v}, I think."), ("prose", "Please check ({v}) again"), ("prose", "I sent \"{v}\" yesterday."), ("prose", "use {v}!"), ("json", '{"x": "{v}"}'), ("log", "2026-11-22T10:00:00Z WARN got {v} from client"),
    ("csv", "7,{v},ok\n"), ("yaml", "- {v}\n"), ("markdown", "`{v}`"), ("html", "<td>{v}</td>"), ("prose", "<{v}>"), ("assignment", "x='{v}'"), ("prose", "Seen: {v}; next"),
]


def name(v):
    return f"{v.one(*GIVEN)} {v.one(*FAMILY)}"


def phone(v):
    d = v.digits
    return v.one(
        f"+1 ({v.one('212', '415', '617')}) 555-{d(4)}", f"+1-{v.one('206', '312')}-555-{d(4)}", f"+1 415 555 {d(4)}", f"+1.415.555.{d(4)}", f"+44 20 7946 {d(4)}", f"+44 7{d(3)} {d(6)}", f"+44 (0)20 7946 {d(4)}", f"+49 151 2{d(7)}",
        f"+4930{d(7)}", f"+60 12-{d(3)} {d(4)}", f"+9665{d(8)}", f"+91 9{d(4)} {d(5)}", f"+91-9{d(9)}", f"+65 9{d(3)} {d(4)}", f"+61 4{d(2)} {d(3)} {d(3)}", f"+33 6 {d(2)} {d(2)} {d(2)} {d(2)}", f"+81 90-{d(4)}-{d(4)}", f"+86 138 {d(4)} {d(4)}",
        f"+55 11 9{d(4)}-{d(4)}", f"+971 50 {d(3)} {d(4)}", f"0049 151 2{d(7)}", f"+33\u00a06\u00a0{d(2)}\u00a0{d(2)}\u00a0{d(2)}\u00a0{d(2)}", f"+1\u2011415\u2011555\u2011{d(4)}", f"+49\u202f151\u202f2{d(7)}", f"+44 20 7946\u2013{d(4)}", f"(415) 555-{d(4)}", f"415-555-{d(4)}",
    )


def phone_home(v):
    d = v.digits
    return v.one(f"020 7946 {d(4)}", f"07{d(3)} {d(6)}", f"012-{d(3)} {d(4)}", f"0151 2{d(7)}", f"089/{d(7)}", f"(212) 555-{d(4)}", f"06 12 {d(2)} {d(2)} {d(2)}", f"0812-{d(4)}-{d(4)}", f"090-{d(4)}-{d(4)}", f"98{d(8)}", f"(11) 9{d(4)}-{d(4)}", f"415 555 {d(4)}", f"4155550{d(3)}")


def date(v):
    year, month, day = v.r.randint(1945, 2012), v.r.randint(1, 12), v.r.randint(1, 28)
    names = "January February March April May June July August September October November December".split()
    return v.one(f"{year}-{month:02}-{day:02}", f"{day:02}/{month:02}/{year}", f"{month}/{day}/{year}", f"{day}.{month}.{year}", f"{day} {names[month - 1]} {year}", f"{names[month - 1]} {day}, {year}", f"{day}-{names[month - 1][:3]}-{year}", f"{names[month - 1][:3]} {day} {year}", f"{year}/{month:02}/{day:02}", f"{day}th of {names[month - 1]} {year}")


def address(v):
    number, street = v.r.randint(1, 2400), v.one(*STREETS)
    return v.one(f"{number} {street}", f"{number} {street}, Apt {v.r.randint(1, 40)}", f"{number}B {street}", f"{number} {street}, Springfield, IL {v.digits(5)}", f"{number} {street}, London SW{v.r.randint(1, 9)}A {v.r.randint(1, 9)}AA", f"Flat {v.r.randint(1, 9)}, {number} {street}")


def address_abroad(v):
    k = v.r.randint(1, 180)
    return v.one(f"Hauptstraße {k}, 10115 Berlin", f"Lindenweg {k}, 80331 München", f"{k} rue de Rivoli, 75001 Paris", f"Calle de Alcalá {k}, 28014 Madrid", f"Via Roma {k}, 00184 Roma", f"Jalan Ampang {k}, 50450 Kuala Lumpur", f"Keizersgracht {k}, 1015 CN Amsterdam", f"Rua Augusta {k}, São Paulo", f"ul. Marszałkowska {k}, 00-590 Warszawa", f"No. {k}, Jalan SS 2/24, 47300 Petaling Jaya", f"Blk {k} Ang Mo Kio Avenue 3 #08-12, Singapore 560123", f"Bahnhofstr. {k}, 8001 Zürich")


def numbered(v):
    """Class: (maker, words, does it prove itself)."""
    d, s, r = v.digits, v.some, v.r
    return {
        "CREDIT_CARD": (lambda: n.card(v), ["card_number", "credit_card", "cc_number"], True),
        "CREDIT_CARD_SHORT": (lambda: n.luhn("36" + d(11)), ["card_number", "diners_card"], False),
        "IBAN_CODE": (lambda: n.iban(v), ["iban"], True),
        "US_SSN": (lambda: n.ssn(v), ["ssn", "social_security_number"], True),
        "US_SSN_BARE": (lambda: v.one("", " ").join((str(r.randint(100, 665)), str(r.randint(10, 99)), str(r.randint(1000, 9999)))), ["ssn", "social_security_number"], False),
        "UK_NINO_LOWER": (lambda: n.nino(v).lower().replace(" ", ""), ["ni_number", "national_insurance_number"], False),
        "UK_NINO": (lambda: n.nino(v), ["ni_number", "national_insurance_number"], True),
        "UK_NHS": (lambda: n.nhs(v), ["nhs_number"], False),
        "AU_TFN": (lambda: n.tfn(v), ["tax_file_number", "tfn"], False),
        "AU_ABN": (lambda: n.abn(v), ["abn"], False),
        "AU_MEDICARE": (lambda: n.medicare(v), ["medicare_number"], False),
        "IN_AADHAAR": (lambda: (t := n.verhoeff(v.one(*"23456789") + d(10))) and v.one(f"{t[:4]} {t[4:8]} {t[8:]}", f"{t[:4]}-{t[4:8]}-{t[8:]}"), ["aadhaar_number"], True),
        "IN_PAN": (lambda: s(UPPER, 3) + "P" + s(UPPER, 1) + d(4) + s(UPPER, 1), ["pan_number", "pan_card"], True),
        "SG_NRIC_FIN": (lambda: n.sg_nric(v), ["nric"], True),
        "MY_NRIC": (lambda: f"{r.randint(50, 99)}{r.randint(1, 12):02}{r.randint(1, 28):02}-{v.one('01', '08', '10', '14')}-{d(4)}", ["mykad_no", "ic_number"], True),
        "SA_NATIONAL_ID": (lambda: n.luhn(v.one("1", "2") + d(8)), ["iqama_number", "national_id"], False),
        "AE_EMIRATES_ID": (lambda: (t := n.luhn(f"784{r.randint(1950, 2005)}{d(7)}")) and f"{t[:3]}-{t[3:7]}-{t[7:14]}-{t[14]}", ["emirates_id"], True),
        "CA_SIN": (lambda: (t := n.luhn(v.one(*"1234567") + d(7))) and v.one(t, f"{t[:3]} {t[3:6]} {t[6:]}", f"{t[:3]}-{t[3:6]}-{t[6:]}"), ["sin", "social_insurance_number"], False),
        "BR_CPF": (lambda: n.cpf(v), ["cpf"], False), "BR_CNPJ": (lambda: n.cnpj(v), ["cnpj"], True),
        "AR_CUIT": (lambda: n.cuit(v), ["cuit"], False), "CL_RUT": (lambda: n.rut(v), ["rut"], False),
        "DE_TAX_ID": (lambda: n.de_tax_id(v), ["steuer_id", "steueridentifikationsnummer"], False),
        "FR_NIR": (lambda: n.nir(v), ["nir", "numero_securite_sociale"], True),
        "ES_NIF": (lambda: n.nif(v), ["dni", "nif"], True), "IT_FISCAL_CODE": (lambda: n.codice_fiscale(v), ["codice_fiscale"], True),
        "NL_BSN": (lambda: n.bsn(v), ["bsn"], False), "BE_NRN": (lambda: n.be_nrn(v), ["rijksregisternummer", "national_number"], True),
        "PL_PESEL": (lambda: n.pesel(v), ["pesel"], False), "SE_PERSONNUMMER": (lambda: n.personnummer(v), ["personnummer"], True),
        "FI_HETU": (lambda: n.hetu(v), ["henkilotunnus", "hetu"], True), "TR_NATIONAL_ID": (lambda: n.tr_id(v), ["tc_kimlik_no"], False),
        "CN_RIC": (lambda: n.cn_ric(v), ["id_card", "resident_identity_card"], True), "KR_RRN": (lambda: n.kr_rrn(v), ["rrn"], True),
        "TW_NATIONAL_ID": (lambda: n.tw_id(v), ["national_id"], False), "TH_TNIN": (lambda: n.th_id(v), ["thai_id", "national_id"], False),
        "ZA_ID_NUMBER": (lambda: n.za_id(v), ["id_number", "south_african_id"], False),
        "US_ITIN": (lambda: f"9{d(2)}-{v.one('70', '75', '82', '90', '94')}-{d(4)}", ["itin"], True),
        "US_EIN": (lambda: f"{v.one('12', '20', '45', '82')}-{d(7)}", ["ein", "employer_identification_number"], False),
        "US_PASSPORT": (lambda: v.one(d(9), s("ACX", 1) + d(8)), ["passport_number", "passport_no"], False),
        "US_DRIVER_LICENSE": (lambda: v.one(s(UPPER, 1) + d(7), s(UPPER, 1) + d(12), d(9)), ["driver_license", "drivers_license_number"], False),
        "US_BANK_NUMBER": (lambda: d(r.randint(9, 12)), ["bank_account_number", "account_number"], False),
        "ABA_ROUTING_NUMBER": (lambda: n.aba(v), ["routing_number", "aba_routing"], False),
        "SWIFT_CODE": (lambda: v.one("DEUT", "CHAS", "BNPA", "HSBC") + v.one("DE", "US", "FR", "GB") + v.one("FF", "33", "PP", "22") + v.one("", "XXX", "500"), ["swift_code", "bic"], False),
        "CVV": (lambda: d(3), ["cvv", "card_verification_code"], False),
        "IMEI": (lambda: n.luhn("35" + d(12)), ["imei"], False), "VIN": (lambda: n.vin(v), ["vin", "chassis_number"], False),
        "MRZ": (lambda: n.mrz(v), [], True), "MEDICAL_RECORD_NUMBER": (lambda: v.one(d(8), f"{d(4)}-{d(3)}", "MRN-" + d(7)), ["medical_record_number", "patient_id"], False),
        "CRYPTO": (lambda: n.bitcoin(v), ["wallet_address"], True), "CRYPTO_ETHEREUM": (lambda: "0x" + s(HEX, 40), ["wallet_address", "eth_address"], False),
        "CRYPTO_SOLANA": (lambda: n.solana(v), ["solana_wallet"], False),
        "IP_ADDRESS": (lambda: f"{v.one(23, 45, 52, 81, 104, 185, 203)}.{r.randint(20, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}", ["client_ip", "ip_address"], True),
        "IP_ADDRESS_V6": (lambda: v.one(":".join(f"{r.randint(0x1000, 0xffff):x}" for _ in range(8)), f"2a02:26f0:{s(HEX[1:], 4)}::{s(HEX[1:], 4)}", f"2001:4860:{s(HEX[1:], 3)}:{s(HEX[1:], 2)}::{s(HEX[1:], 4)}"), ["client_ip", "remote_addr"], True),
        "MAC_ADDRESS": (lambda: v.one(":", "-").join(f"{r.randint(0, 255):02x}" for _ in range(6)), ["mac_address"], True),
        "EMAIL_ADDRESS": (lambda: email(v), ["email", "e_mail", "contact"], True),
        "PHONE_NUMBER": (lambda: phone(v), ["phone", "mobile_number", "tel"], True), "PHONE_NATIONAL": (lambda: phone_home(v), ["phone", "phone_number", "mobile"], False),
        "DATE_OF_BIRTH": (lambda: date(v), ["date_of_birth", "dob", "birth_date", "birthday"], False), "AGE": (lambda: str(r.randint(18, 90)), ["age"], False),
        "LOCATION_COORDINATES": (lambda: f"{r.uniform(-80, 80) or 1:.6f}, {r.uniform(-170, 170):.6f}", ["coordinates", "location"], True),
        "LICENSE_PLATE": (lambda: v.one(f"W{s('ABCDEFGHJK', 2)} {d(4)}", f"B-{s('ABCDEFGHJK', 2)} {d(4)}", f"{s('ABCDEFGH', 2)}{r.randint(10, 74)} {s('ABCDEFGHJK', 3)}", f"{r.randint(1, 9)}{s('ABCDEFGH', 3)}{d(3)}"), ["license_plate", "plate_number", "vehicle_registration"], False),
        "PERSON": (lambda: name(v), ["full_name", "customer_name", "patient_name", "cardholder_name", "name_of_applicant"], False), "PERSON_PART": (lambda: v.one(v.one(*GIVEN), v.one(*FAMILY)), ["first_name", "last_name", "surname"], False),
        "STREET_ADDRESS": (lambda: address(v), ["home_address", "shipping_address", "street_address", "billing_address"], False), "STREET_ADDRESS_ABROAD": (lambda: address_abroad(v), ["home_address", "address"], False),
        "UK_POSTCODE": (lambda: f"{v.one('SW1A', 'EC1A', 'M1', 'LS2', 'CB2')} {d(1)}{s('ABDEFGHJLNPQ', 2)}", ["postcode"], False), "US_ZIP_CODE": (lambda: v.one(d(5), f"{d(5)}-{d(4)}"), ["zip_code"], False),
    }


def email(v):
    given, family = (text.lower().encode("ascii", "ignore").decode().replace("'", "") or "x" for text in name(v).split(" ", 1))
    return v.one(f"{given}.{family}", f"{given}{v.digits(2)}", f"{given[0]}{family}", f"{given}_{family}", f"{given}+news", f"{given.upper()}.{family.upper()}") + "@" + v.one(*DOMAINS)


def spoken(v):
    """What only the sentence shows: (class, context, template, value)."""
    full, other = name(v), name(v)
    plain = f"{v.one('Amelia', 'Omar', 'Catherine', 'Vincent', 'Theo', 'Félix', 'Maria', 'Ahmad', 'Nadia', 'Priya')} {v.one(*FAMILY)}"
    ills = v.one("type 2 diabetes", "epilepsy", "breast cancer", "bipolar disorder", "HIV", "multiple sclerosis", "asthma", "major depressive disorder", "schizophrenia", "hepatitis C", "Crohn's disease", "PTSD")
    return [
        ("PERSON", "prose", "Hi, my name is {v} and I need help.", full), ("PERSON", "prose", "Dear Mr. {v},\nthank you", full), ("PERSON", "prose", "Dear {v},\nthank you for your order.", full), ("PERSON", "prose", "Best regards,\n{v}\n", full),
        ("PERSON", "prose", "Patient: {v}", full), ("PERSON", "prose", "I spoke with Dr. {v} today", v.one(*FAMILY)), ("PERSON", "prose", "Kind regards,\n\n{v}\nHead of Sales", full), ("PERSON", "prose", "Name: {v}\nAge: 41", full),
        ("PERSON", "prose", "Herr {v} hat angerufen.", v.one(*FAMILY)), ("PERSON", "prose", "Je m'appelle {v}.", full), ("PERSON", "prose", "Me llamo {v} y vivo en Madrid", full), ("PERSON", "prose", "Thanks,\n{v}", full), ("PERSON", "log", "2026-11-22 INFO user {v2} full_name=\"{v}\" logged in", other),
        ("PERSON", "prose", "I am {v}, the new tenant.", full), ("PERSON", "prose", "This is {v} from accounting.", full), ("PERSON", "prose", "Emergency contact: {v}", full), ("PERSON", "prose", "Attn: {v}", full), ("PERSON", "prose", "Mrs {v} will call you back.", v.one(*FAMILY)),
        ("PERSON", "prose", "From: {v} <x@acme.net>", full), ("PERSON", "prose", "Signed by {v} on Monday", full), ("PERSON", "prose", "Employee name: {v}", full), ("PERSON", "prose", "Nama: {v}", full), ("PERSON", "prose", "Mein Name ist {v}.", full),
        ("PERSON", "prose", "Customer {v} called about the invoice.", plain), ("PERSON", "prose", "my wife {v} and I", plain), ("PERSON", "prose", "My colleague {v} said so", plain), ("PERSON", "prose", "contact {v} at reception", plain), ("PERSON", "prose", "employee {v} (id 7741)", plain),
        ("PERSON", "prose", "Hi {v},\n\nthanks for the parcel", v.one(*GIVEN)), ("PERSON", "prose", "Hello {v}, your parcel is here", v.one(*GIVEN)), ("PERSON", "prose", "My name's {v}", full), ("PERSON", "prose", "Beneficiary: {v}", full), ("PERSON", "prose", "Signed: {v}", full), ("PERSON", "prose", "Recipient: {v}", full),
        ("PERSON", "json", '{"id": 7, "name": "{v}"}', plain), ("PERSON", "assignment", "name={v}", plain), ("PERSON", "prose", "Dr {v} prescribed it", v.one(*FAMILY)), ("PERSON", "prose", "Prof {v} wrote", v.one(*FAMILY)), ("PERSON", "prose", "passenger name {v}", full), ("PERSON", "prose", "Full Name - {v}", full),
        ("STREET_ADDRESS", "prose", "send it to {v}", address(v)), ("STREET_ADDRESS", "prose", "addr: {v}", address(v)), ("PHONE_NUMBER", "prose", "Ph: {v}", phone_home(v)), ("PHONE_NUMBER", "prose", "call me on {v}", phone_home(v)), ("PHONE_NUMBER", "prose", "WhatsApp me: {v}", phone(v)),
        ("STREET_ADDRESS", "prose", "I live at {v}, please come by.", address(v)), ("STREET_ADDRESS", "prose", "Ship it to {v}.", address(v)), ("STREET_ADDRESS", "prose", "We moved to {v} last year", address(v)), ("STREET_ADDRESS", "prose", "My address is {v}", address(v)), ("STREET_ADDRESS", "prose", "Address: {v}", address_abroad(v)),
        ("STREET_ADDRESS", "prose", "Ich wohne in der {v}.", f"Hauptstraße {v.r.randint(1, 99)}"), ("STREET_ADDRESS", "prose", "J'habite au {v}", f"{v.r.randint(1, 99)} rue de Rivoli, 75001 Paris"), ("STREET_ADDRESS", "prose", "Deliver to: {v}", address(v)), ("STREET_ADDRESS", "prose", "Alamat: {v}", f"Jalan Ampang {v.r.randint(1, 99)}, 50450 Kuala Lumpur"),
        ("DATE_OF_BIRTH", "prose", "I was born on {v} in Leeds.", date(v)), ("DATE_OF_BIRTH", "prose", "She was born {v}", date(v)), ("DATE_OF_BIRTH", "prose", "geboren am {v}", f"{v.r.randint(1, 28)}.{v.r.randint(1, 12)}.19{v.r.randint(50, 99)}"), ("DATE_OF_BIRTH", "prose", "D.O.B. {v}", date(v)), ("DATE_OF_BIRTH", "prose", "My birthday is {v}", date(v)),
        ("AGE", "prose", "I am {v} and live alone", f"{v.r.randint(18, 80)} years old"), ("AGE", "prose", "a {v} woman with chest pain", f"{v.r.randint(18, 80)}-year-old"), ("AGE", "prose", "The patient is a {v} male", f"{v.r.randint(18, 80)} year old"),
        ("HEALTH_DATA", "prose", "She was diagnosed with {v} in 2019.", ills), ("HEALTH_DATA", "prose", "I suffer from {v} and take pills", ills), ("HEALTH_DATA", "prose", "Diagnosis: {v}", ills), ("HEALTH_DATA", "json", '{"diagnosis": "{v}", "x": 1}', ills), ("HEALTH_DATA", "prose", "He has a history of {v}.", ills), ("HEALTH_DATA", "yaml", "medical_condition: {v}\n", ills),
        ("HEALTH_DATA", "prose", "The patient is {v}.", v.one("HIV positive", "HIV-positive")), ("HEALTH_DATA", "prose", "I am being treated for {v}", ills), ("HEALTH_DATA", "prose", "blood type: {v}", v.one("A+", "O-", "AB+", "B negative")), ("HEALTH_DATA", "log", "2026-11-22 INFO intake patient=77 diagnosis=\"{v}\" ward=3", ills),
        ("RELIGION", "prose", "Religion: {v}", v.one("Islam", "Hindu", "Roman Catholic", "Jewish", "Buddhist", "Sikh")), ("RELIGION", "json", '{"religion": "{v}"}', v.one("Muslim", "Christian", "Buddhist")), ("RELIGION", "prose", "I am a practising {v} and pray daily", v.one("Muslim", "Catholic", "Jew", "Hindu")), ("RELIGION", "prose", "He converted to {v} last year", v.one("Islam", "Judaism", "Catholicism")), ("RELIGION", "yaml", "religious_affiliation: {v}\n", v.one("Sikh", "Lutheran", "Sunni Muslim")),
        ("ETHNICITY", "prose", "Ethnicity: {v}", v.one("Black African", "Hispanic", "Han Chinese", "South Asian", "Roma")), ("ETHNICITY", "json", '{"ethnicity": "{v}"}', v.one("White British", "African American", "Malay")), ("ETHNICITY", "prose", "She is of {v} origin", v.one("Kurdish", "Turkish", "Nigerian", "Roma")), ("ETHNICITY", "yaml", "ethnic_origin: {v}\n", v.one("Tamil", "Uyghur", "Latino")),
        ("POLITICAL_OPINION", "prose", "Political party: {v}", v.one("Labour", "Green Party", "Republican", "Democrat")), ("POLITICAL_OPINION", "json", '{"political_affiliation": "{v}"}', v.one("Conservative", "Socialist Party")), ("POLITICAL_OPINION", "prose", "He is a member of the {v}", v.one("Communist Party", "Labour Party", "Green Party", "Republican Party")), ("POLITICAL_OPINION", "prose", "I voted for the {v}", v.one("Democrats", "Greens", "Conservatives", "Labour Party")),
        ("SEXUAL_ORIENTATION", "prose", "Sexual orientation: {v}", v.one("gay", "lesbian", "bisexual", "heterosexual")), ("SEXUAL_ORIENTATION", "json", '{"sexual_orientation": "{v}"}', v.one("homosexual", "bisexual")), ("SEXUAL_ORIENTATION", "prose", "He came out as {v} at work", v.one("gay", "bisexual", "transgender")), ("SEXUAL_ORIENTATION", "prose", "She identifies as {v}.", v.one("lesbian", "bisexual", "non-binary", "queer")),
        ("TRADE_UNION", "prose", "Trade union: {v}", v.one("UNISON", "IG Metall", "Teamsters")), ("TRADE_UNION", "json", '{"union_membership": "{v}"}', v.one("UNISON", "ver.di")), ("TRADE_UNION", "prose", "She is a member of the trade union {v}", v.one("UNISON", "IG Metall", "Unite")),
    ]
