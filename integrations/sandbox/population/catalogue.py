"""What clinics do and bill: visit types, procedures with fees, diagnoses, chart facts, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from integrations.sandbox.world import Diagnosis


@dataclass(frozen=True)
class VisitType:
    """`levels` are (weight, codes billed together); `extras` are (probability, code) beside them.

    `by_age`: the levels are not drawn but follow the patient's age: under 40, under 65, and over.
    """

    id: str
    name: str
    minutes: int
    levels: tuple[tuple[float, tuple[str, ...]], ...]
    extras: tuple[tuple[float, str], ...] = ()
    by_age: bool = False


NO_SHOW = "NOSHOW"  # the practice's own code

# code: (description, fee). CPT and HCPCS codes as used in the field; the wording is our own.
FEES: dict[str, tuple[str, Decimal]] = {
    code: (description, Decimal(fee))
    for code, description, fee in (
        ("99202", "New patient office visit, straightforward", "145.00"),
        ("99203", "New patient office visit, low complexity", "210.00"),
        ("99204", "New patient office visit, moderate complexity", "315.00"),
        ("99205", "New patient office visit, high complexity", "415.00"),
        ("99211", "Established patient, staff visit", "45.00"),
        ("99212", "Established patient office visit, straightforward", "98.00"),
        ("99213", "Established patient office visit, low complexity", "156.00"),
        ("99214", "Established patient office visit, moderate complexity", "228.00"),
        ("99215", "Established patient office visit, high complexity", "320.00"),
        ("99395", "Yearly check-up, age 18 to 39", "235.00"),
        ("99396", "Yearly check-up, age 40 to 64", "255.00"),
        ("99397", "Yearly check-up, age 65 and over", "275.00"),
        (NO_SHOW, "Missed appointment", "25.00"),
        ("99024", "Follow-up inside the surgical package", "0.00"),
        ("99232", "Hospital visit, moderate", "165.00"),
        ("99490", "Monthly care coordination, first 20 minutes", "85.00"),
        ("99238", "Hospital discharge day", "185.00"),
        ("59400", "Pregnancy care with the birth and what follows", "3200.00"),
        ("59510", "Pregnancy care with a Caesarean birth and what follows", "3700.00"),
        ("0502F", "Prenatal visit, reported only", "0.00"),
        ("0503F", "Visit after the birth, reported only", "0.00"),
        ("76805", "Ultrasound of a pregnancy", "310.00"),
        ("36415", "Blood draw", "18.00"),
        ("81002", "Urine dipstick", "12.00"),
        ("82962", "Finger-stick glucose", "10.50"),
        ("83036", "Hemoglobin A1c", "32.00"),
        ("85025", "Complete blood count", "28.00"),
        ("87880", "Rapid strep test", "38.00"),
        ("90471", "Giving one vaccine", "42.00"),
        ("90686", "Influenza vaccine", "34.50"),
        ("93000", "Electrocardiogram with reading", "76.00"),
        ("93306", "Echocardiogram", "640.00"),
        ("94010", "Breathing test", "92.00"),
        ("96372", "Injection under the skin or into muscle", "48.00"),
        ("11102", "Skin biopsy", "245.00"),
        ("17000", "Destroying one precancerous skin spot", "155.00"),
        ("17110", "Destroying warts", "218.00"),
        ("20610", "Injection into a large joint", "185.00"),
        ("10060", "Draining an abscess", "265.00"),
        ("11402", "Removing a benign skin growth", "395.00"),
        ("11750", "Removing a nail for good", "360.00"),
        ("12001", "Closing a small wound", "310.00"),
        ("45378", "Colonoscopy", "1240.00"),
        ("49505", "Repair of a groin hernia", "2350.00"),
        ("G2211", "Added complexity of an ongoing relationship", "24.00"),
        ("G8553", "Quality code: prescription sent electronically", "0.01"),
        ("1036F", "Quality code: no tobacco use", "0.01"),
    )
}

EXTRAS = (
    (0.14, "36415"),
    (0.08, "83036"),
    (0.06, "85025"),
    (0.09, "G2211"),
    (0.10, "G8553"),
    (0.04, "1036F"),
)

PRIMARY_CARE = (
    VisitType(
        "82",
        "Established Patient",
        20,
        ((0.04, ("99212",)), (0.46, ("99213",)), (0.44, ("99214",)), (0.06, ("99215",))),
        EXTRAS,
    ),
    VisitType(
        "81",
        "New Patient",
        40,
        ((0.1, ("99202",)), (0.5, ("99203",)), (0.36, ("99204",)), (0.04, ("99205",))),
    ),
    VisitType(
        "83",
        "Annual Physical",
        40,
        ((0.3, ("99395",)), (0.45, ("99396",)), (0.25, ("99397",))),
        EXTRAS[:3],
        by_age=True,
    ),
    VisitType(
        "84", "Sick Visit", 15, ((0.6, ("99213",)), (0.4, ("99214",))), ((0.3, "87880"), (0.12, "81002"))
    ),
    VisitType("85", "Nurse Visit", 15, ((0.55, ("90471", "90686")), (0.25, ("96372",)), (0.2, ("99211",)))),
)
CARDIOLOGY = (
    VisitType(
        "91",
        "Cardiology Follow-up",
        20,
        ((0.25, ("99213",)), (0.6, ("99214",)), (0.15, ("99215",))),
        ((0.6, "93000"), (0.12, "93306")),
    ),
    VisitType("92", "Cardiology Consult", 40, ((0.3, ("99203",)), (0.7, ("99204",))), ((0.8, "93000"),)),
)
DERMATOLOGY = (
    VisitType(
        "93",
        "Skin Check",
        15,
        ((0.2, ("99212",)), (0.7, ("99213",)), (0.1, ("99203",))),
        ((0.25, "11102"), (0.2, "17000"), (0.15, "17110")),
    ),
)
TELEHEALTH = (
    VisitType("96", "Video Visit", 20, ((0.15, ("99212",)), (0.6, ("99213",)), (0.25, ("99214",)))),
)
ORTHOPEDICS = (
    VisitType("94", "Orthopedic Visit", 20, ((0.5, ("99213",)), (0.5, ("99214",))), ((0.4, "20610"),)),
)
SURGERY = (
    VisitType("71", "Surgical Consult", 30, ((0.5, ("99203",)), (0.5, ("99204",)))),
    VisitType(
        "72",
        "Office Procedure",
        45,
        ((0.3, ("11402",)), (0.25, ("10060",)), (0.25, ("12001",)), (0.2, ("11750",))),
    ),
    VisitType("73", "Post-op Check", 15, ((1.0, ("99024",)),)),
)
ENDOSCOPY = (
    VisitType("74", "Surgery", 60, ((0.7, ("45378",)), (0.3, ("49505",)))),
    VisitType("75", "Wound Care", 15, ((1.0, ("99212",)),)),
)

DIAGNOSES = tuple(
    Diagnosis(icd10=icd10, snomed=snomed, description=description)
    for icd10, snomed, description in (
        ("I10", "59621000", "High blood pressure"),
        ("E11.9", "44054006", "Type 2 diabetes"),
        ("E78.5", "55822004", "High blood lipids"),
        ("J06.9", "54150009", "Upper respiratory infection"),
        ("J02.9", "405737000", "Sore throat"),
        ("M54.50", "279039007", "Low back pain"),
        ("M17.11", "239873007", "Knee arthritis"),
        ("K21.9", "235595009", "Acid reflux"),
        ("F41.1", "21897009", "Generalized anxiety"),
        ("L57.0", "201101007", "Sun-damaged skin spot"),
        ("I48.91", "49436004", "Atrial fibrillation"),
        ("K40.90", "396232000", "Groin hernia"),
        ("N39.0", "68566005", "Urinary infection"),
        ("Z00.00", "162673000", "General check-up"),
    )
)

# LOINC code, display, unit, mean, spread
VITALS = (
    ("8480-6", "Systolic blood pressure", "mm[Hg]", 128.0, 14.0),
    ("8462-4", "Diastolic blood pressure", "mm[Hg]", 78.0, 9.0),
    ("29463-7", "Body weight", "kg", 82.0, 16.0),
    ("8867-4", "Heart rate", "/min", 74.0, 9.0),
)
LABS = (
    ("4548-4", "Hemoglobin A1c", "%", 6.6, 1.1),
    ("2345-7", "Glucose", "mg/dL", 108.0, 24.0),
    ("2093-3", "Cholesterol", "mg/dL", 190.0, 34.0),
    ("718-7", "Hemoglobin", "g/dL", 13.8, 1.3),
)
PANELS = (("24323-8", "Metabolic panel"), ("58410-2", "Blood count panel"), ("24331-1", "Lipid panel"))
# RxNorm code, display
MEDICATIONS = (
    ("314076", "Lisinopril 10 mg tablet"),
    ("861007", "Metformin 500 mg tablet"),
    ("617312", "Atorvastatin 20 mg tablet"),
    ("308182", "Amoxicillin 250 mg capsule"),
    ("198440", "Acetaminophen 500 mg tablet"),
)
