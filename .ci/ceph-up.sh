#!/usr/bin/env bash
# Starts a real S3 server (Ceph's radosgw over one monitor, one manager and one in-memory store) on loopback:
#   .ci/ceph-up.sh FOLDER [PORT]
# Everything it is lives in FOLDER; FOLDER/env holds what a client needs; `.ci/ceph-down.sh FOLDER` ends it.
# Needs root and the packages that install-clients.sh installs. Holds up to 8 GiB, in memory.
set -euo pipefail

folder=${1:?usage: ceph-up.sh FOLDER [PORT]}
port=${2:-7480}
bucket=berth
access_key=BERTHACCESSKEY
secret_key=berth-secret-key
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[ ! -e "$folder/ceph.conf" ] || "$here/ceph-down.sh" "$folder"
mkdir -p "$folder"/{mon,mgr,osd,run,log}
trap '"$here/ceph-down.sh" "$folder"' ERR

# The monitor's ports follow the S3 port, so that several can run side by side.
mon_v2=$((port + 20000)) mon_v1=$((port + 20001))
monitor="[v2:127.0.0.1:$mon_v2,v1:127.0.0.1:$mon_v1]"
fsid=$(cat /proc/sys/kernel/random/uuid)

cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $fsid
mon_host = $monitor
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_port_min = $((port + 20010))
ms_bind_port_max = $((port + 20060))
# radosgw hangs when authentication is off.
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = $folder/keyring
mon_data = $folder/mon
mgr_data = $folder/mgr
osd_data = $folder/osd
run_dir = $folder/run
admin_socket = $folder/run/\$name.asok
pid_file = $folder/run/\$name.pid
log_file = $folder/log/\$name.log
osd_objectstore = memstore
memstore_device_bytes = $((8 * 1024 * 1024 * 1024))
osd_max_object_name_len = 256
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
rgw_frontends = beast endpoint=127.0.0.1:$port
rgw_crypt_require_ssl = false
CONF

# Each of these goes to the background by itself once it is up, and leaves its pid in FOLDER/run.
daemon() { "$@" -c "$folder/ceph.conf" --setuser root --setgroup root >>"$folder/log/start.log" 2>&1; }
ceph_admin() { timeout 30 ceph -c "$folder/ceph.conf" "$@"; }

new_key() {
  local name=$1; shift
  local grants=() service
  for service in "$@"; do grants+=(--cap "$service" 'allow *'); done
  ceph-authtool "$folder/keyring" --gen-key -n "$name" "${grants[@]}" >/dev/null
}

until_true() {
  local what=$1 deadline=$((SECONDS + 60)); shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || { echo "ceph: gave up waiting for $what; see $folder/log" >&2; return 1; }
    sleep 0.2
  done
}

store_is_up() { ceph_admin osd stat | grep -q '1 up'; }

ceph-authtool --create-keyring "$folder/keyring" >/dev/null
new_key mon. mon
new_key client.admin mon osd mgr mds
new_key mgr.a mon osd mds
new_key osd.0 mon osd mgr
monmaptool --create --clobber --fsid "$fsid" --addv a "$monitor" "$folder/monmap" >/dev/null
daemon ceph-mon -i a --mkfs --monmap "$folder/monmap" --keyring "$folder/keyring"
daemon ceph-mon -i a
daemon ceph-mgr -i a
ceph_admin osd create >/dev/null
# It complains that a store in memory has nothing to format, and writes the files that the next line needs all the same.
daemon ceph-osd -i 0 --mkfs || true
daemon ceph-osd -i 0
ceph_admin osd crush add osd.0 1.0 root=default host=localhost >/dev/null 2>&1
until_true 'the object store' store_is_up
timeout 60 radosgw-admin -c "$folder/ceph.conf" user create --uid=berth --display-name=berth \
  --access-key="$access_key" --secret-key="$secret_key" >/dev/null 2>>"$folder/log/start.log"
daemon radosgw -n client.admin
until_true 'radosgw' curl -s -o /dev/null "http://127.0.0.1:$port/"
curl -fsS -o /dev/null -X PUT -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' --aws-sigv4 aws:amz:us-east-1:s3 --user "$access_key:$secret_key" \
  "http://127.0.0.1:$port/$bucket"

cat >"$folder/env" <<ENV
export BERTH_TEST_S3_ENDPOINT=http://127.0.0.1:$port
export BERTH_TEST_S3_BUCKET=$bucket
export BERTH_TEST_S3_ACCESS_KEY=$access_key
export BERTH_TEST_S3_SECRET_KEY=$secret_key
ENV
echo "S3 server on http://127.0.0.1:$port, bucket $bucket; settings in $folder/env"
