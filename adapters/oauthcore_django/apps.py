"""The application in Django's registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from oauthcore_django.views import OAuth


class OAuthCoreConfig(AppConfig):
    """The Django application; `made` are the project's servers, which its commands use."""

    name = "oauthcore_django"
    label = "oauthcore"
    verbose_name = "OAuth"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: Any) -> None:
        super().__init__(app_name, app_module)
        self.made: list[OAuth] = []

    def ready(self) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Connect the receiver of logins at the start: a worker may get one before it has loaded the URLconf."""
        import oauthcore_django.auth_time  # noqa: F401  # connects its receiver
