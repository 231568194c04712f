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
from integrations.sandbox.population.office import local_day, night_batch, staffed
from integrations.sandbox.population.payers import BY_PACKAGE, Payer
from integrations.sandbox.population.void import draw_void, void

LATE = ("36415", "85025")  # what charge entry remembers last
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
        paid = collect(paper, terms.at)
        if terms.card_left_out:
            terms.script.cause("G08", "card_left_out", terms.at, paid, paper.subject)
        return paper
    if not any(FEES[code][1] for code in terms.codes):
        return open_claim(terms, "CLOSED")  # inside a surgical package: nothing to send to anybody
    status = "CBOHOLD" if terms.clinic.errs(terms.clinic.mishaps.held_by_vendor) else pick(terms.rng, SCRUB)
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
    delay = paper.bill.clinic.wait(habit, at)
    released = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause(code, name, at, released, paper.subject)
    if released:
        paper.move(released, "DROP")
    return released


def submit(paper: Paper, ready: datetime, payer: Payer, *, again: bool = False) -> None:
    """DROP goes out with the next night's batch. A second submission is neither rejected nor denied."""
    rng = paper.bill.rng
    billed = send(paper, ready)
    paper.move(billed, "BILLED")
    if not again and paper.bill.clinic.errs(paper.bill.clinic.mishaps.rejected):
        rejected = billed + lag.REJECTION.surely(rng)
        paper.move(rejected, "HOLD", pick(rng, payers.REJECTION_NOTES))
        corrected = release(paper, rejected, lag.HOLD, "G24", "rejection_unworked")
        paper.bill.script.cause("G27", "rejection_unworked", rejected, corrected, paper.subject)
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


def send(paper: Paper, ready: datetime) -> datetime:
    """The next night's batch takes it, unless that batch breaks."""
    clinic, rng, zone = paper.bill.clinic, paper.bill.rng, paper.bill.zone
    broken = lag.STUCK_BATCH.surely(rng) if clinic.errs(clinic.mishaps.batch_stuck) else timedelta(0)
    billed = night_batch(ready + broken, zone)
    paper.bill.script.cause("G26", "waits_for_the_batch", ready, billed, paper.subject)
    return billed


def await_answer(paper: Paper, billed: datetime, habit: Lag, name: str) -> datetime | None:
    """The payer's answer, if it comes. athena's own alarm moves a silent claim to FOLLOWUP meanwhile."""
    rng = paper.bill.rng
    delay = paper.bill.clinic.wait(habit)
    answered = night_batch(billed + delay, paper.bill.zone) if delay else None
    alarm = billed + timedelta(days=rng.uniform(40, 65))
    followed = paper.claim.primary.status == "BILLED" and (answered is None or alarm < answered)
    if followed:
        paper.move(alarm, "FOLLOWUP", "No answer from the payer in the expected time")
    given_up = alarm + lag.GIVEN_UP.surely(rng) if followed and answered is None else None
    paper.bill.script.cause("G29", name, billed, answered or given_up, paper.subject)
    if given_up:
        give_up(paper, given_up)
    return answered


def give_up(paper: Paper, at: datetime) -> None:
    """athena works it no further; the practice has to close it (FWR, revenue-cycle.md §1.1 S24)."""
    paper.move(at, "FWR", "Fully worked")
    delay = paper.bill.clinic.wait(lag.GIVEN_UP_CLOSED)
    closed = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause("G45", "fully_worked_not_closed", at, closed, paper.subject)
    if closed:
        write_off(paper, closed)


def deny(paper: Paper, at: datetime, payer: Payer) -> None:
    """A denial comes back as a hold with a note and no money; corrected and sent again, or written off."""
    rng = paper.bill.rng
    paper.move(at, rng.choice(("HOLD", "HOLD", "MGRHOLD")), pick(rng, payers.DENIAL_NOTES))
    delay = paper.bill.clinic.wait(lag.DENIAL_WORKED)
    worked = staffed(at + delay, paper.bill.zone, rng) if delay else None
    for code in ("G24", "G33"):
        paper.bill.script.cause(code, "denial_unworked", at, worked, paper.subject)
    if worked and rng.random() < 0.85:
        paper.move(worked, "DROP", "Corrected and resubmitted")
        submit(paper, worked, payer, again=True)
    elif worked:
        write_off(paper, worked)


def write_off(paper: Paper, at: datetime) -> None:
    """Nobody ever pays a cent of it."""
    paper.close(at, money.write_off(paper.claim.charges))
    paper.bill.script.cause("G44", "written_off_unpaid", at, None, paper.subject)


def pay(paper: Paper, at: datetime, payer: Payer) -> None:
    clinic, rng, insured_twice = paper.bill.clinic, paper.bill.rng, paper.bill.person.secondary is not None
    share = rng.choice((0.1, 0.2, 0.2, 0.35)) if insured_twice or rng.random() < 0.4 else 0.0
    holder = ("SECONDARY" if insured_twice else "PATIENT") if share else "PRIMARY"
    lines = money.allow(paper.claim.charges, payer.allows, share, holder)
    if len(lines) > 1 and lines[-1].amount >= 1 and clinic.errs(clinic.mishaps.line_denied):
        pay_partly(paper, at, lines, payer)
    elif clinic.errs(clinic.mishaps.overpaid):
        overpay(paper, at, lines)
    else:
        pass_on(paper, at, lines)


