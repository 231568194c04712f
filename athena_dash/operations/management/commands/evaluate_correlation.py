"""How often does a record end at its true visit? The real pipeline over a synthetic practice, scored by its
ledger."""

from athena_dash.operations.evaluation.command import EvaluationCommand
from athena_dash.operations.evaluation.correlation import evaluate_links


class Command(EvaluationCommand):
    help = (
        "Precision and recall of links by kind of record, over a synthetic practice in a throwaway database."
    )
    evaluate = staticmethod(evaluate_links)
