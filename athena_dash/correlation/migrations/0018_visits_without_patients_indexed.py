"""A patient's visits are found by the records that anchor them: the index cost each new visit a fifth of its writing."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("correlation", "0017_one_index_by_date")]

    operations = [migrations.RemoveIndex(model_name="visit", name="visit_patient")]
