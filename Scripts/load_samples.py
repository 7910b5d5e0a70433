"""What Scripts/generate-load resamples: the samples of this repository taken apart, and the chance that draws from them."""
import base64
import datetime
import importlib.util
import json
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPECIFICATION = importlib.util.spec_from_file_location("samples", ROOT / "Samples/generate.py")
SAMPLES = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(SAMPLES)

# Exams lie in the three years before the samples were made.
FIRST_DAY, DAYS = datetime.date(2023, 11, 1), 1096
# People are born in these; with two sexes and 499 serial numbers for each that bounds how many patients there are.
FIRST_BIRTH, BIRTH_DAYS = datetime.date(1930, 1, 1), 33_000
PATIENTS_MAX = BIRTH_DAYS * 499
# A permutation of the days of birth, so that neighbours in number are not neighbours in age; prime, so coprime to it.
BIRTH_STRIDE = 12_289

FAMILY = [("王", "Wang"), ("李", "Li"), ("张", "Zhang"), ("刘", "Liu"), ("陈", "Chen"), ("杨", "Yang"), ("赵", "Zhao"),
          ("黄", "Huang"), ("周", "Zhou"), ("吴", "Wu"), ("欧阳", "Ouyang"), ("诸葛", "Zhuge")]
GIVEN = [("安", "an"), ("宁", "ning"), ("思", "si"), ("远", "yuan"), ("子", "zi"), ("涵", "han"), ("建", "jian"),
         ("国", "guo"), ("秀", "xiu"), ("兰", "lan"), ("文", "wen"), ("嘉", "jia"), ("明", "ming"), ("华", "hua")]
ENGLISH_FAMILY = ["Alderfinch", "Brackenby", "Copperlow", "Dunmarrow", "Elmswick", "Fennimoor", "Greywater", "Hollowell"]
ENGLISH_GIVEN = ["Ada", "Basil", "Cora", "Dorian", "Edith", "Felix", "Greta", "Hugo", "Iris", "Jonas"]
SENTENCES = ["标本外观正常,无溶血及脂血。", "结果已复核。", "请结合临床,必要时复查。", "The specimen was received in good order. ",
             "与前次结果比较无明显变化。", "Results were checked by a second person. ", "建议三个月后随访复查。",
             "The values agree with the previous report. ", "空腹采血,采血前已静坐十分钟。", "本报告仅对送检标本负责。",
             "Haemolysis, icterus and lipaemia indices are within limits. ", "室内质控在控。"]
SENTENCE_BYTES = {sentence: len(sentence.encode()) for sentence in SENTENCES}

# Marks in parsed samples: a number with its digits, and a place that is filled for each exam.
NUMBER, END, SLOT, CLOSE = "\ue000", "\ue001", "\ue002", "\ue003"


def slot(name, number=False):
    return NUMBER + SLOT + name + CLOSE + END if number else SLOT + name + CLOSE


