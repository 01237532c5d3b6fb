/*
 * acme_page_view.c - what the page, ?json and ?metrics know.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_archive.h"
#include "acme_cert_file.h"
#include "acme_meta.h"
#include "acme_page_view.h"
#include "acme_time.h"

#define TEXT_MAX 1024           /* octets of a text in meta.json */
#define PARTS_MAX 8
#define TIME_MAX apr_time_from_sec(253402300799)    /* the end of year 9999 */

static acme_page_view_t *view;

const char *acme_page_view_place(const acme_page_vhost_t *vhost,
                                 apr_pool_t *p)
{
    return vhost->file ? apr_psprintf(p, "%s:%u", vhost->file, vhost->line)
                       : "the server config";
}

void acme_page_view_set(acme_page_view_t *the_view)
{
    view = the_view;
}

void acme_page_view_set_board(acme_board_t *board)
{
    view->board = board;
}

const acme_page_view_t *acme_page_view_begin(apr_pool_t *p)
{
    acme_page_view_t *mine = NULL;

    if (view) {
        mine = apr_pmemdup(p, view, sizeof(*view));
        mine->tries = apr_palloc(p, sizeof(*mine->tries));
        *mine->tries = ACME_BOARD_TRIES;
    }
    return mine;
}

static void end_text(char *text, apr_size_t size)
{
    text[size - 1] = '\0';
}

/* What is no time of ours would overflow when it is compared with one. */
static void bound_time(apr_time_t *t)
{
    *t = *t < 0 ? 0 : *t > TIME_MAX ? TIME_MAX : *t;
}

static void bound_window(acme_window_t *window)
{
    bound_time(&window->duration);
    window->percent = window->percent < 0 ? 0
        : window->percent > 99 ? 99 : window->percent;
}

static void bound_all(acme_state_t *state)
{
    apr_time_t *times[] = {
        &state->not_before, &state->not_after, &state->installed,
        &state->window_start, &state->window_end, &state->pick, &state->ask_at,
        &state->names_again_at, &state->limit_until, &state->ordering_since,
        &state->next_at, &state->checked, &state->check_at,
        &state->check_reload_at, &state->check_reloaded, &state->post.next_at,
        &state->deploy.next_at, &state->notify.next_at, &state->dry_run_at
    };
    size_t i, k;

    for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
        bound_time(times[i]);
    }
    for (i = 0; i < ACME_STATE_PARTS; i++) {
        bound_time(&state->parts[i].not_before);
        bound_time(&state->parts[i].not_after);
        end_text(state->parts[i].issuer, ACME_ISSUER_SIZE);
    }
    for (i = 0; i < ACME_HISTORY_KINDS; i++) {
        for (k = 0; k < ACME_HISTORY_MAX; k++) {
            bound_time(&state->past[i][k].when);
        }
    }
    bound_window(&state->renew);
    bound_window(&state->warn);
}

#define END_TEXT(text) end_text(text, sizeof(text))

int acme_page_view_state(const acme_page_view_t *of, int i,
                         acme_state_t *state)
{
    if (!of->board || !acme_board_state(of->board, i, state, of->tries)) {
        return 0;
    }
    END_TEXT(state->serial);
    END_TEXT(state->issuer);
    END_TEXT(state->cert_id);
    END_TEXT(state->explanation);
    END_TEXT(state->left_out_names);
    END_TEXT(state->left_out_detail);
    END_TEXT(state->limit);
    END_TEXT(state->check_places);
    END_TEXT(state->check_detail);
    END_TEXT(state->rehearsal_detail);
    END_TEXT(state->problem);
    END_TEXT(state->detail);
    END_TEXT(state->post.failure);
    END_TEXT(state->deploy.failure);
    END_TEXT(state->notify.failure);
    END_TEXT(state->export_failure);
    END_TEXT(state->dry_run_detail);
    bound_all(state);
    state->why = acme_reason_bound((unsigned long)state->why);
    state->left_out_why = acme_reason_bound(
        (unsigned long)state->left_out_why);
    state->rehearsal_why = acme_reason_bound(
        (unsigned long)state->rehearsal_why);
    state->limit_why = acme_reason_bound((unsigned long)state->limit_why);
    return 1;
}

acme_status_cert_t acme_page_view_cert(const acme_page_view_t *of, int i,
                                       acme_state_t *state, const char *held)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(of->conf->certs, i,
                                                  acme_cert_conf_t);
    const acme_status_cert_t shown = {
        .id = cert->id, .names = cert->names,
        .state = acme_page_view_state(of, i, state) ? state : NULL,
        .is_reload_held = held[0] != '\0'
    };

    return shown;
}

const char *acme_page_view_held(const acme_page_view_t *of, apr_pool_t *p)
{
    char held[ACME_DETAIL_SIZE];

    if (!of->board) {
        return "";
    }
    acme_board_held(of->board, held, sizeof(held));
    return apr_pstrdup(p, held);
}

static const char *text_of(const json_t *json, const char *key, apr_pool_t *p)
{
    const char *text = acme_json_string(json, key, TEXT_MAX, p);

    return text ? text : "";
}

