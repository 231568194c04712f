"""Stored weights say what they said before diagnoses within more of the visit's were told from the same ones."""

from django.db import migrations

OLD, NEW = "diagnoses_agree", "diagnoses_within"


def carry_over(apps, schema_editor):
    for row in apps.get_model("correlation", "Weights").objects.exclude(points={}):
        for kind in ("", "stray "):
            if kind + OLD in row.points:
                row.points.setdefault(kind + NEW, row.points[kind + OLD])
        row.save(update_fields=["points"])


class Migration(migrations.Migration):
    dependencies = [("correlation", "0015_an_appointment_is_its_visit")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