def pass_on(paper: Paper, at: datetime, lines: money.Lines) -> None:
    """The primary is done; whoever the lines now name holds the rest."""
    if not money.owes(lines):
        paper.close(at, lines, event="UpdateClaim")
        if paper.bill.clinic.errs(paper.bill.clinic.mishaps.charged_late):
            charge_late(paper, at)
    elif lines[0].payer == "SECONDARY":
        forgotten = paper.bill.clinic.errs(paper.bill.clinic.mishaps.second_forgotten)
        sent = forget_second(paper, at, lines) if forgotten else at
        if sent:
            paper.move(sent, "CLOSED", charges=lines, secondary=paper.slot("secondary", "DROP"))
            await_second(paper, sent)
    else:
        paper.move(
            at,
            "CLOSED",
            event="UpdateClaim",  # balance transferred to the patient
            charges=lines,
            patient=paper.slot("patient", "COLLECT"),
        )
        collect(paper, at)


def forget_second(paper: Paper, at: datetime, lines: money.Lines) -> datetime | None:
    """The second payer is never sent the rest, or late."""
    paper.move(at, "CLOSED", charges=lines)
    delay = paper.bill.clinic.wait(lag.SECOND_FORGOTTEN)
    sent = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause("G39", "second_payer_not_sent", at, sent, paper.subject)
    return sent


def charge_late(paper: Paper, at: datetime) -> None:
    """Charge entry remembers one more service of a claim that is paid; a corrected claim must follow."""
    rng, zone = paper.bill.rng, paper.bill.zone
    code = next((one for one in LATE if one not in paper.bill.codes + paper.bill.left_off), None)
    if code is None:
        return
    posted = staffed(at + lag.LATE_CHARGE.surely(rng), zone, rng)
    line = money.charge_lines(paper.bill.clinic.ids, (code,), local_day(posted, zone), "PRIMARY")
    paper.move(posted, charges=(*paper.claim.charges, *line))
    delay = paper.bill.clinic.wait(lag.CORRECTED)
    corrected = night_batch(posted + delay, zone) if delay else None
    paper.bill.script.cause("G21", "charged_after_the_answer", posted, corrected, paper.subject)
    if corrected:
        paper.move(corrected, charges=money.pay_off(paper.claim.charges, "PRIMARY"))


def pay_partly(paper: Paper, at: datetime, lines: money.Lines, payer: Payer) -> None:
    """One line comes back unpaid: the primary slot goes to HOLD until somebody settles that line."""
    denied = paper.claim.charges[-1]
    lines = (*lines[:-1], denied)
    text = pick(paper.bill.rng, payers.DENIAL_NOTES)
    paper.move(at, "HOLD", text, charges=lines)
    delay = paper.bill.clinic.wait(lag.DENIAL_WORKED)
    worked = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    for code in ("G24", "G33"):
        paper.bill.script.cause(code, "line_denial_unworked", at, worked, paper.subject)
    if worked:
        paper.bill.script.cause("G35", "denied_line_written_off", worked, None, paper.subject)
        pass_on(paper, worked, (*lines[:-1], *money.write_off(lines[-1:])))


def overpay(paper: Paper, at: datetime, lines: money.Lines) -> None:
    paper.move(at, "OVERPAID", charges=money.overpay(money.pay_off(lines, "PRIMARY")))
    delay = paper.bill.clinic.wait(lag.OVERPAYMENT_RETURNED)
    returned = staffed(at + delay, paper.bill.zone, paper.bill.rng) if delay else None
    paper.bill.script.cause("G41", "credit_balance", at, returned, paper.subject)
    if returned:
        paper.close(returned, money.pay_off(lines, "PRIMARY"))


def await_second(paper: Paper, at: datetime) -> None:
    billed = send(paper, at)
    paper.move(billed, secondary=paper.slot("secondary", "BILLED"))
    answered = await_answer(paper, billed, lag.SECOND_PAYER, "second_payer_never_answered")
    if answered:
        paper.close(answered, money.pay_off(paper.claim.charges, "SECONDARY"), event="UpdateClaim")


def collect(paper: Paper, at: datetime) -> datetime | None:
    """The patient pays, pays a part, or never does. That is no gap of the visit. Returns when all is paid."""
    rng = paper.bill.rng
    delay = lag.PATIENT_PAYS.draw(rng)
    if delay is None:
        return None
    paid = at + delay
    if rng.random() < 0.1:
        paper.move(
            paid, event="UpdateClaim", charges=money.pay_part(paper.claim.charges, rng.uniform(0.2, 0.8))
        )
        return None
    paper.close(paid, money.pay_off(paper.claim.charges, "PATIENT"), event="UpdateClaim")
    return paid


def hold_note(rng: Random, status: str) -> str | None:
    if status == "HOLD":
        return pick(rng, payers.HOLD_NOTES)
    return pick(rng, payers.MANAGER_HOLD_NOTES) if status == "MGRHOLD" else None


def pick(rng: Random, weighted: tuple[tuple[float, str], ...]) -> str:
    return rng.choices([one for _, one in weighted], [weight for weight, _ in weighted])[0]
