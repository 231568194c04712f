from django.apps import AppConfig


class PracticesConfig(AppConfig):
    name = "athena_dash.practices"
    default_auto_field = "django.db.models.BigAutoField"
