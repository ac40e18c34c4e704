# shellcheck shell=bash
# doccano as setup.sh seeds it and up.sh starts it. Sourced.

# in_doccano VENV DATA COMMAND...: with doccano's settings, in the folder of its code.
in_doccano() (
  code=$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/backend
  cd "$code" || exit 1
  export DOCCANO_HOME=$2 DATABASE_URL=sqlite:///$2/db.sqlite3 MEDIA_ROOT=$2/media STANDALONE=True PYTHONPATH=.
  export DJANGO_SETTINGS_MODULE=config.settings.production SECRET_KEY=for-tests-on-loopback-only
  shift 2
  "$@"
)
