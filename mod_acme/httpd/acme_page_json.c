/*
 * acme_page_json.c - ?json of the handler acme-status.
 *
 * conf/monitoring/acme-status.schema.json describes it, and a test compares
 * them. Certificates are written one after the other: there may be thousands.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include <httpd.h>
#include <http_protocol.h>

#include "acme_counters.h"
#include "acme_json.h"
#include "acme_openssl_version.h"
#include "acme_page_json.h"
#include "acme_status_json.h"
#include "acme_time.h"

/* Counts up when a member is removed or means something else; members are added
   without that. */
#define VERSION 1

#define TYPE "application/json"

/* The value of a parameter of the query, decoded, in r's pool; NULL: none. */
static const char *parameter_of(const request_rec *r, const char *name)
{
    const apr_size_t len = strlen(name);
    char *text = apr_pstrdup(r->pool, r->args ? r->args : ""), *item, *last;

    for (item = apr_strtok(text, "&", &last); item;
         item = apr_strtok(NULL, "&", &last)) {
        if (!strncmp(item, name, len) && item[len] == '=') {
            item += len + 1;
            return ap_unescape_urlencoded(item) == OK ? item : "";
        }
    }
    return NULL;
}

/* The certificate with this id, or -1. */
static int index_of(const acme_page_view_t *view, const char *id)
{
    int i;

    for (i = 0; i < view->conf->certs->nelts; i++) {
        if (!strcmp(acme_conf_cert(view->conf, (apr_uint32_t)i)->id, id)) {
            return i;
        }
    }
    return -1;
}

static void write_json(request_rec *r, json_t *json, apr_pool_t *p)
{
    const char *text = acme_json_text(acme_json_own(json, p), 0, p);

    ap_rputs(text ? text : "null", r);
}

static json_t *process_json(acme_pulse_e who, pid_t pid, apr_time_t now,
                            apr_pool_t *p)
{
    json_t *json = json_object();

    json_object_set_new(json, "up",
                        json_boolean(acme_counters_is_up(who, now)));
    json_object_set_new(json, "pulse",
                        acme_status_json_time(acme_counters_pulse_at(who), p));
    if (who != ACME_PULSE_WITNESS) {
        json_object_set_new(json, "pid",
                            pid > 0 ? json_integer(pid) : json_null());
    }
    return json;
}

static json_t *server_json(const acme_page_view_t *view, const char *held,
                           apr_time_t now, apr_pool_t *p)
{
    json_t *json = json_object();
    pid_t keeper = 0, renewal = 0;

    if (view->board) {
        acme_board_pids(view->board, &keeper, &renewal);
    }
    json_object_set_new(json, "moduleVersion", json_string(ACME_VERSION));
    json_object_set_new(json, "openssl",
                        acme_status_json_text(acme_openssl_version(), p));
    json_object_set_new(json, "keeper",
                        process_json(ACME_PULSE_KEEPER, keeper, now, p));
    json_object_set_new(json, "renewal",
                        process_json(ACME_PULSE_RENEWAL, renewal, now, p));
    json_object_set_new(json, "witness",
                        process_json(ACME_PULSE_WITNESS, 0, now, p));
    json_object_set_new(json, "reloadHeld", json_boolean(held[0] != '\0'));
    json_object_set_new(json, "reloadHeldReason",
                        acme_status_json_text(held, p));
    return json;
}

/* "file:line"; the server config has neither. */
static json_t *vhosts_json(const apr_array_header_t *vhosts, apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = 0; i < vhosts->nelts; i++) {
        const acme_page_vhost_t *vhost = &APR_ARRAY_IDX(vhosts, i,
                                                        acme_page_vhost_t);
        json_t *json = json_object();

        json_object_set_new(json, "name",
                            acme_status_json_text(vhost->name, p));
        json_object_set_new(json, "port", json_integer(vhost->port));
        json_object_set_new(json, "file", vhost->file
                                ? acme_status_json_text(vhost->file, p)
                                : json_null());
        json_object_set_new(json, "line", vhost->file
                                ? json_integer(vhost->line) : json_null());
        json_array_append_new(array, json);
    }
    return array;
}

