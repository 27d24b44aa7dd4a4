"""An authorization server in a Django project: records in Django's database, and Django's users.

Put `"oauthcore_django"` into `INSTALLED_APPS` and run `migrate`. `oauthcore_django.storage.DjangoStorage` is a storage
on a connection of Django's; `oauthcore_django.views` has `OAuth`, whose `urls` go into a URLconf under WSGI and ASGI
alike, and `require`. Nothing is imported here: Django has to load its registry before any model.
"""
