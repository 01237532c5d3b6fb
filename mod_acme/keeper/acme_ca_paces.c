/*
 * acme_ca_paces.c - how long each CA takes, as workers measured it.
 *
 * run/pace.json: for each CA, by the folder of its account, an object with an
 * array of numbers for each acme_pace_e, the newest first.
 */
#include "acme_ca_paces.h"
#include "acme_file.h"
#include "acme_json_file.h"

/* All that comes within a minute is written once. */
#define WRITE_AFTER apr_time_from_sec(60)
#define FILE_MAX (1024 * 1024)  /* octets; a CA has about 1000 */

struct acme_ca_paces_t {
    acme_registry_t *registry;
    acme_ca_pace_t *cas;        /* one for each of acme_conf_t.cas */
    int is_new;                 /* something is not in the file */
    apr_time_t due;             /* when it is written; 0: not known yet */
    int is_logged;              /* that it cannot be written */
};

static const acme_conf_t *conf_of(const acme_ca_paces_t *paces)
{
    return acme_registry_conf(paces->registry);
}

static const char *folder_of(const acme_ca_paces_t *paces, int ca)
{
    return APR_ARRAY_IDX(conf_of(paces)->cas, ca, acme_ca_conf_t).folder;
}

static const char *file_path(const acme_ca_paces_t *paces, apr_pool_t *p)
{
    return acme_store_path(acme_registry_store(paces->registry), "run",
                           "pace.json", p);
}

/* Numbers that are none are passed over. */
static void load_pace(acme_pace_t *pace, const json_t *list)
{
    apr_size_t i = json_array_size(list);

    i = i < ACME_PACE_KEPT ? i : ACME_PACE_KEPT;
    while (i-- > 0) {
        const json_t *number = json_array_get(list, i);
        const json_int_t value = json_integer_value(number);

        if (json_is_integer(number) && value >= 0) {
            acme_ca_pace_add(pace,
                             value < ACME_PACE_MAX ? (apr_uint32_t)value
                                                   : ACME_PACE_MAX, 2);
        }
    }
}

static void load_file(acme_ca_paces_t *paces, apr_pool_t *p)
{
    acme_result_t res;
    json_t *json, *ca;
    apr_status_t rv;
    int i, what;

    rv = acme_json_file_load(&json, acme_registry_store(paces->registry),
                             file_path(paces, p), FILE_MAX, &res, p);
    if (rv != APR_SUCCESS) {
        if (!APR_STATUS_IS_ENOENT(rv)) {
            acme_log(acme_registry_log(paces->registry), ACME_LOG_WARNING,
                     "keeper", "%s", res.detail);
        }
        return;
    }
    for (i = 0; i < conf_of(paces)->cas->nelts; i++) {
        ca = json_object_get(json, folder_of(paces, i));
        for (what = 0; what < ACME_PACES; what++) {
            load_pace(&paces->cas[i].of[what],
                      json_object_get(
                          ca, acme_ca_pace_word((acme_pace_e)what)));
        }
    }
}

/* The object of a CA; NULL: nothing is known of it. */
static json_t *make_object(const acme_ca_pace_t *pace)
{
    json_t *object = NULL;
    apr_uint32_t i;
    int what;

    for (what = 0; what < ACME_PACES; what++) {
        const acme_pace_t *of = &pace->of[what];
        json_t *list;

        if (!of->n) {
            continue;
        }
        list = json_array();
        for (i = 0; i < of->n; i++) {
            json_array_append_new(list, json_integer(of->values[i]));
        }
        object = object ? object : json_object();
        json_object_set_new(object, acme_ca_pace_word((acme_pace_e)what),
                            list);
    }
    return object;
}

static void save_file(acme_ca_paces_t *paces, apr_pool_t *p)
{
    json_t *json = json_object();
    json_t *object;
    acme_result_t res;
    int i;

    for (i = 0; i < conf_of(paces)->cas->nelts; i++) {
        object = make_object(&paces->cas[i]);
        if (object) {
            json_object_set_new(json, folder_of(paces, i), object);
        }
    }
    /* Without a sync: what is lost is learned again. */
    if (acme_json_file_write(acme_file_replace, file_path(paces, p), json,
                             0600, &res, p)
        && !paces->is_logged) {
        acme_log(acme_registry_log(paces->registry), ACME_LOG_WARNING,
                 "keeper", "%s", res.detail);
        paces->is_logged = 1;
    }
    paces->is_new = 0;          /* or it would be tried without end */
    paces->due = 0;
}

acme_ca_paces_t *acme_ca_paces_create(acme_registry_t *registry,
                                      apr_pool_t *p)
{
    acme_ca_paces_t *paces = apr_pcalloc(p, sizeof(*paces));
    apr_pool_t *scratch;

    paces->registry = registry;
    paces->cas = apr_pcalloc(p, (apr_size_t)(conf_of(paces)->cas->nelts + 1)
                                * sizeof(*paces->cas));
    apr_pool_create(&scratch, p);
    load_file(paces, scratch);
    apr_pool_destroy(scratch);
    return paces;
}

const acme_ca_pace_t *acme_ca_paces_find(const acme_ca_paces_t *paces,
                                         apr_uint32_t ca)
{
    return &paces->cas[ca];
}

void acme_ca_paces_add(acme_ca_paces_t *paces, apr_uint32_t ca,
                       const acme_msg_pace_t *measured)
{
    int what;

    for (what = 0; what < ACME_PACES; what++) {
        if (measured->values[what] != ACME_NOT_MEASURED) {
            acme_ca_pace_add(&paces->cas[ca].of[what], measured->values[what],
                             measured->looks[what]);
            paces->is_new = 1;
        }
    }
}

apr_time_t acme_ca_paces_step(acme_ca_paces_t *paces, apr_time_t now,
                              apr_pool_t *p)
{
    if (!paces->is_new) {
        return 0;
    }
    if (!paces->due || paces->due - now > WRITE_AFTER) {
        paces->due = now + WRITE_AFTER;         /* or the clock was set */
    }
    if (now < paces->due) {
        return paces->due;
    }
    save_file(paces, p);
    return 0;
}

void acme_ca_paces_flush(acme_ca_paces_t *paces, apr_pool_t *p)
{
    if (paces->is_new) {
        save_file(paces, p);
    }
}
