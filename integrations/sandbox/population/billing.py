"""The life of a claim: scrubbed, held, billed, rejected, denied, paid, passed on, collected.

v1 shows no remit, so a denial is a slot status, a claim note and no money (athena-api.md §2.2). Only what the
claims feed documents is announced (§2.1): creation, paid off, moved to the patient, paid by the patient.
Holds, drops, denials and partial payments happen in silence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from integrations.sandbox.population import lag, money, payers
from integrations.sandbox.population.catalogue import FEES
from integrations.sandbox.population.claim import Bill, Paper, open_claim
from integrations.sandbox.population.lag import Lag
from integrations.sandbox.population.office import night_batch, staffed
from integrations.sandbox.population.payers import BY_PACKAGE, Payer
from integrations.sandbox.population.void import draw_void, void

SCRUB = ((0.857, "DROP"), (0.095, "HOLD"), (0.030, "MGRHOLD"), (0.010, "CBOHOLD"), (0.008, "ATHENAHOLD"))


def bill(terms: Bill) -> Paper:
    """Create the claim and tell its whole life; a void may cut it short and start another."""
    cut = draw_void(terms)
    began = len(terms.script.entries)
    paper = live(terms)
    if cut:
        successor = void(paper, began, cut)
        if successor:
            live(successor)
    return paper


def live(terms: Bill) -> Paper:
    if terms.person.primary is None:
        paper = open_claim(terms, "CLOSED")
        collect(paper, terms.at)
        return paper
    if not any(FEES[code][1] for code in terms.codes):
        return open_claim(terms, "CLOSED")  # inside a surgical package: nothing to send to anybody
    status = pick(terms.rng, SCRUB)
    paper = open_claim(terms, status, hold_note(terms.rng, status))
    released = clear(paper, terms.at, status)
    if released:
        submit(paper, released, BY_PACKAGE[terms.person.primary.package_id])
    return paper


def clear(paper: Paper, at: datetime, status: str) -> datetime | None:
    """The instant at which the claim is ready to go out (DROP), if ever."""
    if status == "DROP":
        return at
    if status in ("CBOHOLD", "ATHENAHOLD"):
        return release(paper, at, lag.VENDOR_HOLD, "G25", "held_by_athena")
    habit = lag.HOLD if status == "HOLD" else lag.MANAGER_HOLD
    return release(paper, at, habit, "G24", "hold_unworked" if status == "HOLD" else "manager_hold_unworked")


def release(paper: Paper, at: datetime, habit: Lag, code: str, name: str) -> datetime | None:
    delay = habit.draw(paper.bill.rng, paper.bill.clinic.strain(at))
    released = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause(code, name, at, released, paper.subject)
    if released:
        paper.move(released, "DROP")
    return released


def submit(paper: Paper, ready: datetime, payer: Payer, *, again: bool = False) -> None:
    """DROP goes out with the next night's batch. A second submission is neither rejected nor denied."""
    rng, zone = paper.bill.rng, paper.bill.zone
    billed = night_batch(ready, zone)
    paper.move(billed, "BILLED")
    if not again and rng.random() < 0.025:
        rejected = billed + lag.REJECTION.surely(rng)
        paper.move(rejected, "HOLD", pick(rng, payers.REJECTION_NOTES))
        corrected = release(paper, rejected, lag.HOLD, "G24", "rejection_unworked")
        if corrected:
            submit(paper, corrected, payer, again=True)
        return
    answered = await_answer(paper, billed, payer.answers, "payer_never_answered")
    if answered is None:
        return
    if not again and rng.random() < payer.denies:
        deny(paper, answered, payer)
    else:
        pay(paper, answered, payer)


def await_answer(paper: Paper, billed: datetime, habit: Lag, name: str) -> datetime | None:
    """The payer's answer, if it comes. athena's own alarm moves a silent claim to FOLLOWUP meanwhile."""
    rng = paper.bill.rng
    delay = habit.draw(rng)
    answered = night_batch(billed + delay, paper.bill.zone) if delay else None
    paper.bill.script.cause("G29", name, billed, answered, paper.subject)
    alarm = billed + timedelta(days=rng.uniform(40, 65))
    if paper.claim.primary.status == "BILLED" and (answered is None or alarm < answered):
        paper.move(alarm, "FOLLOWUP", "No answer from the payer in the expected time")
    return answered


