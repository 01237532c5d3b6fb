/*
 * acme_directives.h - the directives: the one table of them.
 *
 * A row is name, syntax, default, where, parser, field, meaning, example. One
 * without a default takes none instead of a value, which takes back what was
 * said before or is inherited. The
 * parser, the defaults and httpd's own table (acme_commands), the merge
 * (acme_server_conf) and the manual (build/print_directives) read it.
 */
#ifndef ACME_DIRECTIVES_H
#define ACME_DIRECTIVES_H

#include "acme_hook_event.h"
#include "acme_known_ca.h"

/*
 * ACME_VHOST: server config, virtual host. ACME_CERT: the same, and virtual
 * hosts that share a certificate should have the same value. ACME_SERVER:
 * server config only.
 */
#define ACME_VHOST  0
#define ACME_SERVER 1
#define ACME_CERT   2

#define ACME_DIRECTIVES_EVENT(name, word) " " word

#define ACME_DIRECTIVES(X) \
    X(AcmeEngine, "on|off", "off", ACME_VHOST, flag, engine, \
      "Manage the certificate of this virtual host. In the server config: " \
      "of every virtual host that has SSLEngine on and no " \
      "SSLCertificateFile. A virtual host without SSLEngine on that has " \
      "AcmeEngine on itself is managed too, for other programs that use " \
      "the certificate.", \
      "AcmeEngine on") \
    X(AcmeTermsOfService, "agree|none", NULL, ACME_CERT, agree, agreed, \
      "Agree to the CA's terms of service. Without this directive no " \
      "certificate is ordered; the error log and the status page say so.", \
      "AcmeTermsOfService agree") \
    X(AcmeCA, "name|url ...", "letsencrypt", ACME_CERT, cas, cas, \
      "The certificate authority: " ACME_KNOWN_CA_SHORTHANDS " or the URL " \
      "of an ACME directory. Buypass has issued no TLS certificates since " \
      "31 October 2025. " \
      "With several, each CA is tried in this order: if orders at the " \
      "first one fail, the next one is used in time before the " \
      "certificate expires. " \
      "Another list takes effect at the next reload: a certificate of a CA " \
      "that is not in it any more is ordered anew.", \
      "AcmeCA letsencrypt https://ca.example.org/directory") \
    X(AcmeContact, "address ...|none", NULL, ACME_CERT, contacts, contacts, \
      "E-mail addresses at which the CA may contact the holder of the " \
      "account. A change is sent to the CA after the next reload.", \
      "AcmeContact admin@example.org") \
    X(AcmeExternalAccount, "kid hmac|file:path [ca=name|url] | none", NULL, ACME_CERT, \
      external_accounts, external_accounts, \
      "External account binding: the key identifier and the HMAC key " \
      "(base64url) that the CA issued to you. Keep the HMAC key in a file " \
      "of mode 0600. A different key identifier creates a new account. With " \
      "ca= it is used for that CA only, and the directive may be repeated " \
      "for others. Without ca= it is used for the CAs that AcmeCA names " \
      "beside it; a virtual host with another CA does not send it.", \
      "AcmeExternalAccount kid-1 file:/etc/acme/hmac.key") \
    X(AcmeCertificate, "id|none", NULL, ACME_VHOST, id, id, \
      "Virtual hosts with the same id share one certificate. Default: the " \
      "first name of the certificate, which normally is the ServerName. In " \
      "the server config: one certificate for all managed virtual hosts.", \
      "AcmeCertificate shop.example.org") \
    X(AcmeNames, "auto|name ...", "auto", ACME_VHOST, names, names, \
      "The names of the certificate. auto adds the ServerName and every " \
      "ServerAlias without a wildcard. Wildcards and IP addresses are " \
      "never added automatically: list them here. Wildcards can only be " \
      "validated by dns-01 and dns-persist-01.", \
      "AcmeNames auto *.example.org") \
    X(AcmeChallenges, "type ...", "http-01 tls-alpn-01 dns-01 " \
      "dns-persist-01", ACME_CERT, challenges, challenges, \
      "Challenge types in order of preference. Types that cannot work on " \
      "this server are skipped; when one fails, the next is tried. After a change and a " \
      "reload a failed order is tried at once.", \
      "AcmeChallenges tls-alpn-01 http-01") \
    X(AcmeDns, "exec command [option ... | cleanup-command] [follow=off] | " \
      "rfc2136 server=host[:port] key=file [zone=auto|name] [follow=off] | " \
      "none", \
      NULL, ACME_CERT, commands_dns, dns, \
      "How the TXT records of dns-01 are set and removed. exec runs a " \
      "command with the arguments present or cleanup, the name of the " \
      "record and its value; if a second command is given, it is run for " \
      "the cleanup. Options, of which the first begins with -, come before " \
      "these arguments. exec:mod_md and exec:dehydrated pass the arguments " \
      "that hook scripts of those clients expect. rfc2136 sends dynamic " \
      "updates with nsupdate, signed with the TSIG key in the file. If " \
      "_acme-challenge is a CNAME that no wildcard makes, the record is " \
      "set at its target, unless follow=off says that it is not. After " \
      "a change, also of the command or the key file, and a reload a failed " \
      "order is tried at once.", \
      "AcmeDns rfc2136 server=192.0.2.53 key=/etc/acme/tsig.key") \
    X(AcmeHttp, "exec command [cleanup-command] | webroot path | none", NULL, \
      ACME_CERT, commands_http, http, \
      "Publish the tokens of http-01 in another place as well, where " \
      "another server on port 80 serves them. exec runs a command before " \
      "the CA looks, and the second one, if given, when it has looked: hooks " \
      "of certbot's manual plugin run unchanged. webroot writes the file " \
      ".well-known/acme-challenge/TOKEN below the folder and removes it " \
      "again; a removal that fails is tried again for a week. http-01 can " \
      "then be used without a Listen on port 80. After a " \
      "change, also of the command, and a reload a failed order is tried " \
      "at once.", \
      "AcmeHttp webroot /var/www/html") \
    X(AcmeHook, "pre|post|deploy|notify command [argument ...] | event none | " \
      "none", NULL, ACME_CERT, commands_hook, hooks, \
      "Run a command on an event; may be repeated. Commands of one event " \
      "run in the order in which they are written; those of a virtual host " \
      "come after those of the server config. With none instead of a " \
      "command, those of the event that are inherited are not run; none " \
      "alone is for all events. pre runs before the first challenge of an " \
      "order is answered, post after the last one, once for all orders of " \
      "the time between. If pre fails, so do these orders; if post fails, " \
      "it is repeated until it succeeds. deploy runs when a certificate " \
      "is installed and active, and is repeated until it succeeds. notify " \
      "runs when something happened that an administrator may want to " \
      "know; the environment variable ACME_EVENT has its kind, one of:" \
      ACME_HOOK_EVENTS(ACME_DIRECTIVES_EVENT) ". See Hooks.", \
      "AcmeHook deploy /usr/local/sbin/copy-to-mail-server") \
    X(AcmeHookTimeout, "duration", "60s", ACME_CERT, duration, \
      hook_timeout, \
      "A command still running after this time is killed together with " \
      "its child processes.", \
      "AcmeHookTimeout 5m") \
    X(AcmeExport, "path format [mode] [owner[:group]] | none", NULL, \
      ACME_CERT, commands_exports, exports, \
      "Copy the certificate for another program, after each load of httpd " \
      "that serves a new one; may be repeated. A virtual host's are made " \
      "beside those of the server config. The format is pem (key, " \
      "certificate and chain), fullchain (certificate and chain), key, " \
      "chain, der (the certificate), or pkcs12:file, where the file, of mode " \
      "0600 or 0640, has the password in its first line. In the path " \
      "%{id} is the id of the certificate; it is needed where several " \
      "certificates are copied. With several AcmeKeyTypes the first one is " \
      "copied, or each one, if %{type} is in the path. If the path ends in " \
      "/, each copy is a folder below it with privkey.pem, cert.pem, " \
      "chain.pem and fullchain.pem, cert.der or cert.p12, and the link " \
      "current points to the newest. The mode is octal; the default is 0600 " \
      "with a key in it, 0644 without. The owner is a user, and its group if " \
      "none is given; the default is the user who started httpd. A copy that " \
      "cannot be written is reported and retried.", \
      "AcmeExport /etc/dovecot/%{id}.pem pem 0640 root:dovecot") \
    X(AcmePorts, "http:port https:port", "http:80 https:443", ACME_CERT, \
      ports, ports, \
      "The local ports that receive Internet connections to ports 80 and " \
      "443 (behind NAT or a load balancer). Use - if a port is not " \
      "reachable. After a change and a " \
      "reload a failed order is tried at once.", \
      "AcmePorts http:8080 https:8443") \
    X(AcmeKeyTypes, "type ...", "p256", ACME_CERT, key_types, key_types, \
      "The key type of the certificate: p256, p384, rsa2048, rsa3072 or " \
      "rsa4096. With several types, one certificate of each is ordered, " \
      "and all are renewed together. A change orders the certificate " \
      "anew after the next reload.", \
      "AcmeKeyTypes p256 rsa2048") \
    X(AcmeKeyReuse, "on|off|next [duration]", "off", ACME_CERT, key_reuse, \
      key_reuse, \
      "Which private key a renewed certificate gets. off: a new one. on: that " \
      "of the certificate it replaces. next: one that was made ahead, when " \
      "that certificate was installed, for DANE: acmectl tlsa prints the " \
      "TLSA records of both, so that the next one is known before it is " \
      "used. A next key is used when it is as old as the duration, by " \
      "default 2d; a renewal before that keeps the current key. Set it to " \
      "at least twice the time to live of the TLSA records. After a " \
      "revocation the key is replaced in any case, with next by the next " \
      "key, however young. See DANE.", \
      "AcmeKeyReuse next 2d") \
    X(AcmeProfile, "name [required] | none", NULL, ACME_CERT, profile, profile, \
      "The certificate profile to request from the CA. A profile that the " \
      "CA does not offer is ignored with a warning; with required, " \
      "nothing is ordered instead. A change orders the certificate " \
      "anew after the next reload.", \
      "AcmeProfile shortlived required") \
    X(AcmePreferredChain, "name|none", NULL, ACME_CERT, text, preferred_chain, \
      "If the CA offers several chains, use the one whose topmost issuer " \
      "has this common name. If none has it, the CA's default chain is " \
      "used.", \
      "AcmePreferredChain \"ISRG Root X1\"") \
    X(AcmeMustStaple, "on|off", "off", ACME_CERT, flag, must_staple, \
      "Request certificates with the must-staple extension: clients that " \
      "honour it refuse a handshake without a stapled OCSP response. Set " \
      "SSLUseStapling on as well. A change orders the certificate anew " \
      "after the next reload.", \
      "AcmeMustStaple on") \
    X(AcmeRenewalInfo, "on|off", "on", ACME_CERT, flag, renewal_info, \
      "Ask the CA regularly when it wants the certificate renewed (RFC " \
      "9773) and whether it was revoked, and renew accordingly. With off, " \
      "only AcmeRenewWindow decides.", \
      "AcmeRenewalInfo off") \
    X(AcmeRenewWindow, "duration|percent", "33%", ACME_CERT, window, renew, \
      "Renew when this much of the lifetime is left, unless the CA " \
      "suggests a time. The default is 50% for lifetimes below 10 days. A " \
      "change takes effect at the next reload; with AcmeRenewalInfo on, a " \
      "time that the CA suggests is kept.", \
      "AcmeRenewWindow 20d") \
    X(AcmeWarnWindow, "duration|percent", "10%", ACME_CERT, window, warn, \
      "When this much of the lifetime is left: warn daily, and reload " \
      "even if a configuration file was edited (httpd -t must still " \
      "pass).", \
      "AcmeWarnWindow 5d") \
    X(AcmeParallel, "number", "16", ACME_SERVER, parallel, parallel, \
      "The most orders that are processed at the same time, 1 to 64. " \
      "Without this directive the first orders are 16 at a time, and up to " \
      "64 while the CA answers quickly. A CA that becomes slow, or refuses " \
      "requests with 429 or 503, gets fewer at a time, and more again after " \
      "orders that succeed. Orders waiting for DNS do not count.", \
      "AcmeParallel 4") \
    X(AcmeActivate, "graceful|live|none", "graceful", ACME_SERVER, activate, \
      activate, \
      "How a new certificate is put into service. graceful reloads httpd " \
      "gracefully. live: running workers use it from the next TLS handshake " \
      "on, and httpd is not reloaded: connections, TLS sessions and " \
      "certificates in files of yours stay as they are. A certificate with " \
      "AcmeMustStaple, or with an OCSP responder where SSLUseStapling is " \
      "on, is still activated by a reload, because mod_ssl staples only " \
      "what it loaded. Where live is not possible (the error log says why " \
      "at the start), it works like graceful. none waits until you reload " \
      "the server.", \
      "AcmeActivate none") \
    X(AcmeReloadDelay, "duration", "5s", ACME_SERVER, duration, \
      reload_delay, \
      "After a certificate is installed, wait this long for others before " \
      "reloading, so that one reload serves all of them. While visitors get " \
      "the placeholder and nothing else is being ordered, mod_acme does not " \
      "wait.", \
      "AcmeReloadDelay 30s") \
    X(AcmeReloadGuard, "on|off", "on", ACME_SERVER, flag, reload_guard, \
      "Before reloading, run httpd -t and load all certificates and keys; " \
      "postpone the reload if one of them fails, or if a configuration " \
      "file was edited since httpd last read it.", \
      "AcmeReloadGuard off") \
    X(AcmeRequireHttps, "off|temporary|permanent", "off", ACME_VHOST, \
      require_https, require_https, \
      "Redirect http requests to https, for the names in the certificate " \
      "that is loaded. temporary answers 302 or 307. permanent answers 301 " \
      "or 308, and adds Strict-Transport-Security to https responses; a " \
      "Header directive or a backend can replace or remove it. " \
      "Challenges are answered before the redirect.", \
      "AcmeRequireHttps temporary") \
    X(AcmeServerStatus, "on|off", "on", ACME_SERVER, flag, server_status, \
      "Show the managed certificates in server-status.", \
      "AcmeServerStatus off") \
    X(AcmeStateDir, "path", ACME_STATE_DIR, ACME_SERVER, path, state_dir, \
      "The directory where keys, certificates and accounts are stored. A " \
      "relative path is relative to the ServerRoot.", \
      "AcmeStateDir /var/lib/acme") \
    X(AcmeCACertificateFile, "path|none", NULL, ACME_CERT, path, roots, \
      "A PEM file with the root certificates that the https connection to " \
      "the CA is verified with. The user of httpd's workers must be able to " \
      "read it and to enter its folders. Default: those of the system. After a " \
      "change and a reload a failed order is tried at once.", \
      "AcmeCACertificateFile conf/company-root.pem") \
    X(AcmeProxy, "url|none", NULL, ACME_CERT, proxy, proxy, \
      "The proxy for connections to the CA: http://host:port, " \
      "https://host:port or socks5h://host:port. Proxies in the " \
      "environment are ignored. After a change and a " \
      "reload a failed order is tried at once.", \
      "AcmeProxy http://proxy.example.org:3128")

#define ACME_DIRECTIVE_INDEX(name, syntax, dflt, where, parse, field, text, \
                             example) \
    ACME_DIR_##name,
typedef enum {
    ACME_DIRECTIVES(ACME_DIRECTIVE_INDEX)
    ACME_DIR_COUNT
} acme_directive_e;
#undef ACME_DIRECTIVE_INDEX

#endif
