from django.apps import AppConfig


class RecoveryConfig(AppConfig):
    name = "athena_dash.recovery"
    default_auto_field = "django.db.models.BigAutoField"
