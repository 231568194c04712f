from pathlib import Path

from django.apps import AppConfig
from django.conf import settings

from athena_dash.core import clock
from integrations.sandbox.world_time import WorldTime


class OperationsConfig(AppConfig):
    name = "athena_dash.operations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        if settings.CLOCK:
            clock.follow(WorldTime(Path(settings.CLOCK)).now)
