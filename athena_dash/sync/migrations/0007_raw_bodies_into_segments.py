"""Bodies kept one by one move into segments, a thousand at a time; killed in between, it goes on where it was."""

import hashlib
import zlib
from itertools import groupby

from backports import zstd
from django.db import migrations, transaction

BATCH = 1000


def into_segments(apps, schema_editor):
    RawRecord = apps.get_model('sync', 'RawRecord')
    left = RawRecord.objects.filter(segment__isnull=True, purged_at__isnull=True).order_by('pk')
    last = 0
    while rows := list(left.filter(pk__gt=last)[:BATCH]):
        last = rows[-1].pk
        with transaction.atomic():
            for (_, feed, version), group in groupby(sorted(rows, key=kept_together), key=kept_together):
                move(apps, feed, None if version < 0 else version, list(group))


def kept_together(row):
    version = row.processed_version
    return row.practice_id, row.resource.removesuffix('.roster'), -1 if version is None else version


def move(apps, feed, version, rows):
    bodies = [zlib.decompress(bytes(row.body)) if row.body else b'' for row in rows]
    segment = apps.get_model('sync', 'RawSegment').objects.create(
        practice_id=rows[0].practice_id,
        resource=feed,
        body=zstd.compress(b''.join(bodies), 1),
        first_id=rows[0].pk,
        last_id=rows[-1].pk,
        kept_at=max(row.fetched_at for row in rows),
        processed_version=version,
    )
    start = 0
    for row, body in zip(rows, bodies, strict=True):
        row.segment_id, row.start, row.digest = segment.pk, start, hashlib.sha256(body).digest()
        row.body = b''
        start += len(body)
    apps.get_model('sync', 'RawRecord').objects.bulk_update(rows, ['segment_id', 'start', 'digest', 'body'])


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ('sync', '0006_raw_segments'),
    ]

    operations = [
        migrations.RunPython(into_segments),
    ]