/* Those configured, with what is installed of each. */
static json_t *key_types_json(const acme_cert_conf_t *cert,
                              acme_state_t *state, apr_pool_t *p)
{
    json_t *array = json_array();
    apr_uint32_t i;

    for (i = 0; i < acme_conf_parts(cert) && i < ACME_STATE_PARTS; i++) {
        acme_state_part_t part = { 0 };
        json_t *json = json_object();

        if (state && state->live) {
            part = state->parts[i];
            part.issuer[ACME_ISSUER_SIZE - 1] = '\0';
        }
        json_object_set_new(json, "keyType", json_string(
            acme_key_type_name(acme_conf_key_type(cert, i))));
        json_object_set_new(json, "validFrom",
                            acme_status_json_time(part.not_before, p));
        json_object_set_new(json, "validUntil",
                            acme_status_json_time(part.not_after, p));
        json_object_set_new(json, "issuer",
                            acme_status_json_text(part.issuer, p));
        json_array_append_new(array, json);
    }
    return array;
}

/* The newest 32 at most; null: the journal cannot be read. */
static json_t *events_json(const acme_page_view_t *view, int i, apr_pool_t *p)
{
    const char *problem;
    const acme_journal_t *journal = acme_page_view_journal(&problem, view, i,
                                                           p);
    json_t *array;
    int k;

    if (!journal) {
        return json_null();
    }
    array = json_array();
    for (k = 0; k < journal->events->nelts; k++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, k, acme_journal_event_t);
        json_t *json = json_object();

        json_object_set_new(json, "when",
                            acme_status_json_time(event->when, p));
        json_object_set_new(json, "event",
                            acme_json_from_text(event->event, 64, p));
        json_object_set_new(json, "detail",
                            acme_status_json_text(event->detail, p));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *cert_json(const acme_page_view_t *view, int i,
                         acme_state_t *state, const char *held, apr_time_t now,
                         apr_pool_t *p)
{
    const acme_status_cert_t cert = acme_page_view_cert(view, i, state, held);
    json_t *json = acme_status_json_make(acme_status_rows_make(&cert, now, p),
                                         p);

    json_object_set_new(json, "keyTypes", key_types_json(
        acme_conf_cert(view->conf, (apr_uint32_t)i),
        cert.state ? state : NULL, p));
    json_object_set_new(json, "virtualHosts", vhosts_json(view->vhosts[i], p));
    return json;
}

static json_t *other_json(const acme_page_other_t *other, apr_pool_t *p)
{
    json_t *json = json_object();

    json_object_set_new(json, "path", acme_status_json_text(other->path, p));
    json_object_set_new(json, "names", acme_json_array(other->names));
    json_object_set_new(json, "issuer",
                        acme_status_json_text(other->issuer, p));
    json_object_set_new(json, "serial",
                        acme_status_json_text(other->serial, p));
    json_object_set_new(json, "validFrom",
                        acme_status_json_time(other->not_before, p));
    json_object_set_new(json, "validUntil",
                        acme_status_json_time(other->not_after, p));
    json_object_set_new(json, "problem",
                        acme_status_json_text(other->problem, p));
    json_object_set_new(json, "virtualHosts", vhosts_json(other->vhosts, p));
    return json;
}

static void write_others(request_rec *r, const acme_page_view_t *view,
                         apr_pool_t *p)
{
    int i;

    ap_rputs("],\n\"unmanaged\":[", r);
    for (i = 0; view->others && i < view->others->nelts; i++) {
        ap_rputs(i ? ",\n" : "\n", r);
        write_json(r, other_json(&APR_ARRAY_IDX(view->others, i,
                                                acme_page_other_t), p), p);
        apr_pool_clear(p);
    }
}

int acme_page_json(request_rec *r, const acme_page_view_t *view, apr_time_t now)
{
    const char *held = acme_page_view_held(view, r->pool);
    const char *id = parameter_of(r, "id");
    const int only = id ? index_of(view, id) : -1;
    const int first = id ? only : 0;
    const int end = id ? only + 1 : view->conf->certs->nelts;
    acme_state_t *state = apr_palloc(r->pool, sizeof(*state));
    apr_pool_t *p;
    json_t *json;
    int i;

    if (id && only < 0) {
        return HTTP_NOT_FOUND;
    }
    ap_set_content_type(r, TYPE);
    if (r->header_only) {
        return OK;
    }
    apr_pool_create(&p, r->pool);
    ap_rprintf(r, "{\"version\":%d,\n\"generated\":\"%s\",\n\"server\":",
               VERSION, acme_time_rfc3339(now, p));
    write_json(r, server_json(view, held, now, p), p);
    ap_rputs(",\n\"certificates\":[", r);
    for (i = first; i < end; i++) {
        apr_pool_clear(p);
        ap_rputs(i > first ? ",\n" : "\n", r);
        json = cert_json(view, i, state, held, now, p);
        if (id) {
            json_object_set_new(json, "events", events_json(view, i, p));
        }
        write_json(r, json, p);
    }
    if (!id) {
        write_others(r, view, p);
    }
    ap_rputs("]}\n", r);
    return OK;
}
