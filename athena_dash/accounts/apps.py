from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "athena_dash.accounts"
    default_auto_field = "django.db.models.BigAutoField"
