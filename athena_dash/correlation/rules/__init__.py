"""The rules, one module per gap code, in the order of the visit. A new rule is a module and a line here."""

from athena_dash.correlation.rules import (
    g01_past_unresolved,
    g02_no_show_fee,
    g03_checked_in_stuck,
    g04_left_unseen,
    g05_signed_not_checked_out,
    g11_unsigned,
    g12_cosign_pending,
    g13_missing_slip,
    g14_status4_no_claim,
    g15_services_not_billed,
    g18_waived,
    g20_duplicate,
    g21_late_charge,
    g22_voided_not_replaced,
    g23_charge_no_claim,
    g24_practice_hold,
    g25_vendor_hold,
    g26_drop_not_billed,
    g29_no_response,
    g31_filing_window,
    g41_credit_balance,
)
from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor

RULES: tuple[Rule, ...] = (
    g01_past_unresolved.RULE,
    g02_no_show_fee.RULE,
    g03_checked_in_stuck.RULE,
    g04_left_unseen.RULE,
    g05_signed_not_checked_out.RULE,
    g11_unsigned.RULE,
    g12_cosign_pending.RULE,
    g13_missing_slip.RULE,
    g14_status4_no_claim.RULE,
    g15_services_not_billed.RULE,
    g18_waived.RULE,
    g20_duplicate.RULE,
    g21_late_charge.RULE,
    g22_voided_not_replaced.RULE,
    g23_charge_no_claim.RULE,
    g24_practice_hold.RULE,
    g25_vendor_hold.RULE,
    g26_drop_not_billed.RULE,
    g29_no_response.RULE,
    g31_filing_window.RULE,
    g41_credit_balance.RULE,
)

__all__ = ["RULES", "Finding", "GapStage", "Rule", "Suppressor"]
