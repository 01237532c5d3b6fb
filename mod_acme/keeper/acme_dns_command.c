/*
 * acme_dns_command.c - the program that sets or removes a TXT record.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_dns_command.h"
#include "acme_name.h"

#define TTL 60 /* seconds: a stale one is soon forgotten */

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int acme_dns_command_is_name(const char *name)
{
    apr_size_t len;

    if (!name || strlen(name) > ACME_NAME_MAX || acme_name_is_ip(name)) {
        return 0;
    }
    for (;; name += len + 1) {
        len = strspn(name, ALNUM "-_");
        if (len == 0 || len > 63 || name[0] == '-') {
            return 0;
        }
        if (name[len] != '.') {
            return name[len] == '\0';
        }
    }
}

/* The group may read the key, as with bind's own keys, but not every user. */
static apr_status_t check_key(const char *path, acme_result_t *res)
{
    struct stat st;

    if (stat(path, &st)) {
        return acme_fail_errno(
            res, errno, "%s: the key file of AcmeDns rfc2136 cannot be read",
            path);
    }
    if (!S_ISREG(st.st_mode)) {
        return acme_fail(
            res, APR_EINVAL,
            "%s: the key file of AcmeDns rfc2136 is not a regular file", path);
    }
    if (st.st_mode & S_IRWXO) {
        return acme_fail(
            res, APR_EACCES,
            "%s: every user can read or write this key file, so it is not used; run chmod 600 on it and create a new key",
            path);
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        return acme_fail(
            res, APR_EACCES,
            "%s: this key file belongs to user %d, so it is not used; run chown root on it",
            path, (int)st.st_uid);
    }
    return APR_SUCCESS;
}

