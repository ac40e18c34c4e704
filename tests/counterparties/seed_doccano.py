"""Fills an empty doccano data folder: a migrated database and one service account, whose token stands in `token`.

usage: seed_doccano.py NAME; the folder is DOCCANO_HOME.
"""
import os
import pathlib
import secrets
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402


def without_waiting(connection, **_):
    """A seed that a crash broke is thrown away, so nothing has to be on the disk before the end."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous=OFF")


connection_created.connect(without_waiting)
call_command("migrate", "--no-color", verbosity=0)
call_command("create_roles")

name = sys.argv[1]
account = User.objects.create_superuser(name, f"{name}@example.com", secrets.token_hex(16))
token = Token.objects.create(user=account)
home = pathlib.Path(os.environ["DOCCANO_HOME"])
(home / "media").mkdir(exist_ok=True)
(home / "token").write_text(token.key)
