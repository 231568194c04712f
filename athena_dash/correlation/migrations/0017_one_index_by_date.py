"""Each index costs a new visit more than its row does: of two by date, one is left. A list sorts each day by id."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("correlation", "0016_diagnoses_within")]

    operations = [
        migrations.RemoveIndex(model_name="visit", name="visit_department_day"),
        migrations.RemoveIndex(model_name="visit", name="visit_by_date"),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(fields=["practice", "-service_date", "department_id"], name="visit_by_date"),
        ),
    ]
