from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "athena_dash.core"