static apr_time_t time_of(const json_t *json, const char *key)
{
    return acme_time_parse(json_string_value(json_object_get(json, key)));
}

static const char *chain_path(const acme_store_t *store,
                              const acme_cert_conf_t *cert, apr_uint32_t part,
                              apr_pool_t *p)
{
    return acme_store_live(store, cert->id,
                           apr_pstrcat(p, "fullchain",
                                       acme_conf_suffix(cert, part), ".pem",
                                       NULL), p);
}

/* The subjects behind the leaf. */
static const apr_array_header_t *rest_of(const acme_cert_file_t *file,
                                         apr_pool_t *p)
{
    apr_array_header_t *rest = apr_array_make(p, 2, sizeof(const char *));
    int i;

    for (i = 1; i < file->subjects->nelts; i++) {
        APR_ARRAY_PUSH(rest, const char *) =
            APR_ARRAY_IDX(file->subjects, i, const char *);
    }
    return rest;
}

/* As meta.json has them. */
static void read_meta(apr_array_header_t *lives, const json_t *meta,
                      apr_pool_t *p)
{
    const json_t *parts = json_object_get(meta, "certificates");
    size_t k;

    for (k = 0; k < json_array_size(parts) && k < PARTS_MAX; k++) {
        const json_t *part = json_array_get(parts, k);

        APR_ARRAY_PUSH(lives, acme_page_live_t) = (acme_page_live_t) {
            .key_type = text_of(part, "keyType", p),
            .serial = text_of(part, "serial", p),
            .issuer = text_of(part, "issuer", p),
            .not_before = time_of(part, "notBefore"),
            .not_after = time_of(part, "notAfter"),
            .chain = apr_array_make(p, 1, sizeof(const char *)),
            .topmost = ""
        };
    }
}

/* The one of this key type; without a meta.json it is made here. */
static acme_page_live_t *find_live(apr_array_header_t *lives,
                                   const char *key_type, int has_meta)
{
    acme_page_live_t *live;
    int k;

    for (k = 0; k < lives->nelts; k++) {
        live = &APR_ARRAY_IDX(lives, k, acme_page_live_t);
        if (!strcmp(live->key_type, key_type)) {
            return live;
        }
    }
    if (has_meta) {
        return NULL;            /* it was configured after the last order */
    }
    live = apr_array_push(lives);
    live->key_type = key_type;
    return live;
}

/* The files of each key type that is configured. One that was installed by hand
   has no meta.json: then all is read from its certificate. */
static void read_chains(acme_page_files_t *files, apr_array_header_t *lives,
                        const acme_store_t *store,
                        const acme_cert_conf_t *cert, int has_meta,
                        apr_pool_t *p)
{
    apr_uint32_t part;

    for (part = 0; part < acme_conf_parts(cert); part++) {
        const acme_cert_file_t *file;
        acme_page_live_t *live;

        acme_cert_file_read(&file, chain_path(store, cert, part, p), 0, 0, p);
        live = file->subjects->nelts
            ? find_live(lives, acme_key_type_name(acme_conf_key_type(cert,
                                                                     part)),
                        has_meta) : NULL;
        if (!file->subjects->nelts && !part) {
            files->problem = file->problem;
        }
        if (live) {
            live->chain = rest_of(file, p);
            live->topmost = file->topmost;
        }
        if (live && !has_meta) {
            live->serial = file->leaf.serial;
            live->issuer = file->leaf.issuer;
            live->not_before = file->leaf.not_before;
            live->not_after = file->leaf.not_after;
        }
    }
}

const acme_page_files_t *acme_page_view_files(const acme_page_view_t *of,
                                              int i, acme_page_chains_e chains,
                                              apr_pool_t *p)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(of->conf->certs, i,
                                                  acme_cert_conf_t);
    acme_store_t *store = acme_store_at(of->conf->state_dir, p);
    acme_page_files_t *files = apr_pcalloc(p, sizeof(*files));
    apr_array_header_t *lives = apr_array_make(p, 2, sizeof(acme_page_live_t));
    const json_t *meta = acme_meta_live(store, cert->id, p);

    files->problem = "";
    files->folder = acme_store_path(store, "live", cert->id, p);
    files->ca = text_of(meta, "ca", p);
    files->profile = text_of(meta, "profile", p);
    files->installed = time_of(meta, "installed");
    files->lives = lives;
    read_meta(lives, meta, p);
    if (!meta || chains == ACME_PAGE_WITH_CHAINS) {
        read_chains(files, lives, store, cert, meta != NULL, p);
    }
    return files;
}

const acme_journal_t *acme_page_view_journal(const char **pproblem,
                                             const acme_page_view_t *of,
                                             int i, apr_pool_t *p)
{
    const acme_cert_conf_t *cert = &APR_ARRAY_IDX(of->conf->certs, i,
                                                  acme_cert_conf_t);
    acme_journal_t *journal;
    acme_result_t res;

    *pproblem = "";
    if (acme_journal_look(&journal, acme_store_at(of->conf->state_dir, p),
                          cert->id, &res, p)) {
        *pproblem = apr_pstrdup(p, res.detail);
        return NULL;
    }
    return journal;
}