def template(value):
    """A sample as a format string; digits of numbers stand as in the sample."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = text.replace("%", "%%").replace('"' + NUMBER, "").replace(END + '"', "")
    return text.replace(SLOT, "%(").replace(CLOSE, ")s")


def parsed(text):
    return json.loads(text, parse_float=lambda digits: NUMBER + digits + END)


class Analyte:
    """What is measured, with its usual range and as many decimals as the sample shows."""

    def __init__(self, code, name, unit, low, high):
        self.code, self.name, self.unit, self.low, self.high = code, name, unit, low, high
        self.places = max(len(limit.partition(".")[2]) for limit in (low, high))
        self.bottom, self.width = float(low), float(high) - float(low)

    def draw(self, chance):
        """A value and its flag: about a quarter lies outside of the range, as in Samples/."""
        text = f"{max(0.0, self.bottom + self.width * (1.4 * chance() - 0.15)):.{self.places}f}"
        value = float(text)
        return text, "L" if value < self.bottom else "H" if value > float(self.high) else "N"


class Samples:
    """The samples, taken apart into what is resampled."""

    def __init__(self):
        blood = parsed((ROOT / "Samples/hospital-a/blood-count.json").read_text("utf-8"))
        entries = [entry["resource"] for entry in blood["entry"]]
        self.patient = next(entry for entry in entries if entry["resourceType"] == "Patient")
        self.imaging = parsed((ROOT / "Samples/hospital-a/chest-ct.json").read_text("utf-8"))["entry"][1]["resource"]
        bulk = ROOT / "Samples/hospital-a/bulk"
        for name in ("DiagnosticReport", "Observation"):
            entries += [parsed(line) for line in (bulk / f"{name}.ndjson").read_text("utf-8").splitlines()]
        self.observation = next(entry for entry in entries if entry["resourceType"] == "Observation")
        self.reports = {}
        self.analytes = {}
        names = {}
        for entry in entries:
            coding = entry.get("code", {}).get("coding", [{}])[0]
            if entry["resourceType"] == "DiagnosticReport":
                self.reports.setdefault(coding["code"], entry)
            elif entry["resourceType"] == "Observation":
                names[entry["id"]] = coding["code"]
                limits = [str(entry["referenceRange"][0][side]["value"]).strip(NUMBER + END) for side in ("low", "high")]
                unit = entry["valueQuantity"]["code"]
                self.analytes.setdefault(coding["code"], Analyte(coding["code"], coding["display"], unit, *limits))
        self.panels = {code: [names[result["reference"].partition("/")[2]] for result in report["result"]]
                       for code, report in self.reports.items()}
        lines = [parsed(line) for line in (ROOT / "Tests/Vectors/fhir/lines.ndjson").read_text("utf-8").splitlines()]
        self.words = sorted({line["valueString"] for line in lines if "valueString" in line})
        text = (ROOT / "Tests/Vectors/hl7v2/orders.hl7").read_text("utf-8").replace("\r\n", "\r").replace("\n", "\r")
        self.segments, self.result = {}, ""
        for segment in text.split("\r"):
            self.segments.setdefault(segment[:3], segment)
            field = segment.split("|")
            # A number with both limits is one more thing that can be measured.
            if field[0] == "OBX" and field[2] == "NM" and len(field) > 7 and field[7].count("-") == 1:
                self.result = max(self.result, segment, key=len)
                code, name = field[3].split("^")[:2]
                self.analytes.setdefault(code, Analyte(code, name, field[6].split("^")[0], *field[7].split("-")))
        self.header = (ROOT / "Tests/Vectors/csv/orders.csv").read_text("gb18030").splitlines()[0].split(",")


class Draw:
    """One stream of chance, and what every format draws from it."""

    def __init__(self, samples, options, seed):
        # Only these two are used: their values are the same in every version of Python.
        generator = random.Random(seed)
        self.chance, self.bits = generator.random, generator.getrandbits
        self.samples, self.options = samples, options
        self.days = [(FIRST_DAY + datetime.timedelta(days=day)).isoformat() for day in range(DAYS)]
        self.panels = sorted(samples.panels)
        self.pool = sorted(samples.analytes)

    def below(self, bound):
        return int(self.chance() * bound)

    def bytes(self, count):
        return self.bits(count * 8).to_bytes(count, "little")

    def person(self):
        # Squared: a few people come often, most come rarely.
        number = int(self.options.patients * self.chance() ** 2)
        mix = (number * 0x9E3779B97F4A7C15 + self.options.seed * 0xBF58476D1CE4E5B9) >> 7 & 0xFFFFFFFFFFFF
        female = mix & 1
        birth = (FIRST_BIRTH + datetime.timedelta(days=number * BIRTH_STRIDE % BIRTH_DAYS)).isoformat()
        serial = number // BIRTH_DAYS * 2 + (2 if female else 1)
        identity = SAMPLES.identity_number(birth, serial)
        if mix >> 1 & 7:
            family, first, second = FAMILY[(mix >> 4) % 12], GIVEN[(mix >> 12) % 14], GIVEN[(mix >> 20) % 14]
            name, given, family = family[0] + first[0] + second[0], (first[1] + second[1]).title(), family[1]
        else:
            family, given = ENGLISH_FAMILY[(mix >> 4) % 8], ENGLISH_GIVEN[(mix >> 12) % 10]
            name = f"{given} {family}"
        return {"person": f"p{number}", "identity": identity, "mrn": f"A{number:08d}", "name": name, "family": family,
                "given": given, "gender": "female" if female else "male", "birth": birth}

    def exam(self, number):
        """Who, when, and under which numbers."""
        exam = self.person()
        day, minute = self.days[self.below(DAYS)], 420 + self.below(600)
        issued = minute + 20 + self.below(220)
        exam["id"] = f"s{self.options.seed}-{number}"
        exam["number"] = number
        exam["time"] = f"{day}T{minute // 60:02d}:{minute % 60:02d}:00+08:00"
        exam["issued"] = f"{day}T{issued // 60:02d}:{issued % 60:02d}:00+08:00"
        return exam

    def size(self):
        return int(self.options.size_bytes * (0.75 + 0.5 * self.chance()))

    def items(self):
        """The code of a panel; what it measures; then everything else, from any point on."""
        panel = self.panels[self.below(len(self.panels))]
        own = self.samples.panels[panel]
        start = self.below(len(self.pool))
        return panel, own + [code for code in self.pool[start:] + self.pool[:start] if code not in own]

    def narrative(self, size):
        """Sentences of about so many bytes, at least one, and how many bytes they have."""
        sentences, length = [], 0
        while not sentences or length < size:
            sentences.append(SENTENCES[self.below(len(SENTENCES))])
            length += SENTENCE_BYTES[sentences[-1]]
        return "".join(sentences), length

    def document(self, size):
        """Base64 of so many bytes that compress no better than a scanned page."""
        return base64.b64encode(self.bytes(max(3, size * 3 // 4))).decode()

    def damaged(self, index):
        """Whether this exam is one of the damaged ones, which are spread evenly."""
        share = round(self.options.corrupt * 100)
        return (index + 1) * share // 10_000 > index * share // 10_000
