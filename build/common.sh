# common.sh - what build/demo and others share: packages, and a build.
#
# Sourced by bash in the project's folder. Nothing here ends the shell.
# shellcheck shell=bash

# What apt does, in some lines: it may take minutes.
show_apt() {
    local line downloaded=0 unpacked=0 installed=0

    while IFS= read -r line; do
        case $line in
        'Need to get '*) echo "  $line" ;;
        'Get:'*) ((++downloaded % 25)) || echo "  $downloaded downloaded" ;;
        'Unpacking '*) ((++unpacked % 25)) || echo "  $unpacked unpacked" ;;
        'Setting up '*) ((++installed % 25)) || echo "  $installed installed" ;;
        esac
    done
}

# install_packages [demo | live | bench]: those of build/packages that are not
# there yet; with "demo" only those that the build, the unit tests and build/demo
# need, with "live" also those of build/elsewhere, with "bench" those of
# build/bench too. As root.
install_packages() {
    local name rest missing=()

    while read -r name rest; do
        case $name,$rest in
        '#,For the live tests:') [ "${1:-}" != demo ] || break ;;
        '#,For the benchmarks:') [ "${1:-}" != live ] || break ;;
        '#,For other tests:') [ "${1:-}" != bench ] || break ;;
        esac
        case $name in
        '' | '#'*) continue ;;
        esac
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
            grep -qx installed || missing+=("$name")
    done <build/packages
    ((${#missing[@]})) || return 0

    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update &&
        LC_ALL=C apt-get -q install -y --no-install-recommends "${missing[@]}" \
            </dev/null > >(show_apt)
}

# in_plain_folder SCRIPT [ARG ...]: configure and make refuse a path with a
# space, and others. From such a one the script runs in a copy of the tree
# instead, which gives back its logs; the shell ends with it.
in_plain_folder() {
    local copy rc=0

    case $PWD in
    *[!A-Za-z0-9/._+,@%:=-]*) ;;
    *) return 0 ;;
    esac
    copy=$(mktemp -d /tmp/mod_acme-copy-XXXXXX) || exit 1
    chmod 755 "$copy"
    echo "$PWD: configure refuses such a path; working on a copy in $copy"
    tar -c --exclude=./.build --exclude=./.git --exclude=./configure \
        --exclude=./Makefile.in . | tar -x --no-same-owner -C "$copy" || exit 1
    "$copy/$1" "${@:2}" || rc=$?
    if [ -d "$copy/.build/log" ]; then
        mkdir -p .build && rm -rf .build/log &&
            cp -r "$copy/.build/log" .build/log
    fi
    rm -rf "$copy"
    exit "$rc"
}

# build_tree FOLDER [CONFIGURE-ARGUMENT ...]: configure once, and make.
build_tree() {
    local source=$PWD folder=$1
    shift

    if [ ! -x configure ] || [ ! -f Makefile.in ]; then
        autoreconf -fi || return 1
    fi
    mkdir -p "$folder" || return 1
    if [ ! -f "$folder/Makefile" ]; then
        (cd "$folder" && "$source/configure" -q "$@") || return 1
    fi
    make -s -C "$folder" -j"$(nproc)"
}
