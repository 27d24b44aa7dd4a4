"""The application, as Django's registry knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from oauthcore_django.views import OAuth


class OAuthCoreConfig(AppConfig):
    """Name the application; `made` are the project's servers, for its commands to find."""

    name = "oauthcore_django"
    label = "oauthcore"
    verbose_name = "OAuth"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: Any) -> None:
        super().__init__(app_name, app_module)
        self.made: list[OAuth] = []

    def ready(self) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Listen for sign-ins from the start: a worker may see one before it has loaded the URLconf."""
        import oauthcore_django.auth_time  # noqa: F401  # imported for its receiver
