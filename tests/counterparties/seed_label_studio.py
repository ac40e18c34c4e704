"""Fills an empty Label Studio data folder: a migrated database and one service account, whose token stands in `token`.

usage: seed_label_studio.py EMAIL; the folder is LABEL_STUDIO_BASE_DATA_DIR.
"""
import os
import pathlib
import secrets
import sys
from argparse import Namespace

from label_studio import server

server._setup_env()

from django.core.management import call_command  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402


def without_waiting(connection, **_):
    """A seed that a crash broke is thrown away, so nothing has to be on the disk before the end."""
    if connection.vendor == "sqlite":
        connection.cursor().execute("PRAGMA synchronous=OFF")


connection_created.connect(without_waiting)
call_command("migrate", "--no-color", verbosity=0)

home = pathlib.Path(os.environ["LABEL_STUDIO_BASE_DATA_DIR"])
(home / "files").mkdir()
token = secrets.token_hex(20)
account = Namespace(
    username=sys.argv[1],
    password=secrets.token_hex(16),
    user_token=token,
    quiet_mode=True,
    enable_legacy_api_token=True,
)
server._create_user(account, {})
(home / "token").write_text(token)
