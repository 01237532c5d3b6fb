#!/bin/bash
# use.sh - the Debian package, as an administrator meets it.
#
# Run by build/package/test in a chroot whose process 1 is systemd, with the
# packages in /package: first.deb, and later.deb, the same with a later version.
# Answers in TAP.
#
# shellcheck disable=SC2086,SC2317 # names without spaces; ok() calls it

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
name=www.example.org
state=/var/lib/apache2/acme
package=libapache2-mod-acme
cd /package || exit 1

count=0
bad=0
ok() { # NAME COMMAND ...
    local title=$1
    shift
    count=$((count + 1))
    if "$@"; then
        echo "ok $count - $title"
    else
        echo "not ok $count - $title"
        bad=$((bad + 1))
    fi
}

not() { ! "$@"; }

# wait_for COMMAND ...: until it succeeds. A busy machine is slow.
wait_for() {
    local end=$((SECONDS + 120))

    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

finish() {
    if ((bad)); then
        tail -n 60 /var/log/apache2/error.log
        systemctl status --no-pager -l apache2
        journalctl --no-pager -n 40 -u apache2
    fi
    echo "1..$count"
    exit $((bad > 0))
} 2>&1

# must NAME COMMAND ...: without it nothing that follows makes sense.
must() {
    local before=$bad

    ok "$@"
    ((bad == before)) || finish
}

# ----- a CA

listens() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start_ca() {
    local dns=-dns01 more=()

    echo "127.0.0.1 localhost $name" >/etc/hosts
    echo "nameserver 127.0.0.1" >/etc/resolv.conf
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 30 -subj /CN=ca -keyout ca.key -out ca.pem \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null ||
        return
    cat >pebble.json <<'JSON'
{ "pebble": {
    "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
    "certificate": "/package/ca.pem", "privateKey": "/package/ca.key",
    "httpPort": 80, "tlsPort": 443,
    "ocspResponderURL": "", "externalAccountBindingRequired": false,
    "certificateValidityPeriod": 7776000 } }
JSON
    if pebble-challtestsrv -help 2>&1 | grep -q dnsserver; then
        dns=-dnsserver
        more=(-doh "")
    fi
    pebble-challtestsrv -management 127.0.0.1:8055 "$dns" 127.0.0.1:53 \
        -defaultIPv4 127.0.0.1 -defaultIPv6 "" -http01 "" -https01 "" \
        -tlsalpn01 "" "${more[@]}" >dns.log 2>&1 &
    PEBBLE_VA_NOSLEEP=1 pebble -config pebble.json -dnsserver 127.0.0.1:53 \
        >pebble.log 2>&1 &
    wait_for listens 14000 &&
        wait_for curl -sf --cacert ca.pem -o root.pem \
            https://localhost:15000/roots/0
}

orders() { grep -c 'Added order ' pebble.log; }

# ----- what is asked of the server

served() { # the serial of the certificate that a visitor trusts
    openssl s_client -connect 127.0.0.1:443 -servername $name \
        -CAfile root.pem -verify_hostname $name -verify_return_error \
        </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null
}

is_served() { [ "$(served)" = "$1" ]; }
is_trusted() { [ -n "$(served)" ]; }
other_is_served() { is_trusted && ! is_served "$1"; }
main_pid() { systemctl show -P MainPID apache2; }
installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' $package 2>/dev/null)" = "$1" ]
}
enabled() { a2query -q -m "$1" >/dev/null 2>&1; }
has_keys() {
    [ -s $state/live/$name/privkey.pem ] && [ -n "$(ls $state/accounts)" ]
}
drop_in_is_valid() {
    systemd-analyze verify --man=no apache2.service >verify.log 2>&1 &&
        not grep confine.conf verify.log
}
sees_no_process_of_root() {
    nsenter -t "$(main_pid)" -m setpriv --reuid www-data --regid www-data \
        --clear-groups sh -c 'test -e /proc/self && ! test -e /proc/1'
}
is_exported() {
    [ "$(stat -c '%a %U %G' /etc/exported/$name.pem)" = "640 nobody games" ]
}
install_deb() {
    apt-get -qq -y install "$@" </dev/null >apt.log 2>&1 ||
        { cat apt.log; false; }
}
dpkg_says() { # COMMAND ...: quiet unless it fails
    "$@" >dpkg.log 2>&1 </dev/null || { cat dpkg.log; false; }
}

