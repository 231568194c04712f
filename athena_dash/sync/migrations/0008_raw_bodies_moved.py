from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0007_raw_bodies_into_segments'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='rawrecord',
            name='raw_unprocessed',
        ),
        migrations.RemoveField(
            model_name='rawrecord',
            name='body',
        ),
        migrations.RemoveField(
            model_name='rawrecord',
            name='hash',
        ),
        migrations.RemoveField(
            model_name='rawrecord',
            name='processed_version',
        ),
        migrations.RemoveField(
            model_name='rawrecord',
            name='run',
        ),
    ]
