/*
 * acme_install_part.c - a part of a certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_install_part.h"
#include "acme_journal.h"
#include "acme_live_link.h"

acme_install_part_t acme_install_part(acme_registry_t *registry,
                                      const acme_target_t *about,
                                      acme_result_t *res, apr_pool_t *p)
{
    const acme_conf_t *conf = acme_registry_conf(registry);
    const acme_install_part_t in = { .registry = registry,
                                     .store = acme_registry_store(registry),
                                     .log = acme_registry_log(registry),
                                     .conf = conf,
                                     .cert = acme_conf_cert(conf, about->cert),
                                     .state = acme_registry_state(registry,
                                                                  about->cert),
                                     .about = *about,
                                     .now = apr_time_now(),
                                     .res = res,
                                     .p = p };

    return in;
}

void acme_install_part_log_aside(const acme_install_part_t *in,
                                 apr_status_t rv)
{
    if (rv == APR_SUCCESS && in->res->detail[0]) {
        acme_log(in->log, ACME_LOG_WARNING, in->cert->id, "%s",
                 in->res->detail);
    }
}

const char *acme_install_part_live_path(const acme_install_part_t *in,
                                        const char *name, apr_uint32_t part)
{
    return acme_store_live(in->store, in->cert->id,
                           apr_pstrcat(in->p, name,
                                       acme_conf_suffix(in->cert, part),
                                       ".pem", NULL),
                           in->p);
}

int acme_install_part_is_state_old(const acme_install_part_t *in)
{
    acme_result_t ignored;
    int n;

    return !acme_live_link_read(&n, in->store, in->cert->id, &ignored, in->p)
        && n != in->state->live;
}

int acme_install_part_is_asked_since(const acme_install_part_t *in)
{
    acme_journal_t *journal;
    acme_result_t ignored;
    apr_time_t asked = 0;
    int i;

    if (in->state->wanted != ACME_WANT_RENEWAL) {
        return 0;
    }
    (void)acme_journal_look(&journal, in->store, in->cert->id, &ignored,
                            in->p);
    for (i = 0; i < journal->events->nelts; i++) {
        const acme_journal_event_t *event =
            &APR_ARRAY_IDX(journal->events, i, acme_journal_event_t);

        if (!strcmp(event->event, "asked")) {
            asked = event->when;
        }
    }
    return apr_time_sec(asked) > apr_time_sec(in->state->installed);
}
