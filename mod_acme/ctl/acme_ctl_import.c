/*
 * acme_ctl_import.c - acmectl import: from another ACME client.
 */
#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "acme_ctl_import.h"
#include "acme_ctl_term.h"
#include "acme_import.h"
#include "acme_json.h"
#include "acme_name.h"
#include "acme_time.h"

#define TEXT_MAX 4000           /* of a text in JSON */

const acme_ctl_option_t acme_ctl_import_options[] = {
    { "--dry-run", NULL, "say what would be taken over, and write nothing" },
    { "--conf", "PATH", "httpd's configuration, a file or a folder of files: what to change in which virtual host is printed" },
    { "--write-conf", "FILE", "write a new file with the directives, for Include" },
    { "--ca", "URL", "the directory of the CA, where the client's folder does not say it" },
    ACME_CTL_OPTION_JSON,
    ACME_CTL_OPTIONS_END
};

static const char *const words[] = {
    [ACME_IMPORT_TAKEN] = "taken", [ACME_IMPORT_THERE] = "there",
    [ACME_IMPORT_SKIPPED] = "skipped"
};

static void put_line(const char *head, const char *text)
{
    fputs(head, stdout);
    acme_ctl_term_put(stdout, text);
    putchar('\n');
}

static void put_lines(const char *head, const apr_array_header_t *texts)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        put_line(head, APR_ARRAY_IDX(texts, i, const char *));
    }
}

static void put_item(const acme_import_item_t *item, int is_dry, apr_pool_t *p)
{
    static const char *const heads[] = {
        [ACME_IMPORT_TAKEN] = "taken over: ",
        [ACME_IMPORT_THERE] = "there already: ",
        [ACME_IMPORT_SKIPPED] = "not taken: "
    };

    fputs(is_dry && item->result == ACME_IMPORT_TAKEN
          ? "would be taken over: " : heads[item->result], stdout);
    fputs(item->is_account ? "account at " : "certificate ", stdout);
    acme_ctl_term_put(stdout, item->name);
    if (item->account) {
        fputs(": ", stdout);
        acme_ctl_term_put(stdout, item->account);
    }
    putchar('\n');
    put_line("    from ", item->place);
    if (item->names && item->result != ACME_IMPORT_SKIPPED) {
        put_line("    names ", acme_name_list_text(item->names, p));
        printf("    %s, valid until %s\n",
               item->key_types ? item->key_types : "another kind of key",
               acme_time_text(item->not_after, p));
    }
    if (item->text[0]) {
        put_line(item->result == ACME_IMPORT_SKIPPED ? "    why: "
                                                     : "    note: ",
                 item->text);
    }
    put_lines("    note: ", item->notes);
}

static void put_directives(const acme_import_report_t *report,
                           const acme_import_call_t *call, apr_pool_t *p)
{
    int i;

    printf("\nDirectives for the server config:\n"
           "    AcmeEngine on\n"
           "    AcmeTermsOfService agree\n");
    put_lines("    ", report->lines);
    put_lines("    note: ", report->notes);
    for (i = 0; i < report->items->nelts; i++) {
        const acme_import_item_t *item = &APR_ARRAY_IDX(report->items, i,
                                                        acme_import_item_t);

        if (!item->is_account && item->result != ACME_IMPORT_SKIPPED
            && item->lines->nelts) {
            put_line("Directives for the virtual hosts of ", item->name);
            put_lines("    ", item->lines);
        }
    }
    for (i = 0; i < report->vhosts->nelts; i++) {
        const acme_import_vhost_t *vhost = &APR_ARRAY_IDX(
            report->vhosts, i, acme_import_vhost_t);

        fputs("Virtual host ", stdout);
        acme_ctl_term_put(stdout, vhost->name);
        put_line(" at ", vhost->place);
        put_lines("    remove ", vhost->remove);
        if (vhost->remove->nelts) {
            put_line("    or let these lines name the files in ",
                     apr_pstrcat(p, call->state_dir, "/live/", vhost->id,
                                 NULL));
        }
        put_lines("    add    ", vhost->add);
    }
}

static void put_report(const acme_import_report_t *report,
                       const acme_import_call_t *call, apr_pool_t *p)
{
    int i;

    for (i = 0; i < report->items->nelts; i++) {
        put_item(&APR_ARRAY_IDX(report->items, i, acme_import_item_t),
                 call->is_dry, p);
    }
    put_directives(report, call, p);
    if (!call->conf) {
        printf("\nWith --conf PATH, such as /etc/apache2/sites-enabled, it is said for each virtual host what to change.\n");
    }
    if (report->is_beside) {
        printf("\nhttpd uses this state directory: what was taken over is used after its next reload.\n");
    }
    if (report->taken && !call->is_dry) {
        printf("\nNow change the configuration, switch the other client off, run httpd -t, and reload httpd.\n");
    }
}

static json_t *texts_json(const apr_array_header_t *texts, apr_pool_t *p)
{
    json_t *json = json_array();
    int i;

    for (i = 0; texts && i < texts->nelts; i++) {
        json_array_append_new(json, acme_json_from_text(
            APR_ARRAY_IDX(texts, i, const char *), TEXT_MAX, p));
    }
    return json;
}

