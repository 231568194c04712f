from django.db import migrations, models

FILL = """
update records_claim c
set first_seen = h.first_seen, primary_since = h.primary_since, secondary_since = h.secondary_since,
    patient_since = h.patient_since
from (
    select practice_id, claim_id, min(first_seen) as first_seen,
        max(first_seen) filter (where slot = 'primary' and watched) as primary_since,
        max(first_seen) filter (where slot = 'secondary' and watched) as secondary_since,
        max(first_seen) filter (where slot = 'patient' and watched) as patient_since
    from (select *, ended_at is null and not since_backfill as watched from records_claimstatuschange) seen
    group by practice_id, claim_id
) h
where h.practice_id = c.practice_id and h.claim_id = c.external_id
"""
SHOWN = "update records_claim set first_seen = fetched_at where first_seen is null and service_date is not null"
STANDING = "delete from records_claimstatuschange where ended_at is null"
BACK = """
insert into records_claimstatuschange (practice_id, claim_id, slot, status, first_seen, since_backfill)
select c.practice_id, c.external_id, s.slot, s.status, coalesce(s.since, c.first_seen), s.since is null
from records_claim c
cross join lateral (values
    ('primary', c.primary_status, c.primary_since), ('secondary', c.secondary_status, c.secondary_since),
    ('patient', c.patient_status, c.patient_since)
) as s(slot, status, since)
where s.status <> '' and c.first_seen is not null
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0003_facts_without_lookups")]

    operations = [
        *(
            migrations.AddField("claim", name, models.DateTimeField(null=True))
            for name in ("first_seen", "primary_since", "secondary_since", "patient_since")
        ),
        migrations.RemoveConstraint("claimstatuschange", "one_current_status_per_slot"),
        migrations.RunSQL([FILL, SHOWN, STANDING], [BACK]),
        migrations.AlterField("claimstatuschange", "ended_at", models.DateTimeField()),
    ]
