from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("sync", "0012_how_many_wait"),
    ]

    operations = [
        # a row lives for seconds: to pack some thousand ids and to unpack them takes longer than to write them
        migrations.RunSQL(
            "alter table sync_touched alter column ids set storage external",
            "alter table sync_touched alter column ids set storage extended",
        ),
    ]