def deny(paper: Paper, at: datetime, payer: Payer) -> None:
    """A denial comes back as a hold with a note and no money; corrected and sent again, or written off."""
    rng = paper.bill.rng
    paper.move(at, rng.choice(("HOLD", "HOLD", "MGRHOLD")), pick(rng, payers.DENIAL_NOTES))
    delay = lag.DENIAL_WORKED.draw(rng)
    worked = staffed(at + delay, paper.bill.zone, rng) if delay else None
    paper.bill.script.cause("G24", "denial_unworked", at, worked, paper.subject)
    if worked and rng.random() < 0.7:
        paper.move(worked, "DROP", "Corrected and resubmitted")
        submit(paper, worked, payer, again=True)
    elif worked:
        paper.close(worked, money.write_off(paper.claim.charges))


def pay(paper: Paper, at: datetime, payer: Payer) -> None:
    rng, insured_twice = paper.bill.rng, paper.bill.person.secondary is not None
    share = rng.choice((0.1, 0.2, 0.2, 0.35)) if insured_twice or rng.random() < 0.4 else 0.0
    holder = ("SECONDARY" if insured_twice else "PATIENT") if share else "PRIMARY"
    lines = money.allow(paper.claim.charges, payer.allows, share, holder)
    if len(lines) > 1 and rng.random() < 0.05:
        pay_partly(paper, at, lines, payer)
    elif rng.random() < 0.006:
        overpay(paper, at, lines)
    else:
        pass_on(paper, at, lines)


def pass_on(paper: Paper, at: datetime, lines: money.Lines) -> None:
    """The primary is done; whoever the lines now name holds the rest."""
    if not money.owes(lines):
        paper.close(at, lines, event="UpdateClaim")
    elif lines[0].payer == "SECONDARY":
        paper.move(at, "CLOSED", charges=lines, secondary=paper.slot("secondary", "DROP"))
        await_second(paper, at)
    else:
        paper.move(
            at,
            "CLOSED",
            event="UpdateClaim",  # balance transferred to the patient
            charges=lines,
            patient=paper.slot("patient", "COLLECT"),
        )
        collect(paper, at)


def pay_partly(paper: Paper, at: datetime, lines: money.Lines, payer: Payer) -> None:
    """One line comes back unpaid: the primary slot goes to HOLD until somebody settles that line."""
    denied = paper.claim.charges[-1]
    lines = (*lines[:-1], denied)
    text = pick(paper.bill.rng, payers.DENIAL_NOTES)
    paper.move(at, "HOLD", text, charges=lines)
    delay = lag.DENIAL_WORKED.draw(paper.bill.rng)
    worked = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause("G24", "line_denial_unworked", at, worked, paper.subject)
    if worked:
        pass_on(paper, worked, (*lines[:-1], *money.write_off(lines[-1:])))


def overpay(paper: Paper, at: datetime, lines: money.Lines) -> None:
    paper.move(at, "OVERPAID", charges=money.overpay(money.pay_off(lines, "PRIMARY")))
    delay = lag.OVERPAYMENT_RETURNED.draw(paper.bill.rng)
    returned = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause("G41", "credit_balance", at, returned, paper.subject)
    if returned:
        paper.close(returned, money.pay_off(lines, "PRIMARY"))


def await_second(paper: Paper, at: datetime) -> None:
    billed = night_batch(at, paper.bill.zone)
    paper.move(billed, secondary=paper.slot("secondary", "BILLED"))
    answered = await_answer(paper, billed, lag.SECOND_PAYER, "second_payer_never_answered")
    if answered:
        paper.close(answered, money.pay_off(paper.claim.charges, "SECONDARY"), event="UpdateClaim")


def collect(paper: Paper, at: datetime) -> None:
    """The patient pays, pays a part, or never does. That is no gap of the visit."""
    rng = paper.bill.rng
    delay = lag.PATIENT_PAYS.draw(rng)
    if delay is None:
        return
    paid = at + delay
    if rng.random() < 0.1:
        paper.move(
            paid, event="UpdateClaim", charges=money.pay_part(paper.claim.charges, rng.uniform(0.2, 0.8))
        )
    else:
        paper.close(paid, money.pay_off(paper.claim.charges, "PATIENT"), event="UpdateClaim")


def hold_note(rng: Random, status: str) -> str | None:
    if status == "HOLD":
        return pick(rng, payers.HOLD_NOTES)
    return pick(rng, payers.MANAGER_HOLD_NOTES) if status == "MGRHOLD" else None


def pick(rng: Random, weighted: tuple[tuple[float, str], ...]) -> str:
    return rng.choices([one for _, one in weighted], [weight for weight, _ in weighted])[0]