# ----- the story

must "a CA runs" start_ca
must "the package installs, with apache2" install_deb ./first.deb
must "apache2 runs" systemctl -q is-active apache2
ok "the module is not enabled by that" not enabled acme
ok "acmectl is in /usr/sbin" test -x /usr/sbin/acmectl
for page in mod_acme acmectl mod_acme-hooks; do
    ok "the manual page $page is there" test -f /usr/share/man/man8/$page.8.gz
done
ok "the ready-made hooks are there" test -x /usr/share/mod_acme/hooks/notify-mail
ok "the state folder is there, with its mode" \
    test "$(stat -c '%a %U' $state)" = "755 root"

must "a2enmod enables it" a2enmod -q acme
ok "and mod_ssl, which it needs" enabled ssl
ok "apachectl accepts the configuration as shipped" apachectl -t

cat >/etc/apache2/conf-available/test-ca.conf <<'CONF'
ServerName localhost
<IfModule acme_module>
    AcmeCA https://localhost:14000/dir
    AcmeCACertificateFile /package/ca.pem
    AcmeReloadDelay 1s
    AcmeHook deploy /package/hook
    AcmeExport /etc/exported/%{id}.pem pem 0640 nobody:games
</IfModule>
CONF
cat >/etc/apache2/sites-available/$name.conf <<CONF
<VirtualHost *:443>
    ServerName $name
    DocumentRoot /var/www/html
    SSLEngine on
</VirtualHost>
CONF
cat >hook <<'HOOK'
#!/bin/sh
echo "deployed $ACME_ID" >>/var/log/apache2/hook.log
if touch /etc/written-by-hook; then
    echo "wrote to /etc" >>/var/log/apache2/hook.log
fi
HOOK
chmod +x hook
mkdir /etc/exported
a2enconf -q test-ca >/dev/null
a2ensite -q $name >/dev/null

must "apache2 restarts with a virtual host that has no certificate" \
    systemctl restart apache2
wait_for test -S $state/run/acme.sock
ok "without agreement nothing is ordered" test "$(orders)" = 0
ok "and acmectl says so" \
    sh -c 'acmectl status | grep -q not-agreed'

sed -i 's/^#AcmeTermsOfService agree$/AcmeTermsOfService agree/' \
    /etc/apache2/mods-available/acme.conf
must "after the agreement, apache2 restarts" systemctl restart apache2
must "the virtual host has a trusted certificate" wait_for is_trusted
ok "acmectl status is content" wait_for acmectl status
ok "one order was made" test "$(orders)" = 1
first=$(served)

# The drop-in.
mkdir -p /etc/systemd/system/apache2.service.d
cp /usr/share/mod_acme/systemd/confine.conf \
    /etc/systemd/system/apache2.service.d/
printf '[Service]\nReadWritePaths=/etc/exported\n' \
    >/etc/systemd/system/apache2.service.d/local.conf
