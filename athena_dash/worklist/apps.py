from django.apps import AppConfig


class WorklistConfig(AppConfig):
    name = "athena_dash.worklist"
    default_auto_field = "django.db.models.BigAutoField"
