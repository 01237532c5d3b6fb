/*
 * acme_event.c - AcmeHook notify.
 *
 * A worker causes events, and may be hostile. So an event waits in one place of
 * its own for each certificate: one that comes while its equal waits replaces
 * it. Few commands run at once, and an event that comes again and again is
 * delivered once a minute.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_hook_run.h"
#include "acme_event.h"

#define WORD(name, word) word,
static const char *const words[ACME_EVENTS] = { ACME_HOOK_EVENTS(WORD) };

/* Commands at once. */
#define COMMANDS_MAX 8

/* The same event of a certificate: so many at once, then one in this time. */
#define BURST 5
#define PACE apr_time_from_sec(60)

typedef struct place_t place_t;

/* An event of a certificate, kept for the next time. */
struct place_t {
    place_t *next; /* that waits after it */
    apr_uint32_t cert;
    acme_event_e event;
    int waiting;
    int again;             /* it came once more while it is started */
    int next_hook;         /* of those of the certificate */
    apr_time_t paid_until; /* see PACE */
    int live;              /* of the state, as when the event came */
    apr_time_t not_after;
    char problem[ACME_PROBLEM_SIZE];
    char detail[ACME_DETAIL_SIZE];
};

struct acme_event_sink_t {
    const acme_conf_t *conf;
    const acme_store_t *store;
    acme_hook_runner_t *hooks;
    const acme_log_t *log;
    place_t **places; /* by certificate and event; NULL: not used */
    place_t *first;   /* that waits */
    int running;
    apr_pool_t *p;
};

acme_event_sink_t *acme_event_sink_create(const acme_conf_t *conf,
                                          const acme_store_t *store,
                                          acme_hook_runner_t *hooks,
                                          const acme_log_t *log, apr_pool_t *p)
{
    acme_event_sink_t *sink = apr_pcalloc(p, sizeof(*sink));

    sink->conf = conf;
    sink->store = store;
    sink->hooks = hooks;
    sink->log = log;
    sink->places = apr_pcalloc(p, ((apr_size_t)conf->certs->nelts + 1)
                                      * ACME_EVENTS * sizeof(place_t *));
    sink->p = p;
    return sink;
}

/* The output is in the log already; a failure is logged here. */
static void hook_ended(void *baton, apr_status_t status,
                       const acme_result_t *res, const char *output)
{
    acme_event_sink_t *sink = baton;

    (void)output;
    sink->running--;
    if (status != APR_SUCCESS) {
        acme_log(sink->log, ACME_LOG_WARNING, "notify", "%s", res->detail);
    }
}

/* Everything is copied, so it is gone after the call. */
static void start_hook(acme_event_sink_t *sink, const place_t *place,
                       apr_pool_t *p)
{
    const acme_cert_conf_t *cert = acme_conf_cert(sink->conf, place->cert);
    acme_hook_event_t fields = { .event = words[place->event],
                                 .id = cert->id,
                                 .names = cert->names,
                                 .problem = place->problem,
                                 .detail = place->detail };
    acme_hook_t hook = { .event = &fields,
                         .command =
                             APR_ARRAY_IDX(cert->hooks, place->next_hook,
                                           acme_hook_conf_t)
                                 .command,
                         .timeout = cert->hook_timeout,
                         .outlives = 1,
                         .done = hook_ended,
                         .baton = sink };

    if (place->live) {
        fields.live = acme_store_path(sink->store, "live", cert->id, p);
        fields.cert = acme_store_live(sink->store, cert->id, "cert.pem", p);
        fields.chain = acme_store_live(sink->store, cert->id, "chain.pem", p);
        fields.fullchain =
            acme_store_live(sink->store, cert->id, "fullchain.pem", p);
        fields.privkey =
            acme_store_live(sink->store, cert->id, "privkey.pem", p);
        fields.not_after = place->not_after;
    }
    sink->running++;
    acme_hook_run_start(sink->hooks, &hook);
}

/* When it may be started; a clock that was set back delays nothing. */
static apr_time_t start_at(const place_t *place, apr_time_t now)
{
    const apr_time_t at = place->paid_until - (BURST - 1) * PACE;

    return place->next_hook || at > now + PACE ? now : at;
}

static void enqueue(acme_event_sink_t *sink, place_t *place)
{
    place_t **end = &sink->first;

    while (*end) {
        end = &(*end)->next;
    }
    *end = place;
    place->next = NULL;
    place->waiting = 1;
    place->next_hook = 0;
    place->again = 0;
}

/* Start those whose time has come, as long as less than most run. */
static void start_hooks(acme_event_sink_t *sink, int most, apr_time_t now,
                        apr_pool_t *p)
{
    place_t **at = &sink->first;

    while (*at && sink->running < most) {
        place_t *place = *at;
        const acme_cert_conf_t *cert = acme_conf_cert(sink->conf, place->cert);

        if (start_at(place, now) > now) {
            at = &place->next;
            continue;
        }
        if (place->next_hook == 0) {
            place->paid_until =
                PACE
                + (place->paid_until > now
                           && place->paid_until < now + BURST * PACE
                       ? place->paid_until
                       : now);
        }
        start_hook(sink, place, p);
        if (++place->next_hook == cert->hooks->nelts) {
            *at = place->next;
            place->waiting = 0;
            if (place->again) {
                enqueue(sink, place);
            }
        }
    }
}

void acme_event_send(acme_event_sink_t *sink, const acme_state_t *state,
                     acme_event_e event, const char *detail, apr_pool_t *p)
{
    place_t **pplace, *place;

    if (!sink || !acme_conf_cert(sink->conf, state->cert)->hooks) {
        return;
    }
    pplace = &sink->places[state->cert * ACME_EVENTS + event];
    if (!*pplace) {
        *pplace = apr_pcalloc(sink->p, sizeof(**pplace));
    }
    place = *pplace;
    place->cert = state->cert;
    place->event = event;
    place->live = state->live != 0;
    place->not_after = state->not_after;
    apr_cpystrn(place->problem, state->problem, sizeof(place->problem));
    apr_cpystrn(place->detail, detail ? detail : "", sizeof(place->detail));
    if (!place->waiting) {
        enqueue(sink, place);
    }
    else {
        place->again = place->next_hook > 0;
    }
    start_hooks(sink, COMMANDS_MAX, apr_time_now(), p);
}

void acme_event_step(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p)
{
    start_hooks(sink, COMMANDS_MAX, now, p);
}

apr_time_t acme_event_wake(const acme_event_sink_t *sink, apr_time_t now)
{
    const place_t *place;
    apr_time_t wake = 0;

    for (place = sink->running < COMMANDS_MAX ? sink->first : NULL; place;
         place = place->next) {
        const apr_time_t at = start_at(place, now);

        if (!wake || at < wake) {
            wake = at;
        }
    }
    return wake;
}

void acme_event_flush(acme_event_sink_t *sink, apr_time_t now, apr_pool_t *p)
{
    start_hooks(sink, ACME_HOOKS_MAX, now, p);
    acme_hook_run_step(sink->hooks, now); /* writes what they read */
    if (sink->first) {
        acme_log(
            sink->log, ACME_LOG_WARNING, "notify",
            "the commands of some events were not run, because the keeper ends and the same events came too often");
    }
}
