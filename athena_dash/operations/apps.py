from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "athena_dash.operations"
    default_auto_field = "django.db.models.BigAutoField"
