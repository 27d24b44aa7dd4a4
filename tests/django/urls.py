"""No urls: the tests call views."""

urlpatterns: list[object] = []