systemctl daemon-reload
: >/var/log/apache2/error.log
rm -f /etc/exported/* /etc/written-by-hook /var/log/apache2/hook.log
must "apache2 restarts when confined by systemd" systemctl restart apache2
ok "systemd-analyze accepts the drop-in" drop_in_is_valid
ok "it is confined" test "$(systemctl show -P ProtectSystem apache2)" = strict
ok "its capabilities are those of the drop-in" \
    grep -qx "CapBnd:.00000000000005ef" "/proc/$(main_pid)/status"
ok "/etc is read-only for it" \
    not nsenter -t "$(main_pid)" -m touch /etc/written-from-inside
ok "workers do not see the processes of root" sees_no_process_of_root
ok "confined, it serves the certificate" wait_for is_served "$first"
ok "confined, it has a certificate renewed" acmectl renew $name --force
ok "and serves the new one" wait_for other_is_served "$first"
second=$(served)
ok "the command of deploy ran" \
    wait_for grep -q "deployed $name" /var/log/apache2/hook.log
ok "and could not write to /etc" test ! -e /etc/written-by-hook
ok "the copy of AcmeExport is there, with its owner" wait_for is_exported
ok "nothing was lost of the module's own protection" \
    not grep 'without this protection' /var/log/apache2/error.log
ok "no error is in the log" not grep 'acme.*:error\]' /var/log/apache2/error.log

# An upgrade.
before=$(main_pid)
ordered=$(orders)
must "a later version installs" \
    install_deb -o Dpkg::Options::=--force-confold ./later.deb
ok "the configuration is the administrator's" \
    grep -qx 'AcmeTermsOfService agree' /etc/apache2/mods-available/acme.conf
ok "the module is still enabled" enabled acme
ok "apache2 was restarted" not test "$(main_pid)" = "$before"
ok "it serves the same certificate" wait_for is_served "$second"
ok "nothing was ordered" test "$(orders)" = "$ordered"
ok "acmectl status is content" wait_for acmectl status

# An upgrade of a server that is stopped, and a start without a folder.
systemctl stop apache2
must "it installs while apache2 is stopped" \
    dpkg_says dpkg --force-confold -i ./later.deb
ok "apache2 stays stopped" not systemctl -q is-active apache2
mv /var/cache/apache2 /var/cache/apache2.away
must "confined, it starts without a folder of the drop-in" \
    systemctl start apache2
mv /var/cache/apache2.away /var/cache/apache2
ok "it serves the same certificate" wait_for is_served "$second"

# A removal, and back.
a2dissite -q $name >/dev/null
must "the package is removed" dpkg_says apt-get -y remove $package
ok "its configuration stays" installed config-files
ok "the module is disabled" not enabled acme
ok "apache2 runs without it" systemctl -q is-active apache2
ok "keys, certificates and accounts are there" has_keys
must "the package installs again" install_deb ./later.deb
a2enmod -q acme >/dev/null
a2ensite -q $name >/dev/null
systemctl restart apache2
ok "it serves the same certificate again" wait_for is_served "$second"
ok "nothing was ordered" test "$(orders)" = "$ordered"

# Purges. The answers: none, no, by hand yes.
purge_with() { # ANSWER: preseeded
    debconf-set-selections <<<"$package $package/remove-state boolean $1" &&
        purge
}
purge() { a2dissite -q $name >/dev/null; dpkg_says apt-get -y purge $package; }
ok "a purge without an answer succeeds" purge
ok "and says that the keys stay" grep -q "stay in $state" dpkg.log
ok "they stay" has_keys
ok "the configuration is gone" test ! -e /etc/apache2/mods-available/acme.conf
ok "nothing of the package is left" not installed config-files

install_deb ./later.deb
ok "a purge with the answer no succeeds" purge_with false
ok "the keys stay" has_keys

install_deb ./later.deb
# On a terminal systemctl would take the answer for itself: removed before.
purge_on_terminal() {
    dpkg_says apt-get -y remove $package && printf 'no\n' |
        DEBIAN_FRONTEND=teletype timeout 120 \
            script -qefc "dpkg --purge $package" asked >/dev/null &&
        grep -q 'Remove the keys, certificates and accounts' asked
}
ok "a purge asks, on a terminal" purge_on_terminal
ok "the keys stay after no" has_keys

install_deb ./later.deb
ok "a purge with the answer yes succeeds" purge_with true
ok "the keys are gone" test ! -e $state
ok "apache2 runs" systemctl -q is-active apache2

# The state folder is a link to another place.
mkdir -p /srv/acme/accounts/ca
echo key >/srv/acme/accounts/ca/key.pem
echo other >/srv/acme/other
install_link() { rm -rf $state && ln -s /srv/acme $state; }
install_link
install_deb ./later.deb
ok "a purge with the answer no succeeds" purge_with false
ok "and says where the keys stay" grep -q "stay in /srv/acme" dpkg.log
ok "they stay" test -s /srv/acme/accounts/ca/key.pem
install_link
install_deb ./later.deb
ok "a purge with the answer yes succeeds" purge_with true
ok "the keys are gone" test ! -e /srv/acme/accounts
ok "and so is the link" test ! -L $state
ok "what is not of mod_acme stays" test -s /srv/acme/other
finish
