#!/usr/bin/env python3
"""Writes the sample inputs beside this file. Nobody in them exists: the identity numbers use the area code 999999, which
is assigned to no place, with a valid check character; names are common names combined by this script; values are drawn
by a fixed seed from the middle of the usual reference ranges, with a few outside so that flags show.

    python3 Samples/generate.py        (same bytes every time)
"""
import json
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
RANDOM = random.Random(20261124)
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
RIC = "urn:oid:2.16.156.10011.1.3"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def identity_number(birth: str, serial: int) -> str:
    digits = "999999" + birth.replace("-", "") + f"{serial:03d}"
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, weights)) % 11]


PATIENTS = [
    ("p1", "王秀兰", "Wang", "Xiulan", "female", "1958-03-12", 104),
    ("p2", "李建国", "Li", "Jianguo", "male", "1971-11-02", 211),
    ("p3", "陈思远", "Chen", "Siyuan", "male", "1990-07-25", 317),
]

PANELS = {
    "cbc": ("58410-2", "血常规 Complete blood count", [
        ("6690-2", "白细胞 Leukocytes", 3.5, 9.5, "10*9/L", 2),
        ("789-8", "红细胞 Erythrocytes", 3.8, 5.1, "10*12/L", 2),
        ("718-7", "血红蛋白 Hemoglobin", 115, 150, "g/L", 0),
        ("4544-3", "红细胞压积 Hematocrit", 35.0, 45.0, "%", 1),
        ("777-3", "血小板 Platelets", 125, 350, "10*9/L", 0),
    ]),
    "liver": ("24325-3", "肝功能 Hepatic function panel", [
        ("1742-6", "丙氨酸氨基转移酶 ALT", 7, 40, "U/L", 0),
        ("1920-8", "天门冬氨酸氨基转移酶 AST", 13, 35, "U/L", 0),
        ("1751-7", "白蛋白 Albumin", 40.0, 55.0, "g/L", 1),
        ("1975-2", "总胆红素 Bilirubin.total", 3.4, 20.5, "umol/L", 1),
    ]),
    "renal": ("24362-6", "肾功能 Renal function panel", [
        ("2160-0", "肌酐 Creatinine", 41, 73, "umol/L", 0),
        ("3094-0", "尿素 Urea", 2.6, 7.5, "mmol/L", 2),
        ("3084-1", "尿酸 Urate", 155, 357, "umol/L", 0),
    ]),
    "hba1c": ("4548-4", "糖化血红蛋白 Hemoglobin A1c", [
        ("4548-4", "糖化血红蛋白 Hemoglobin A1c", 4.0, 6.0, "%", 1),
    ]),
    "lipids": ("57698-3", "血脂 Lipid panel", [
        ("2093-3", "总胆固醇 Cholesterol", 3.10, 5.18, "mmol/L", 2),
        ("2571-8", "甘油三酯 Triglyceride", 0.40, 1.70, "mmol/L", 2),
        ("2085-9", "高密度脂蛋白 HDL", 1.04, 1.55, "mmol/L", 2),
    ]),
}


def patient(entry):
    key, chinese, family, given, gender, birth, serial = entry
    return {
        "resourceType": "Patient",
        "id": key,
        "identifier": [
            {"system": RIC, "value": identity_number(birth, serial)},
            {"system": "urn:example:hospital-a:mrn", "value": f"A{serial:06d}"},
        ],
        "name": [{"text": chinese, "family": family, "given": [given]}],
        "gender": gender,
        "birthDate": birth,
    }


