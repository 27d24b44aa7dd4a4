"""The application, as Django's registry knows it."""

from django.apps import AppConfig


class OAuthCoreConfig(AppConfig):
    """Name the application."""

    name = "oauthcore_django"
    label = "oauthcore"
    verbose_name = "OAuth"
    default_auto_field = "django.db.models.BigAutoField"
