# Which Debian 12 packages are needed, and how to get those that are missing. Sourced by the others.

BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config libldns-dev libssl-dev libuv1-dev
    liburcu-dev liblmdb-dev libjemalloc-dev libcap-ng-dev libsystemd-dev)
RUN_PACKAGES=(bind9-dnsutils)
TEST_PACKAGES=(libcmocka-dev clang-14 libclang-rt-14-dev lld llvm-14 clang-format-14 clang-tidy-14
    python3-pytest python3-pytest-xdist python3-dnspython bind9 bind9-utils bind9-dnsutils knot
    knot-dnsutils knot-dnssecutils nsd unbound ldnsutils dnsperf openssl xz-utils patch iproute2
    mandoc)
# These bring a daemon that is of no use to us but as a program.
DAEMON_UNITS=(named knot nsd unbound)

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME ...: only what is missing. Nothing that is there is upgraded, no daemon is
# started, stopped or enabled, also not by the packages themselves.
install_packages() {
    local missing=() name unit as_root=()
    for name in "$@"; do
        is_installed "$name" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "missing packages: ${missing[*]}" >&2; return 1; }
        as_root=(sudo)
    fi
    local fresh_units=()
    for unit in "${DAEMON_UNITS[@]}"; do
        [ -e "/lib/systemd/system/$unit.service" ] || fresh_units+=("$unit")
    done
    echo "installing: ${missing[*]}"
    # Installing must not start a daemon: in a container it fails, elsewhere it would disturb.
    local policy=/usr/sbin/policy-rc.d our_policy=0
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null &&
            "${as_root[@]}" chmod 755 $policy && our_policy=1
    fi
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get install -y -qq --no-install-recommends --no-upgrade "${missing[@]}" >/dev/null
    local status=$?
    [ $our_policy -eq 0 ] || "${as_root[@]}" rm -f $policy
    # What has come along now shall not start at the next boot either.
    if command -v systemctl >/dev/null; then
        for unit in "${fresh_units[@]}"; do
            [ ! -e "/lib/systemd/system/$unit.service" ] ||
                "${as_root[@]}" systemctl --quiet disable "$unit" 2>/dev/null || true
        done
    fi
    [ $status -eq 0 ] || echo "could not install: ${missing[*]}" >&2
    return $status
}
