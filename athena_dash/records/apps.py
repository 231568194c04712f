from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "athena_dash.records"
    default_auto_field = "django.db.models.BigAutoField"
