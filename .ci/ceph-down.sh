#!/usr/bin/env bash
# Ends the S3 server that ceph-up.sh started in FOLDER, and nothing else, and removes FOLDER.
set -euo pipefail

folder=${1:?usage: ceph-down.sh FOLDER}
[ -e "$folder/ceph.conf" ] || exit 0
folder=$(cd "$folder" && pwd)

# A pid may have been given to another process since: only one that was started with our configuration is ours.
is_ours() { tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline" | grep -qxF "$folder/ceph.conf"; }

for file in "$folder"/run/*.pid; do
  [ -e "$file" ] || continue
  pid=$(cat "$file")
  is_ours "$pid" || continue
  # Its data is in memory and goes with it, so there is nothing to shut down in order.
  kill -KILL "$pid"
  while is_ours "$pid"; do sleep 0.05; done
done
rm -rf "$folder"
