# shellcheck shell=bash
# Label Studio as setup.sh seeds it and up.sh starts it. Sourced.

# in_label_studio DATA COMMAND...
in_label_studio() (
  export LABEL_STUDIO_BASE_DATA_DIR=$1 DJANGO_DB=sqlite LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true
  export COLLECT_ANALYTICS=false LATEST_VERSION_CHECK=false SENTRY_DSN='' FRONTEND_SENTRY_DSN=''
  export LOCAL_FILES_SERVING_ENABLED=true LOCAL_FILES_DOCUMENT_ROOT=$1/files
  unset DJANGO_SETTINGS_MODULE
  shift
  "$@"
)
