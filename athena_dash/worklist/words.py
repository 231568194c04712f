"""Codes into the words of the billing desk: what a gap is called, what to do next, whence its dollars."""

from __future__ import annotations

from collections.abc import Mapping

from athena_dash.correlation.rules import RULES

TITLES: Mapping[str, str] = {rule.code: rule.title for rule in RULES} | {"G17": "Result without a visit"}

ACTIONS: Mapping[str, str] = {  # revenue-cycle.md §2, in our own words, said to the gap's owner
    "G02": "Charge the fee to the patient, or note why not.",
    "G03": "Finish the exam and check out, or undo the check-in.",
    "G04": "Cancel the check-in and mark charge entry as not required.",
    "G06": "Ask the payer for cover, or the patient for another card.",
    "G07": "Ask the payer about that day; find other cover, or bill the patient.",
    "G08": "Put the policy on the claim and send it to the payer.",
    "G11": "Ask the provider to sign the encounter.",
    "G12": "Ask the supervising provider to review and cosign.",
    "G13": "Enter the charges and create the claim, or mark them as not required.",
    "G16": "Add the test to the charges, or correct the list of tests done here.",
    "G17": "Tie the result to its patient and encounter.",
    "G20": "Void one of the claims, or add the modifier that tells them apart.",
    "G21": "Send a corrected claim (frequency 7) with the added charge.",
    "G22": "Create the replacement claim, or note why there is none.",
    "G23": "Find out why the charge did not become a claim.",
    "G24": "Work the hold reason and release the claim.",
    "G25": "Open a case with athenahealth.",
    "G26": "Ask athena why the claim is not being submitted.",
    "G27": "Correct what the payer would not take and send the claim again.",
    "G29": "Ask the payer for the claim's status.",
    "G31": "File the claim before the limit.",
    "G33": "Correct and resubmit, appeal, or write it off by name.",
    "G34": "Appeal before the limit, or decide not to.",
    "G35": "Ask the payer for the unpaid line, or appeal it.",
    "G36": "Compare with the contract and dispute the difference.",
    "G39": "Send the rest to the second payer with the first one’s answer.",
    "G41": "Refund or apply the credit.",
    "G44": "Find out who wrote it off and why.",
    "G45": "Close the claim, or take it up again.",
}

ESTIMATORS: Mapping[str, str] = {  # revenue-cycle.md §2.0
    "E1": "open balance",
    "E2": "claim charges",
    "E3": "signed services",
    "E4": "visit type",
    "E5": "usual less allowed",
    "E6": "counted only",
}

SIGNALS: Mapping[str, str] = {  # revenue-cycle.md §2.0, D1 to D10
    "D1": "A failed import holds this record",
    "D2": "The feed is behind",
    "D3": "athena has it, we had not",
    "D4": "athena was asked and has none",
    "D5": "athena contradicts itself",
    "D6": "Many like it on that day",
    "D7": "A code could not be mapped",
    "D8": "Its neighbours are fine",
    "D9": "Seen, not merely absent",
    "D10": "A recent void or merge",
}


CLOSED_BY: Mapping[str, str] = {
    "data": "athena’s records no longer show it",
    "suppressor": "nothing is expected any more",
    "replay": "a replay brought the missing record",
    "live_read": "athena was asked and had what was missing",
    "user": "a person closed it",
}


def gap_title(code: str) -> str:
    return TITLES.get(code, f"Gap {code}")
