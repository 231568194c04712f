"""How many gaps are real, and how many real ones are shown? Scored by the causes a synthetic practice wrote
down."""

from athena_dash.operations.evaluation.command import EvaluationCommand
from athena_dash.operations.evaluation.gaps import evaluate_gaps


class Command(EvaluationCommand):
    help = "Precision and recall of gaps by code, over a synthetic practice in a throwaway database."
    evaluate = staticmethod(evaluate_gaps)
