# chroot.sh - a clean Debian of any suite: how it is made, upgraded, entered.
#
# Sourced by bash in the project's folder, as root, by scripts that set suite,
# elsewhere (the folder of the chroots) and root ("$elsewhere/$suite", or a copy
# of that), and have fail(). The mounts are for the caller's own mount namespace.
#
# shellcheck shell=bash disable=SC2154,SC2016

# apart SCRIPT ARG ...: runs it again with --apart, in a mount namespace and a
# process namespace of its own: however this ends, the kernel takes both away.
# The shell ends with it.
apart() {
    setpriv --pdeathsig KILL unshare --mount --propagation private \
        --pid --fork --kill-child "$1" --apart "${@:2}" &
    trap 'kill -KILL $!' HUP INT TERM
    wait $!
    exit
}

# The mirror of Debian that the machine's own apt uses.
mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
        'Origin: Debian' 'Label: Debian' 'Component: main' | head -n 1
}

# The chroot is there as a whole or not at all.
make_root() {
    local base=$elsewhere/$suite from

    [ ! -d "$base" ] || return 0
    command -v debootstrap >/dev/null || fail "debootstrap is not installed"
    from=$(mirror)
    [ -n "$from" ] ||
        fail "apt has no list of a Debian mirror: run apt-get update"
    {
        rm -rf --one-file-system "$base.new" && mkdir -p "$elsewhere" &&
            debootstrap --variant=minbase "$suite" "$base.new" "$from" &&
            mv "$base.new" "$base"
    } || fail "no chroot of $suite; $base.new has what debootstrap left"
}

# / is a mount point as tests expect that mount something themselves.
mount_root() {
    mount --bind "$root" "$root" && mount --rbind /dev "$root/dev" &&
        mount -t proc proc "$root/proc"
}

enter() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# With the machine's proxy and the like: a mirror that stands still, for
# example, is only usable while apt does not ask for a young list. What an
# earlier run left half installed, as it was ended, is finished first.
upgrade_root() {
    cp -L --remove-destination /etc/resolv.conf /etc/hosts "$root/etc/" &&
        apt-config dump Acquire |
        grep -Ev '^Acquire::(IndexTargets|Changelogs)\>' \
            >"$root/etc/apt/apt.conf.d/90elsewhere" &&
        enter dpkg --configure -a </dev/null &&
        enter apt-get -qq update &&
        enter apt-get -qq -y --fix-broken dist-upgrade </dev/null
}