def exam(panel, number, who, day):
    code, title, items = PANELS[panel]
    observations = []
    for index, (item, display, low, high, unit, places) in enumerate(items):
        spread = high - low
        value = low + spread * RANDOM.uniform(-0.15, 1.25)
        text = f"{value:.{places}f}"
        flag = "L" if float(text) < low else "H" if float(text) > high else "N"
        observations.append({
            "resourceType": "Observation",
            "id": f"{panel}-{number}-{index}",
            "status": "final",
            "code": {"coding": [{"system": LOINC, "code": item, "display": display}], "text": display},
            "subject": {"reference": f"Patient/{who[0]}"},
            "effectiveDateTime": f"{day}T08:15:00+08:00",
            # A float would lose trailing zeros; the placeholder is replaced by the digits below.
            "valueQuantity": {"value": f"@@{text}@@", "unit": unit, "system": UCUM, "code": unit},
            "interpretation": [{"coding": [{"system": INTERPRETATION, "code": flag}]}],
            "referenceRange": [{
                "low": {"value": f"@@{low:.{places}f}@@", "unit": unit},
                "high": {"value": f"@@{high:.{places}f}@@", "unit": unit},
            }],
        })
    report = {
        "resourceType": "DiagnosticReport",
        "id": f"{panel}-{number}",
        "identifier": [{"system": "urn:example:hospital-a:report", "value": f"R{number:06d}"}],
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}],
        "code": {"coding": [{"system": LOINC, "code": code, "display": title}], "text": title},
        "subject": {"reference": f"Patient/{who[0]}"},
        "effectiveDateTime": f"{day}T08:15:00+08:00",
        "issued": f"{day}T11:40:00+08:00",
        "performer": [{"display": "Clinical Laboratory"}],
        "result": [{"reference": f"Observation/{item['id']}"} for item in observations],
    }
    return report, observations


def imaging(who, day):
    return {
        "resourceType": "ImagingStudy",
        "id": "ct-chest-1",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:2.25.187239467239846723984672398467"}],
        "status": "available",
        "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}],
        "subject": {"reference": f"Patient/{who[0]}"},
        "started": f"{day}T14:05:00+08:00",
        "numberOfSeries": 2,
        "numberOfInstances": 412,
        "description": "胸部CT平扫 CT chest without contrast",
        "procedureCode": [{"coding": [{"system": LOINC, "code": "29252-4", "display": "CT Chest WO contrast"}]}],
        "series": [
            {"uid": "2.25.187239467239846723984672398468", "number": 1,
             "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"},
             "description": "Lung 1.0 mm", "numberOfInstances": 330,
             "bodySite": {"system": "http://snomed.info/sct", "code": "51185008", "display": "Chest"}},
            {"uid": "2.25.187239467239846723984672398469", "number": 2,
             "modality": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"},
             "description": "Mediastinum 5.0 mm", "numberOfInstances": 82,
             "bodySite": {"system": "http://snomed.info/sct", "code": "51185008", "display": "Chest"}},
        ],
    }


def text(value, indent=None):
    written = json.dumps(value, ensure_ascii=False, indent=indent)
    return written.replace('"@@', "").replace('@@"', "")


def bundle(resources):
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"https://his.example/{r['resourceType']}/{r['id']}", "resource": r} for r in resources],
    }


def write(path, content):
    target = HERE / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content, encoding="utf-8")


def main():
    first, second, third = PATIENTS
    report, observations = exam("cbc", 1, first, "2026-10-08")
    write("hospital-a/blood-count.json", text(bundle([patient(first), report] + observations), 2) + "\n")
    write("hospital-a/chest-ct.json", text(bundle([patient(first), imaging(first, "2026-10-09")]), 2) + "\n")
    reports, results = [], []
    number = 2
    for who in (first, second, third):
        for panel in ("liver", "renal", "hba1c", "lipids"):
            report, observations = exam(panel, number, who, f"2026-{8 + number % 3:02d}-{3 + number:02d}")
            reports.append(report)
            results += observations
            number += 1
    # A bulk export keeps each resource type in a file of its own.
    lines = lambda items: "".join(text(item) + "\n" for item in items)
    write("hospital-a/bulk/DiagnosticReport.ndjson", lines(reports))
    write("hospital-a/bulk/Observation.ndjson", lines(results))
    write("hospital-a/bulk/Patient.ndjson", lines([patient(p) for p in PATIENTS]))
    # What a broken interface sends: cut off in the middle of a value.
    report, observations = exam("renal", 90, second, "2026-10-20")
    broken = text(bundle([patient(second), report] + observations))
    write("hospital-a/broken-transfer.json", broken[: len(broken) * 2 // 3])
    report, observations = exam("cbc", 40, first, "2026-11-02")
    write("hospital-c/blood-count.json", text(bundle([patient(first), report] + observations), 2) + "\n")
    write("patients.txt", "".join(f"CN-RIC:{identity_number(p[5], p[6])}\n" for p in PATIENTS))


if __name__ == "__main__":
    main()
