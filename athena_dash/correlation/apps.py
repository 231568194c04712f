from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "athena_dash.correlation"
    default_auto_field = "django.db.models.BigAutoField"
