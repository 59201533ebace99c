#!/bin/bash
# Cuts the power of a hub in its default configuration and looks at what is left.
#
# The data folder lies on an ext4 of its own in a file, mounted so that the kernel writes nothing back by itself: only what
# was synced has reached "the disk". While clients push, every process of the hub is frozen, the file is copied as it is,
# and the hub is killed. A hub is then started on the copy, and must have all that was acknowledged, whole.
#
# usage: test/torture/powercut.sh [cuts]     (BERTH_POWERCUTS, 5 unless given)
# Needs root, a loop device, mkfs.ext4 and util-linux. BERTH_POWERCUT_PRELOAD is a library to load into the hub, to see
# that the test fails when syncing does nothing.
set -euo pipefail

cuts=${1:-${BERTH_POWERCUTS:-5}}
seed=${BERTH_TORTURE_SEED:-$((RANDOM * 32768 + RANDOM))}
preload=${BERTH_POWERCUT_PRELOAD:-}
# The hub refuses settings that it does not know, and those of test runners are in the environment, too.
for setting in ${!BERTH_@}; do unset "$setting"; done
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
node="$root/node_modules/.bin/node"
work=$(mktemp -d)
disk=$work/disk
writeback=/proc/sys/vm/dirty_writeback_centisecs
before=$(cat "$writeback")
hub='' client='' signal=''
export BERTH_ADMIN_PASSWORD=powercut-password

clean() {
  [ -z "$client" ] || kill -KILL "$client" 2>/dev/null || true
  [ -z "$hub" ] || kill "-$signal" "$hub" 2>/dev/null || true
  wait 2>/dev/null || true
  echo "$before" > "$writeback"
  until umount "$disk" 2>/dev/null || ! mountpoint -q "$disk"; do sleep 0.1; done
  rm -rf "$work"
}
trap clean EXIT

# wait_for FILE PATTERN PROCESS: until the file has a line like that; fails when the process ends first
wait_for() {
  until grep -q "$2" "$1"; do
    kill -0 "$3" 2>/dev/null || { echo "ended before it said '$2':"; cat "$1"; return 1; }
    sleep 0.05
  done
}

# start_hub SIGNAL COMMAND…: the signal that ends it as a whole, and what comes before its own command
start_hub() {
  signal=$1
  shift
  : > "$work/hub.log"
  BERTH_DATA_DIR=$disk/data BERTH_PORT=$port "$@" "$node" "$root/bin/berth.mjs" serve > "$work/hub.log" 2>&1 &
  hub=$!
  wait_for "$work/hub.log" '^Berth is ready' "$hub"
}

members() {
  local space
  space=$(readlink "/proc/$(pgrep -P "$hub" | head -n 1)/ns/pid")
  for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/ns/pid" 2>/dev/null)" = "$space" ]; then echo "${process#/proc/}"; fi
  done
}

end_hub() {
  kill "-$signal" "$hub" 2>/dev/null || true
  wait "$hub" 2>/dev/null || true
  hub=''
}

free_port() {
  "$node" -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

echo "power cuts: seed $seed"
mkdir "$disk"
failed=0
for cut in $(seq "$cuts"); do
  rm -f "$work"/*.img "$work"/journal
  truncate -s 4G "$work/live.img"
  mkfs.ext4 -q -F "$work/live.img"
  echo 0 > "$writeback"
  mount -o loop,commit=300 "$work/live.img" "$disk"
  port=$(free_port)
  # In a process namespace of its own: whoever is in it is part of the hub, Postgres included.
  start_hub KILL env LD_PRELOAD="$preload" unshare --pid --fork --kill-child=KILL --mount-proc
  "$node" "$here/powercut-client.ts" push "http://127.0.0.1:$port" "$work/journal" "$((seed + cut))" > "$work/client.log" 2>&1 &
  client=$!
  wait_for "$work/client.log" '^enough' "$client"

  frozen=$(members)
  # Twice: a process may have been born while the first list was made.
  for process in $frozen $(members); do kill -STOP "$process" 2>/dev/null || true; done
  cp --sparse=always "$work/live.img" "$work/after.img"
  end_hub
  kill -KILL "$client" && wait "$client" 2>/dev/null || true
  client=''
  until umount "$disk" 2>/dev/null; do sleep 0.05; done
  echo "$before" > "$writeback"

  mount -o loop "$work/after.img" "$disk"
  start_hub TERM env
  if "$node" "$here/powercut-client.ts" verify "http://127.0.0.1:$port" "$work/journal" "$disk/data"; then
    echo "cut $cut of $cuts: everything acknowledged is there"
  else
    echo "cut $cut of $cuts FAILED (seed $seed)"
    failed=$((failed + 1))
  fi
  end_hub
  until umount "$disk" 2>/dev/null; do sleep 0.05; done
done
echo "power cuts: $cuts, failed: $failed, seed $seed"
echo "$((cuts - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
