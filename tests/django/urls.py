"""A project's URLconf: two servers, for the commands to find."""

from oauthcore import World
from oauthcore_django.storage import DjangoStorage
from oauthcore_django.views import OAuth, login_of

world = World(DjangoStorage())
first = OAuth.at("https://as.example", world, bytes(32), interaction="/consent", login=login_of)
second = OAuth.at("https://other.example/t", world, bytes(32), interaction="/consent", login=login_of)
urlpatterns = [*first.urls, *second.urls]