static void set_text(json_t *json, const char *key, const char *text,
                     apr_pool_t *p)
{
    if (text && *text) {
        json_object_set_new(json, key, acme_json_from_text(text, TEXT_MAX, p));
    }
}

static json_t *item_json(const acme_import_item_t *item, apr_pool_t *p)
{
    json_t *json = json_object();

    set_text(json, "result", words[item->result], p);
    set_text(json, item->is_account ? "directory" : "id", item->name, p);
    set_text(json, "place", item->place, p);
    set_text(json, item->result == ACME_IMPORT_SKIPPED ? "reason" : "note",
             item->text, p);
    if (item->is_account) {
        set_text(json, "url", item->account, p);
        return json;
    }
    set_text(json, "ca", item->ca, p);
    set_text(json, "keyTypes", item->key_types, p);
    set_text(json, "serial", item->serial, p);
    if (item->not_after) {
        set_text(json, "notAfter", acme_time_rfc3339(item->not_after, p), p);
    }
    json_object_set_new(json, "names", texts_json(item->names, p));
    json_object_set_new(json, "directives", texts_json(item->lines, p));
    json_object_set_new(json, "notes", texts_json(item->notes, p));
    return json;
}

static void put_json(const acme_import_report_t *report,
                     const acme_import_call_t *call, apr_pool_t *p)
{
    json_t *json = acme_json_own(json_object(), p);
    json_t *accounts = json_array(), *certs = json_array();
    json_t *vhosts = json_array();
    int i;

    for (i = 0; i < report->items->nelts; i++) {
        const acme_import_item_t *item = &APR_ARRAY_IDX(report->items, i,
                                                        acme_import_item_t);

        json_array_append_new(item->is_account ? accounts : certs,
                              item_json(item, p));
    }
    for (i = 0; i < report->vhosts->nelts; i++) {
        const acme_import_vhost_t *vhost = &APR_ARRAY_IDX(
            report->vhosts, i, acme_import_vhost_t);
        json_t *one = json_object();

        set_text(one, "place", vhost->place, p);
        set_text(one, "name", vhost->name, p);
        set_text(one, "certificate", vhost->id, p);
        json_object_set_new(one, "remove", texts_json(vhost->remove, p));
        json_object_set_new(one, "add", texts_json(vhost->add, p));
        json_array_append_new(vhosts, one);
    }
    json_object_set_new(json, "dryRun", json_boolean(call->is_dry));
    json_object_set_new(json, "httpdRuns", json_boolean(report->is_beside));
    json_object_set_new(json, "accounts", accounts);
    json_object_set_new(json, "certificates", certs);
    json_object_set_new(json, "directives", texts_json(report->lines, p));
    json_object_set_new(json, "notes", texts_json(report->notes, p));
    json_object_set_new(json, "virtualHosts", vhosts);
    printf("%s\n", acme_json_text(json, 2, p));
}

/* A new file: what an administrator has written is never replaced. */
static apr_status_t write_conf(const char *path, const char *text,
                               acme_result_t *res)
{
    const apr_size_t len = strlen(text);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    apr_status_t rv = fd < 0 ? errno : APR_SUCCESS;

    if (!rv && write(fd, text, len) != (apr_ssize_t)len) {
        rv = errno ? errno : ENOSPC;
    }
    if (fd >= 0 && close(fd) && !rv) {
        rv = errno;
    }
    if (rv && fd >= 0) {
        unlink(path);
    }
    return rv ? acme_fail_errno(res, rv, "--write-conf %s: cannot be written",
                                path) : rv;
}

int acme_ctl_import_run(acme_ctl_command_t *run)
{
    const char *file = acme_ctl_command_option(run, "--write-conf");
    const acme_import_call_t call = {
        .client = run->args[0],
        .path = run->nargs > 1 ? run->args[1] : NULL,
        .ca = acme_ctl_command_option(run, "--ca"),
        .conf = acme_ctl_command_option(run, "--conf"),
        .state_dir = run->state_dir,
        .hooks = ACME_HOOKS_DIR,
        .is_dry = acme_ctl_command_option(run, "--dry-run") != NULL,
        .now = run->now
    };
    acme_import_report_t *report;
    acme_result_t res;

    if (file && !call.is_dry && !access(file, F_OK)) {
        return acme_ctl_command_refuse("--write-conf %s: is there, and is not replaced",
                                       file);
    }
    if (acme_import_run(&report, &call, &res, run->p)) {
        return acme_ctl_command_fail(&res);
    }
    if (acme_ctl_command_option(run, "--json")) {
        put_json(report, &call, run->p);
    }
    else {
        put_report(report, &call, run->p);
    }
    if (file && !call.is_dry
        && write_conf(file, acme_import_conf_text(report, &call, run->p),
                      &res)) {
        return acme_ctl_command_fail(&res);
    }
    return report->skipped ? ACME_CTL_FAILED : ACME_CTL_DONE;
}
