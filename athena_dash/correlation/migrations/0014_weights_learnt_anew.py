"""Stored weights say what they said before the facts were cut otherwise, and by which way of learning they were made."""

from decimal import Decimal

from django.db import migrations, models

STRAY = "stray "


def as_before(points):
    """`billed_rest` was counted beside "within", which it implies; what bills other services was "taken"."""
    found = dict(points)
    for kind in ("", STRAY):
        if kind + "taken" in points:
            found.setdefault(f"{kind}billed_other", points[f"{kind}taken"])
        if kind + "billed_rest" in points:
            within = Decimal(points.get(f"{kind}procedures_within", 0))
            found[f"{kind}billed_rest"] = str(Decimal(points[f"{kind}billed_rest"]) + within)
    return found


def carry_over(apps, schema_editor):
    for row in apps.get_model("correlation", "Weights").objects.exclude(points={}):
        row.points = as_before(row.points)
        row.save(update_fields=["points"])


class Migration(migrations.Migration):
    dependencies = [("correlation", "0013_coverage")]

    operations = [
        migrations.AddField(
            model_name="weights",
            name="method",
            field=models.PositiveSmallIntegerField(default=1),
            preserve_default=False,
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
    ]
