from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "athena_dash.sync"
    default_auto_field = "django.db.models.BigAutoField"
