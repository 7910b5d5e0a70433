"""The formats that Scripts/generate-load writes. Each maker gives the pieces of one exam as bytes, damaged or not."""
import json
import struct

from load_samples import SLOT, Analyte, slot, template

# Beyond it a report would be longer than any person writes; the rest of the size is an attached document.
NARRATIVE_BYTES_MAX = 1200
# Half a sentence too long and half a sentence too short are equally likely.
SENTENCE_BYTES_MEAN = 20
# Of a list's reference to one result, and of what a character has more than one byte in its name.
RESULT_BYTES = 65
# Of a report without results and text, and of a study without series.
REPORT_BYTES, STUDY_BYTES = 800, 800
# A smaller attachment is none.
FORM_BYTES_MIN = 512
# So many studies are there among a hospital's reports.
EXAMS_PER_STUDY = 20
SERIES_MAX, INSTANCES_MAX = 3, 4
# More rows or segments than a report has; what remains of the size is text.
ITEMS_MAX = 64


class FHIR:
    """A Bundle on one line: the patient and either a report with its observations or an imaging study."""

    def __init__(self, draw):
        self.draw, samples = draw, draw.samples
        subject = {"reference": f"Patient/{slot('person')}"}
        patient = {**samples.patient, "id": slot("person"), "gender": slot("gender"), "birthDate": slot("birth")}
        systems = [identifier["system"] for identifier in samples.patient["identifier"]]
        patient["identifier"] = [{"system": system, "value": slot(key)} for system, key in zip(systems, ("identity", "mrn"))]
        patient["name"] = [{"text": slot("name"), "family": slot("family"), "given": [slot("given")]}]
        self.patient = self.entry(patient)
        self.reports = {}
        for code, report in samples.reports.items():
            report = {**report, "id": slot("id"), "subject": subject, "effectiveDateTime": slot("time"), "issued": slot("issued"),
                      "conclusion": slot("narrative")}
            report["identifier"] = [{**report["identifier"][0], "value": "R" + slot("id")}]
            # Both end the resource, so that the text of a list and of an attachment can be put in their places.
            report = {key: value for key, value in report.items() if key != "result"} | {"result": [SLOT + "results\ue003"]}
            self.reports[code] = self.entry(report).replace('"%(results)s"', "%(results)s").replace("]}}", "]%(form)s}}")
        self.observations = {code: self.observation(analyte, subject) for code, analyte in samples.analytes.items()}
        words = {**samples.observation, "id": slot("item"), "subject": subject, "effectiveDateTime": slot("time"),
                 "code": {"text": "尿沉渣镜检 Urine sediment"}, "valueString": slot("word")}
        for key in ("valueQuantity", "interpretation", "referenceRange"):
            del words[key]
        self.words = self.entry(words)
        study = {**samples.imaging, "id": slot("id"), "subject": subject, "started": slot("time"), "description": slot("narrative"),
                 "identifier": [{**samples.imaging["identifier"][0], "value": f"urn:oid:2.25.{slot('uid')}"}]}
        self.series = [template({**series, "uid": f"2.25.{slot('series_uid')}", "number": slot("row", number=True)})
                       for series in study.pop("series")]
        study["numberOfSeries"] = slot("count", number=True)
        study["series"] = [slot("series")]
        self.study = self.entry(study).replace('"%(series)s"', "%(series)s")

    def entry(self, resource):
        return template({"fullUrl": f"https://his.example/{resource['resourceType']}/{resource['id']}", "resource": resource})

    def observation(self, analyte: Analyte, subject):
        sample = {**self.draw.samples.observation, "id": slot("item"), "subject": subject, "effectiveDateTime": slot("time")}
        system = sample["code"]["coding"][0]["system"]
        sample["code"] = {"coding": [{"system": system, "code": analyte.code, "display": analyte.name}], "text": analyte.name}
        sample["valueQuantity"] = {**sample["valueQuantity"], "value": slot("value", number=True), "unit": analyte.unit, "code": analyte.unit}
        sample["interpretation"] = [{"coding": [{**sample["interpretation"][0]["coding"][0], "code": slot("flag")}]}]
        sample["referenceRange"] = [{side: {"value": f"\ue000{limit}\ue001", "unit": analyte.unit}
                                     for side, limit in (("low", analyte.low), ("high", analyte.high))}]
        return self.entry(sample)

    def make(self, exam, index):
        draw, size = self.draw, self.draw.size()
        entries = [self.patient % exam]
        if draw.below(EXAMS_PER_STUDY) == 0:
            entries.append(self.imaging(exam, size - len(entries[0]) - STUDY_BYTES))
        else:
            entries += self.laboratory(exam, size - len(entries[0]) - REPORT_BYTES)
        text = '{"resourceType":"Bundle","type":"collection","entry":[' + ",".join(entries) + "]}"
        return (self.damage(text, exam) if draw.damaged(index) else text).encode()

    def laboratory(self, exam, room):
        draw = self.draw
        panel, codes = draw.items()
        items, results = [], []
        for code in codes:
            exam["item"] = f"{exam['id']}-{len(items)}"
            exam["value"], exam["flag"] = draw.samples.analytes[code].draw(draw.chance)
            text = self.observations[code] % exam
            if items and room < len(text) + RESULT_BYTES:
                break
            room -= len(text) + RESULT_BYTES
            items.append(text)
            results.append('{"reference":"Observation/' + exam["item"] + '"}')
        if draw.below(4) == 0:
            exam["item"], exam["word"] = f"{exam['id']}-{len(items)}", draw.samples.words[draw.below(len(draw.samples.words))]
            items.append(self.words % exam)
            results.append('{"reference":"Observation/' + exam["item"] + '"}')
            room -= len(items[-1]) + RESULT_BYTES
        exam["narrative"], length = draw.narrative(min(room - SENTENCE_BYTES_MEAN, NARRATIVE_BYTES_MAX))
        room -= length
        exam["form"] = ""
        if room > FORM_BYTES_MIN:
            exam["form"] = ',"presentedForm":[{"contentType":"application/pdf","data":"' + draw.document(room) + '"}]'
        exam["results"] = ",".join(results)
        return [self.reports[panel] % exam] + items

    def imaging(self, exam, room):
        exam["uid"] = self.draw.options.seed << 64 | exam["number"] << 16
        exam["narrative"], _ = self.draw.narrative(0)
        series = []
        while not series or (room > 0 and len(series) < ITEMS_MAX):
            exam["row"], exam["series_uid"] = len(series) + 1, exam["uid"] + len(series) + 1
            series.append(self.series[len(series) % len(self.series)] % exam)
            room -= len(series[-1])
        exam["count"], exam["series"] = len(series), ",".join(series)
        return self.study % exam

    def damage(self, text, exam):
        """In six ways, each of which makes an importer refuse the whole exam."""
        way = self.draw.below(6)
        if way == 0:  # What a broken interface sends.
            return text[: len(text) * 2 // 3]
        if way == 1:
            return text.replace(exam["time"][:10], "2025-02-30")
        if way == 2:
            return text.replace('{"resourceType":"Bundle",', '{"resourceType":"Bundle","type":"collection",', 1)
        if way == 3:
            return text.replace('"status":"final"', '"status":"done"').replace('"status":"available"', '"status":"done"')
        if way == 4:
            return text.replace('"subject":', '"modifierExtension":[{"url":"urn:example:negated","valueBoolean":true}],"subject":')
        return text.replace(f'"Patient/{exam["person"]}"', '"Patient/nobody"')


def hl7(text):
    """Text between delimiters."""
    return text.replace("\\", "\\E\\").replace("|", "\\F\\").replace("^", "\\S\\").replace("&", "\\T\\").replace("~", "\\R\\")


class HL7v2:
    """A message with one order; every fourth in GB 18030, as old laboratories send it."""

    def __init__(self, draw):
        self.draw, segments = draw, draw.samples.segments
        self.lead = [segments[name].encode() + b"\r" for name in ("FHS", "BHS")]
        # MSH-1 is the separator itself: its fields are numbered one higher than they stand.
        self.head = "\r".join([
            self.fields(segments["MSH"], {6: slot("stamp"), 9: slot("id"), 17: slot("charset")}),
            self.fields(segments["PID"], {
                3: f"{slot('mrn')}^^^HIS^MR~{slot('identity')}^^^^NNCHN",
                5: f"{slot('name')}^^^^^^L^I~{slot('family')}^{slot('given')}^^^^^L^P", 7: slot("birth"), 8: slot("sex")}),
            template(segments["PV1"]),
            self.fields(segments["ORC"], {2: f"P{slot('id')}^HIS", 3: f"F{slot('id')}^LIS"}),
            self.fields(segments["OBR"], {
                2: f"P{slot('id')}^HIS", 3: f"F{slot('id')}^LIS", 4: f"{slot('code')}^{slot('title')}^LN", 7: slot("start"),
                8: slot("start"), 22: slot("stamp"), 25: "F"})])
        self.results = {code: self.fields(draw.samples.result, {
            1: slot("row"), 3: f"{code}^{hl7(analyte.name)}^LN", 5: slot("value"), 6: f"{hl7(analyte.unit)}^^UCUM",
            7: f"{analyte.low}-{analyte.high}", 8: slot("flag"), 11: "F", 14: slot("start")})
            for code, analyte in draw.samples.analytes.items()}
        self.titles = {code: hl7(report["code"]["text"]) for code, report in draw.samples.reports.items()}

    @staticmethod
    def fields(segment, changes):
        field = segment.split("|")
        for number, text in changes.items():
            field[number] = text
        return template("|".join(field))

    def make(self, exam, index):
        draw, room = self.draw, self.draw.size()
        stamp = lambda text: text[:19].replace("-", "").replace(":", "").replace("T", "") + "+0800"
        exam.update(stamp=stamp(exam["issued"]), start=stamp(exam["time"]), sex=exam["gender"][0].upper(),
                    birth=exam["birth"].replace("-", ""))
        panel, codes = draw.items()
        coded = draw.below(4)
        exam.update(code=panel, title=self.titles[panel], charset="UNICODE UTF-8" if coded else "GB 18030-2000")
        lines = [self.head % exam]
        room -= len(lines[0]) + 100
        for row, code in enumerate(codes[:ITEMS_MAX]):
            exam["row"] = row + 1
            exam["value"], exam["flag"] = draw.samples.analytes[code].draw(draw.chance)
            line = self.results[code] % exam
            if row and room < len(line):
                break
            room -= len(line) + 10
            lines.append(line)
        row = 0
        notes = []
        while room > 0:
            row += 1
            text, length = draw.narrative(min(room, NARRATIVE_BYTES_MAX))
            notes.append(f"NTE|{row}|L|{text}")
            room -= length
        text = "\r".join(lines[:1] + notes + lines[1:]) + "\r"
        if draw.damaged(index):
            text = self.damage(text, exam)
        return text.encode("utf-8" if coded else "gb18030")

    def damage(self, text, exam):
        way = self.draw.below(5)
        if way == 0:
            return text.replace("\rOBR|1|", "\rOBR 1 ", 1)
        if way == 1:
            return text.replace(exam["start"], "20250230080000+0800")
        if way == 2:
            return text.replace("^~\\&", "^^\\&", 1)
        if way == 3:
            return text.replace("\rOBX|1|NM|", "\rOBX|1|NM|\x02", 1)
        return text.replace("|UNICODE UTF-8", "|EBCDIC", 1).replace("|GB 18030-2000", "|EBCDIC", 1)


class CSV:
    """A row for each result, in the columns, character set and line ends of the sample."""

    MAPPING = """mapping: entente-csv/1
kind: lab
file: {characterSet: GB18030, delimiter: comma}
utcOffset: "+08:00"
group: [order]
patient:
  identifiers:
    - {column: 住院号, system: "MRN@hospital-a"}
  name: 姓名
  sex: 性别
  birthDate: 出生日期
exam:
  order: {column: 申请单号, system: "urn:example:hospital-a:order"}
  panelName: 检验目的
  specimenType: 标本类型
  collected: 采样时间
  reported: 报告时间
results:
  - code: {column: 项目代码, system: "http://loinc.org"}
    name: 检验项目
    value: 结果
    unit: 单位
    range: 参考范围
    flag: 提示
    status: 报告状态
    comment: 备注
"""

    def __init__(self, draw):
        self.draw = draw
        self.header = (",".join(draw.samples.header) + "\r\n").encode("gb18030")
        self.titles = {code: report["code"]["text"] for code, report in draw.samples.reports.items()}

    def make(self, exam, index):
        draw, room = self.draw, self.draw.size()
        panel, codes = draw.items()
        row = {"住院号": exam["mrn"], "姓名": exam["name"], "性别": "女" if exam["gender"] == "female" else "男",
               "出生日期": exam["birth"], "申请单号": "SQ" + exam["id"], "检验目的": self.titles[panel], "标本类型": "血清",
               "采样时间": exam["time"][:16].replace("T", " "), "报告时间": exam["issued"][:16].replace("T", " "), "报告状态": "F"}
        rows = []
        damaged = draw.damaged(index)
        for code in codes[:ITEMS_MAX]:
            analyte = draw.samples.analytes[code]
            value, flag = analyte.draw(draw.chance)
            row.update({"项目代码": code, "检验项目": analyte.name, "结果": value, "单位": analyte.unit,
                        "参考范围": f"{analyte.low}-{analyte.high}", "提示": flag, "备注": ""})
            # About as many bytes as the row without its note.
            if rows and room < 150:
                break
            rows.append(dict(row))
            room -= 150
        while room > 0:
            for one in rows:
                text, length = draw.narrative(0)
                one["备注"] += text
                room -= length
        lines = [self.line(one) for one in rows]
        if damaged:
            lines[draw.below(len(lines))] = self.damage(dict(rows[0]))
        return "".join(lines).encode("gb18030")

    def line(self, row):
        return ",".join(['"' + cell.replace('"', '""') + '"' if "," in cell or '"' in cell else cell
                         for cell in [row.get(column, "") for column in self.draw.samples.header]]) + "\r\n"

    def damage(self, row):
        way = self.draw.below(4)
        if way == 0:
            return self.line({**row, "采样时间": "2025-02-30 08:00"})
        if way == 1:
            return self.line({**row, "结果": ""})
        if way == 2:
            return self.line({**row, "性别": "?"})
        return self.line(row)[:-2] + ",,\r\n"


class DICOM:
    """A study of computed tomography: several series of small images, explicit VR little endian."""

    CLASS, SYNTAX = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1"
    # With a length of four bytes after two of zero (PS3.5 section 7.1.2).
    LONG = (b"OB", b"OW", b"SQ", b"UN", b"UT")

    def __init__(self, draw):
        self.draw = draw
        self.series = [series["description"] for series in draw.samples.imaging["series"]]
        self.title = draw.samples.imaging["description"]

    @classmethod
    def element(cls, group, number, kind, value):
        kind = kind.encode()
        data = value if isinstance(value, bytes) else value.encode()
        data += (b"\0" if kind in (b"UI", b"OB") else b" ") * (len(data) % 2)
        if kind in cls.LONG:
            return struct.pack("<HH2sHI", group, number, kind, 0, len(data)) + data
        return struct.pack("<HH2sH", group, number, kind, len(data)) + data

    def make(self, exam, index):
        """Pairs of a file's name and its bytes."""
        draw, element = self.draw, self.element
        uid = draw.options.seed << 64 | exam["number"] << 16
        digits = exam["time"][:19].replace("-", "").replace(":", "")
        files = []
        shared = [element(0x0008, 0x0005, "CS", "ISO_IR 192"), element(0x0008, 0x0016, "UI", self.CLASS)]
        dates = b"".join([element(0x0008, 0x0020, "DA", digits[:8]), element(0x0008, 0x0030, "TM", digits[9:]),
                          element(0x0008, 0x0050, "SH", f"C{exam['number']:09d}"), element(0x0008, 0x0060, "CS", "CT"),
                          element(0x0008, 0x0201, "SH", "+0800"), element(0x0008, 0x1030, "LO", self.title)])
        person = f"{exam['family']}^{exam['given']}" + (f"={exam['name']}" if not exam["name"].isascii() else "")
        patient = b"".join([element(0x0010, 0x0010, "PN", person), element(0x0010, 0x0020, "LO", exam["mrn"]),
                            element(0x0010, 0x0030, "DA", exam["birth"].replace("-", "")),
                            element(0x0010, 0x0040, "CS", exam["gender"][0].upper())])
        for series in range(2 + draw.below(SERIES_MAX - 1)):
            for instance in range(2 + draw.below(INSTANCES_MAX - 1)):
                name = f"2.25.{uid + (series + 1 << 8) + instance + 1}"
                data = b"".join([
                    shared[0], shared[1], element(0x0008, 0x0018, "UI", name), dates,
                    element(0x0008, 0x103E, "LO", self.series[series % len(self.series)]), patient,
                    element(0x0020, 0x000D, "UI", f"2.25.{uid}"),
                    element(0x0020, 0x000E, "UI", f"2.25.{uid + (series + 1 << 8)}"),
                    element(0x0020, 0x0011, "IS", str(series + 1)), element(0x0020, 0x0013, "IS", str(instance + 1))])
                files.append((f"{series + 1}-{instance + 1}.dcm", self.file(name, data)))
        if draw.damaged(index):
            place = draw.below(len(files))
            files[place] = (files[place][0], files[place][1][:-len(files[place][1]) // 4])  # Cut off in its pixels.
        return files

    def file(self, name, data):
        element = self.element
        # Eight bits a pixel, as many as fill the size; noise, as the air around a body is.
        side = max(8, int(max(0, self.draw.size() - len(data) - 500) ** 0.5) & ~1)
        pixels = self.draw.bytes(side * side)
        short = lambda value: struct.pack("<H", value)
        image = b"".join([
            element(0x0028, 0x0002, "US", short(1)), element(0x0028, 0x0004, "CS", "MONOCHROME2"),
            element(0x0028, 0x0010, "US", short(side)), element(0x0028, 0x0011, "US", short(side)),
            element(0x0028, 0x0100, "US", short(8)), element(0x0028, 0x0101, "US", short(8)),
            element(0x0028, 0x0102, "US", short(7)), element(0x0028, 0x0103, "US", short(0)),
            element(0x7FE0, 0x0010, "OW", pixels)])
        meta = b"".join([element(0x0002, 0x0001, "OB", b"\0\1"), element(0x0002, 0x0002, "UI", self.CLASS),
                         element(0x0002, 0x0003, "UI", name), element(0x0002, 0x0010, "UI", self.SYNTAX),
                         element(0x0002, 0x0012, "UI", "2.25.1")])
        return b"\0" * 128 + b"DICM" + element(0x0002, 0x0000, "UL", struct.pack("<I", len(meta))) + meta + data + image
