"""Writes ucumvert.json: units of UCUM as the Python packages ucumvert and pint read them.

  pip install ucumvert==0.3.2
  python3 generate.py

Takes every code of UCUM's table of examples and of its table of units that ucumvert can read, and a few expressions of
our own. The expectation is the factor to SI base units, to twelve digits, and the dimension.
"""
import csv
import importlib.metadata
import importlib.resources
import json
import xml.etree.ElementTree as ElementTree

from ucumvert import PintUcumRegistry

OURS = ["s/m.mg", "4.s/m", "s/4/m", "g.m.s-2.A-2", "4.[pi].10*-7.N", "[mu_0]", "m[Hg]", "S", "1/[ly]", "/m.s", "10^-3.mol",
    "mg/(kg.d)", "m3.kg-1.s-2", "kat/(10*6.L)", "cm[H2O]/(L/s)", "mL/min/(10.g)", "2.5e3"]
BASES = {"[length]": "m", "[time]": "s", "[mass]": "g", "[temperature]": "K", "[luminosity]": "cd", "[substance]": "mol"}
# Where pint's unit of that name has another definition than UCUM's, or ucumvert reads the expression otherwise: pressure
# of mercury and water, years and months, British and printers' lengths, calories and Btu, the unified atomic mass, the
# Gaussian magnetic units, functions, feet and yards cubed, minutes and seconds of arc, `g%`, and `/m.s` as 1/(m.s).
LEFT_OUT = set(
    """cm[Hg] mm[Hg] m[Hg] [in_i'H2O] [in_i'Hg] [PRU] [wood'U] a_t mo_s [in_br] [ft_br] [rd_br] [ch_br] [lk_br] [fth_br]
    [pc_br] [yd_br] [mi_br] [nmi_br] [kn_br] [acr_br] [pnt_pr] [pca_pr] [didot] [cicero] pc cal_[15] [Cal] [Btu_th] [Btu]
    u Mx G Oe [p'diop] %[slope] [m/s2/Hz^(1/2)] bit_s [cft_i] [cyd_i] ' '' g% /m.s""".split()
)


def dimension(quantity):
    powers = {}
    for base, exponent in quantity.dimensionality.items():
        parts = {"C": 1, "s": -1} if base == "[current]" else {BASES[base]: 1}
        for name, factor in parts.items():
            powers[name] = powers.get(name, 0) + int(exponent) * factor
    return {name: powers[name] for name in sorted(powers) if powers[name]}


def main():
    vendor = importlib.resources.files("ucumvert") / "vendor"
    rows = csv.DictReader((vendor / "ucum_examples.tsv").read_text().splitlines(), delimiter="\t")
    codes = [row["UCUM_CODE"] for row in rows]
    root = ElementTree.fromstring((vendor / "ucum-essence.xml").read_bytes())
    codes += [unit.get("Code") for unit in root.iter("{http://unitsofmeasure.org/ucum-essence}unit")]
    registry = PintUcumRegistry()
    units, failed = [], []
    for code in dict.fromkeys(codes + OURS):
        try:
            quantity = (1 * registry.from_ucum(code)).to_base_units()
            powers = dimension(quantity)
        except Exception as error:
            failed.append((code, type(error).__name__))
            continue
        grams = 1000.0 ** powers.get("g", 0)
        units.append({"code": code, "factor": f"{float(quantity.magnitude) * grams:.12g}", "dimension": powers})
    units = [unit for unit in units if unit["code"] not in LEFT_OUT]
    origin = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("ucumvert", "pint"))
    with open("ucumvert.json", "w", encoding="utf-8") as file:
        file.write('{"origin": %s, "units": [\n' % json.dumps(origin))
        file.write(",\n".join(json.dumps(unit) for unit in units))
        file.write("\n]}\n")
    print(len(units), "units;", len(failed), "left out:", failed)


main()