/* The path of a program on PATH, or NULL. */
static const char *find_program(const char *name, apr_pool_t *p)
{
    char *path =
        apr_pstrdup(p, getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    char *folder, *last;

    for (folder = apr_strtok(path, ":", &last); folder;
         folder = apr_strtok(NULL, ":", &last)) {
        const char *file = apr_pstrcat(p, folder, "/", name, NULL);

        if (folder[0] == '/' && access(file, X_OK) == 0) {
            return file;
        }
    }
    return NULL;
}

/* bind's, else knot's, which has its own form of a key file. */
static const char *find_nsupdate(apr_pool_t *p)
{
    const char *path = find_program("nsupdate", p);

    return path ? path : find_program("knsupdate", p);
}

static apr_status_t check_program(const acme_dns_conf_t *dns,
                                  acme_result_t *res, apr_pool_t *p)
{
    if (!find_nsupdate(p)) {
        return acme_fail(
            res, APR_ENOENT,
            "nsupdate: not found on PATH; AcmeDns rfc2136 needs it: install bind9-dnsutils or knot-dnsutils (knsupdate)");
    }
    if (!dns->zone && !find_program("nsupdate", p)) {
        return acme_fail(
            res, APR_ENOENT,
            "knsupdate: this program cannot find the zone of a record; add zone= to AcmeDns rfc2136, or install bind9-dnsutils");
    }
    return APR_SUCCESS;
}

apr_status_t acme_dns_command_check(const acme_dns_conf_t *dns,
                                    acme_result_t *res, apr_pool_t *p)
{
    const char *const server = dns->server;
    apr_status_t rv;

    if (dns->how == ACME_DNS_EXEC) {
        return APR_SUCCESS;
    }
    if (server[0] == '-' || server[strspn(server, ALNUM "-._:%")]
        || dns->port[strspn(dns->port, "0123456789")]
        || (dns->zone && !acme_dns_command_is_name(dns->zone))) {
        return acme_fail_never(
            res, APR_EINVAL,
            "AcmeDns rfc2136: the server, port or zone is invalid");
    }
    rv = check_program(dns, res, p);
    return rv == APR_SUCCESS ? check_key(dns->key_file, res) : rv;
}

static void push(apr_array_header_t *argv, const char *a, const char *b,
                 const char *c)
{
    APR_ARRAY_PUSH(argv, const char *) = a;
    APR_ARRAY_PUSH(argv, const char *) = b;
    APR_ARRAY_PUSH(argv, const char *) = c;
}

/* The word by which the kind of script knows what to do. */
static const char *verb(const acme_dns_conf_t *dns, acme_publish_e action)
{
    const int present = action == ACME_PUBLISH_PRESENT;

    switch (dns->call) {
    case ACME_DNS_CALL_MOD_MD:
        return present ? "setup" : "teardown";
    case ACME_DNS_CALL_DEHYDRATED:
        return present ? "deploy_challenge" : "clean_challenge";
    case ACME_DNS_CALL_PLAIN:
        break;
    }
    return present ? "present" : "cleanup";
}

static const apr_array_header_t *script_of(const acme_dns_conf_t *dns,
                                           acme_publish_e action)
{
    return action == ACME_PUBLISH_PRESENT || !dns->cleanup ? dns->present
                                                          : dns->cleanup;
}

const char *acme_dns_command_path(const acme_dns_conf_t *dns)
{
    return dns->how == ACME_DNS_RFC2136
               ? NULL
               : APR_ARRAY_IDX(script_of(dns, ACME_PUBLISH_CLEANUP), 0,
                               const char *);
}

/* The administrator's command with the arguments of the kind of script. */
static apr_array_header_t *script(const acme_publish_job_t *what,
                                  const acme_dns_conf_t *dns,
                                  acme_publish_e action, apr_pool_t *p)
{
    apr_array_header_t *argv = apr_array_copy(p, script_of(dns, action));

    switch (dns->call) {
    case ACME_DNS_CALL_PLAIN:
        push(argv, verb(dns, action), what->record, what->value);
        break;
    case ACME_DNS_CALL_MOD_MD:
        push(argv, verb(dns, action), what->name, what->value);
        break;
    case ACME_DNS_CALL_DEHYDRATED:
        push(argv, verb(dns, action), what->name, what->token);
        APR_ARRAY_PUSH(argv, const char *) = what->value;
        break;
    }
    return argv;
}

/* nsupdate reads the key from its file: every user can see arguments. */
static apr_array_header_t *nsupdate(const acme_dns_conf_t *dns, apr_pool_t *p)
{
    apr_array_header_t *argv = apr_array_make(p, 5, sizeof(const char *));
    const char *path = find_nsupdate(p);

    push(argv, path ? path : "nsupdate", "-k", dns->key_file);
    return argv;
}

/* Without a zone nsupdate asks the same server for the record's zone. */
static const char *update_text(const acme_publish_job_t *what,
                               const acme_dns_conf_t *dns,
                               acme_publish_e action, apr_pool_t *p)
{
    const int present = action == ACME_PUBLISH_PRESENT;

    return apr_psprintf(
        p, "server %s %s\n%s%s%supdate %s %s. %sTXT \"%s\"\nsend\n",
        dns->server, dns->port, dns->zone ? "zone " : "",
        dns->zone ? dns->zone : "", dns->zone ? ".\n" : "",
        present ? "add" : "delete", what->record,
        present ? apr_psprintf(p, "%d ", TTL) : "", what->value);
}

static acme_dns_command_t make(const acme_publish_job_t *what,
                               const acme_dns_conf_t *dns,
                               acme_publish_e action, apr_pool_t *p)
{
    acme_dns_command_t command = { NULL, NULL };

    if (dns->how == ACME_DNS_RFC2136) {
        command.argv = nsupdate(dns, p);
        command.input = update_text(what, dns, action, p);
    }
    else {
        command.argv = script(what, dns, action, p);
    }
    return command;
}

acme_dns_command_t acme_dns_command_present(const acme_publish_job_t *what,
                                            const acme_dns_conf_t *dns,
                                            apr_pool_t *p)
{
    return make(what, dns, ACME_PUBLISH_PRESENT, p);
}

acme_dns_command_t acme_dns_command_cleanup(const acme_publish_job_t *what,
                                            const acme_dns_conf_t *dns,
                                            apr_pool_t *p)
{
    return make(what, dns, ACME_PUBLISH_CLEANUP, p);
}

/* Does argv begin with these words? Returns what follows, or NULL. */
static const char *const *behind(const char *const *argv,
                                 const apr_array_header_t *words)
{
    int i;

    for (i = 0; i < words->nelts; i++) {
        if (!argv[i]
            || strcmp(argv[i], APR_ARRAY_IDX(words, i, const char *)) != 0) {
            return NULL;
        }
    }
    return argv + words->nelts;
}

static int is_script_of(const acme_dns_conf_t *dns, acme_publish_e action,
                        const char *const *argv)
{
    const int most = dns->call == ACME_DNS_CALL_DEHYDRATED ? 3 : 2;
    int i;

    argv = behind(argv, script_of(dns, action));
    if (!argv || !argv[0] || strcmp(argv[0], verb(dns, action)) != 0) {
        return 0;
    }
    for (i = 1; i <= most; i++) {
        if (!argv[i] || argv[i][strspn(argv[i], ALNUM "-_.")]) {
            return 0;
        }
    }
    return !argv[i];
}

int acme_dns_command_is_of(const acme_dns_conf_t *dns,
                           const char *const *argv, apr_pool_t *p)
{
    if (dns->how == ACME_DNS_RFC2136) {
        argv = behind(argv, nsupdate(dns, p));
        return argv && !argv[0];
    }
    return is_script_of(dns, ACME_PUBLISH_PRESENT, argv)
        || is_script_of(dns, ACME_PUBLISH_CLEANUP, argv);
}
