"""Half of each page of visits stays free: a visit is written when it is found and again when it is judged, and what is
written again on its own page touches no index. Judged at once without it, the table grows as large, with dead rows."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("correlation", "0008_links_without_their_visits_looked_up")]
    operations = [
        migrations.RunSQL(
            "alter table correlation_visit set (fillfactor = 50)",
            "alter table correlation_visit reset (fillfactor)",
        )
    ]
