#!/usr/bin/env bash
# Runs one step of `make test`: says what it does, keeps what it said, and passes on how it ended.
#
#   step.sh FOLDER NAME COMMAND...   runs it; its output also goes to FOLDER/NAME.log
#   step.sh FOLDER --begin           forgets the logs of an earlier run
#   step.sh FOLDER --end             the summaries of all steps, and what was skipped
set -euo pipefail

folder=$1 name=$2
shift 2
mkdir -p "$folder"

# What the runners say of themselves: cargo's tests, the charts, the drivers, the clients' script.
SUMMARY='^test result:|^charts: [0-9]+ checks|^clients: [0-9]+ parts|^[a-z-]+: [0-9]+ checks, [0-9]+ failed'
SKIPPED='^skip: |: skipped: '

case $name in
  --begin)
    rm -f "$folder"/*.log "$folder/order"
    exit
    ;;
  --end)
    printf '\n== what was skipped\n'
    (cd "$folder" && while read -r step; do grep -hE "$SKIPPED" "$step.log" || true; done < order) | sort -u | sed 's/^/  /'
    printf '\n== summaries\n'
    (cd "$folder" && while read -r step; do grep -E "$SUMMARY" "$step.log" | sed "s/^/  $step: /" || true; done < order)
    printf '\nmake test: every step passed\n'
    exit
    ;;
esac

printf '== %s: %s\n' "$name" "$*"
grep -qxs "$name" "$folder/order" || echo "$name" >> "$folder/order"
since=$SECONDS
status=0
"$@" 2>&1 | tee "$folder/$name.log" || status=${PIPESTATUS[0]}
# tests/setup.sh ends with 3 if a part can't be installed here: the steps that need it skip it by name.
if [ "$name" = setup ] && [ "$status" = 3 ]; then status=0; fi
if [ "$status" != 0 ]; then
  printf '== %s: FAILED with status %s after %s s; its output is in %s\n' "$name" "$status" $((SECONDS - since)) "$folder/$name.log"
  exit "$status"
fi
printf '== %s: ok, %s s\n' "$name" $((SECONDS - since))
