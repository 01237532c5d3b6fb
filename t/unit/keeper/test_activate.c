/*
 * test_activate.c - what running workers are given, what waits for a reload,
 * and what the next keeper makes of it.
 */
#ifdef __linux__                /* where there is such memory */
#include "acme_activate.h"
#include "acme_activated.h"
#include "acme_archive.h"
#include "acme_launcher.h"
#include "acme_launcher_rules.h"
#include "acme_live_link.h"
#include "acme_registry_self_check.h"
#include "acme_reload.h"
#include "issuer.h"
#include "live_memory.h"
#include "open_registry.h"
#include "with_launcher.h"

#define SERVED_LINE "a.example: served now by running workers, without a reload"
#define BOTH "a.example www.a.example"
#define A_DAY apr_time_from_sec(24 * 3600)

static acme_conf_t *conf;
static acme_registry_t *registry;
static acme_reload_t *reload;
static acme_activate_t *activate;
static acme_live_pairs_t *live;
static apr_time_t now;
static acme_key_t *keys[4];             /* of what was installed last */
static const char *ocsp;                /* of what is installed next */

static void held(void *baton, const char *reason)
{
    (void)baton;
    (void)reason;
}

/* A keeper that started now, in the same load of httpd. */
static void begin_keeper(void)
{
    static const acme_server_t server;

    acme_activate_recall(conf, live, open_store(), now, pool);
    registry = open_registry(conf);
    reload = acme_reload_create(&server, registry, held, NULL, pool);
    activate = acme_activate_create(registry, live, now, pool);
    acme_reload_use_live(reload, activate);
    acme_reload_resume(reload, now);
    acme_activate_mend(activate);
}

/* The next load: files rule, and its memory is empty. */
static void begin_load(int served)
{
    acme_cert_conf_t *cert = cert_of(conf, 0);

    cert->served = served;
    cert->is_activated = 0;
    if (live) {
        acme_live_pairs_forget_writer(live);
    }
    assert_int_equal(acme_live_pairs_create(&live, conf->certs->nelts, &res,
                                            pool), 0);
    begin_keeper();
}

static int setup(void **state)
{
    const int rc = scratch_setup(state);
    acme_cert_conf_t *cert;
    acme_visit_place_t *place;
    apr_array_header_t *visits;

    live = NULL;
    ocsp = NULL;
    now = apr_time_now();
    conf = make_conf();
    conf->activate = ACME_ACTIVATE_LIVE;
    conf->reload_delay = apr_time_from_sec(5);
    cert = cert_of(conf, 0);
    place = apr_pcalloc(pool, sizeof(*place));
    place->text = "*:443";
    visits = apr_array_make(pool, 1, sizeof(acme_visit_t));
    APR_ARRAY_PUSH(visits, acme_visit_t) =
        (acme_visit_t) { .at = place, .name = "a.example" };
    cert->visits = visits;
    cert->visits_digest = acme_conf_visits_digest(cert, pool);
    return rc;
}

/* What is live on disk from now on, and not served yet. */
static int put_archive(const char *id, const char *names, const char *meta,
                       int parts)
{
    static const char *const suffixes[] = { "", "-p384", "-rsa" };
    const issuer_t *ca = make_issuer("Test CA");
    const acme_archive_t archive = {
        .parts = apr_array_make(pool, 3, sizeof(acme_archive_part_t)),
        .meta = meta
    };
    int i, n;

    for (i = 0; i < parts; i++) {
        acme_archive_part_t *part = apr_array_push(archive.parts);
        issue_t leaf = { .issuer = ca, .names = names, .ocsp = ocsp };

        keys[i] = make_key();
        leaf.key = acme_key_evp(keys[i]);
        memset(part, 0, sizeof(*part));
        assert_int_equal(acme_key_pem(&part->key_pem, keys[i], &res, pool), 0);
        part->suffix = suffixes[i];
        part->full_pem = part->cert_pem = issue(&leaf);
        part->chain_pem = "";
    }
    assert_int_equal(acme_archive_install(&n, open_store(), id, &archive, &res,
                                          pool), 0);
    return n;
}

static int put_next(void)
{
    return put_archive("a.example", BOTH, "{}", 1);
}

/* As after an installation. */
static const acme_state_t *schedule(int cert)
{
    acme_registry_refresh(registry, (apr_uint32_t)cert, pool);
    acme_reload_schedule(reload, state_of(registry, cert), 0, now);
    return state_of(registry, cert);
}

static int is_reload_scheduled(void)
{
    return acme_reload_step(reload, 1, now) != 0;
}

static int given(int cert)
{
    return acme_live_pairs_archive(live, cert);
}

static void an_installed_one_is_given_to_workers(void **state)
{
    acme_live_pairs_read_t read;
    const acme_state_t *a;
    const char *before, *key;
    int n;

    (void)state;
    begin_load(put_next());
    assert_false(is_reload_scheduled());
    assert_int_equal(given(0), 0);      /* the load has it */
    state_of(registry, 0)->check = ACME_CHECK_SERVED;
    state_of(registry, 0)->check_at = now + A_DAY;
    before = cert_of(conf, 0)->visits_digest;

    n = put_next();
    a = schedule(0);
    assert_int_equal(given(0), n);
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), 0);
    assert_int_equal(read.kinds, 1);
    assert_int_equal(acme_key_pem(&key, keys[0], &res, pool), 0);
    assert_string_equal(read.pairs[0].key, key);
    assert_string_equal(read.pairs[0].chain,
                        text_of(at("store/live/a.example/fullchain.pem")));

    assert_int_equal(a->served, n);
    assert_int_equal(a->live, n);
    assert_int_equal(a->activated, 1);
    assert_int_equal(a->not_live, ACME_NOT_LIVE_NONE);
    assert_logged("[notice] " SERVED_LINE "; serial ");
    assert_string_equal(last_event("a.example"), "activated");
    assert_false(is_reload_scheduled());
    assert_not_logged("PRIVATE KEY");

    /* It is looked at now, and what was seen before is of another one. */
    assert_int_equal(a->check, ACME_CHECK_NONE);
    assert_int_equal(a->check_at, now);
    assert_string_not_equal(cert_of(conf, 0)->visits_digest, before);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->served, n);
    assert_int_equal(a->activated, 1);
    assert_int_equal(a->check, ACME_CHECK_NONE);
}

/* Most CAs have no responder any more. */
static void stapling_without_a_responder_changes_nothing(void **state)
{
    (void)state;
    cert_of(conf, 0)->is_stapled = 1;
    begin_load(0);
    put_next();
    assert_int_equal(schedule(0)->served, 1);
    assert_int_equal(given(0), 1);
}

static void the_placeholder_is_replaced(void **state)
{
    const acme_state_t *a;

    (void)state;
    begin_load(0);
    put_next();
    a = schedule(0);
    assert_int_equal(a->served, 1);
    assert_int_equal(given(0), 1);
    assert_false(is_reload_scheduled());
}

/* Another virtual host has the name first. */
static void what_is_hidden_is_not_said_to_be_served(void **state)
{
    const acme_state_t *a;

    (void)state;
    cert_of(conf, 0)->is_hidden = 1;
    begin_load(0);
    put_next();
    a = schedule(0);
    assert_int_equal(given(0), 1);
    assert_int_equal(a->served, 1);
    assert_int_equal(a->instead, ACME_INSTEAD_FOREIGN);
    assert_logged("[notice] a.example: given to running workers, without a reload, but visitors of a name of it get what another virtual host");
    assert_not_logged("served now");
    assert_false(is_reload_scheduled());
    assert_string_not_equal(last_event("a.example"), "activated");
}

static void a_stand_in_is_replaced(void **state)
{
    const acme_state_t *a;

    (void)state;
    cert_of(conf, 0)->stand_in = (acme_stand_in_t) { .id = "c.example",
                                                     .n = 1 };
    begin_load(0);
    a = state_of(registry, 0);
    assert_int_equal(a->instead, ACME_INSTEAD_STAND_IN);
    put_next();
    schedule(0);
    assert_int_equal(a->instead, ACME_INSTEAD_NOTHING);
    assert_int_equal(given(0), 1);
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->instead, ACME_INSTEAD_NOTHING);
}

/* What a load would serve: one of each kind, up to one that is not there. */
static void the_same_kinds_as_by_a_load(void **state)
{
    static const struct {
        const char *types;
        int parts;
        int kinds;
    } rows[] = {
        { "p256 p384", 2, 1 },
        { "p256 p384 rsa2048", 3, 2 },
        { "p256 p384 rsa2048", 2, 1 },  /* one that was added since */
        { "p256 p384 rsa2048", 1, 1 }
    };
    acme_live_pairs_read_t read;
    const char *key;
    apr_size_t i;

    (void)state;
    begin_load(0);
    for (i = 0; i < COUNT(rows); i++) {
        const int n = put_archive("a.example", BOTH, "{}", rows[i].parts);

        set_key_types(conf, 0, rows[i].types);
        schedule(0);
        assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), 0);
        if (read.archive != n || read.kinds != rows[i].kinds) {
            fail_msg("%s of %d: archive %d, %d kinds", rows[i].types,
                     rows[i].parts, read.archive, read.kinds);
        }
        if (read.kinds == 2) {
            assert_int_equal(acme_key_pem(&key, keys[2], &res, pool), 0);
            assert_string_equal(read.pairs[1].key, key);
        }
    }
}

static void set_must_staple(void)
{
    cert_of(conf, 0)->must_staple = 1;
    put_next();
}

static void put_must_staple(void)
{
    put_archive("a.example", BOTH, "{\"mustStaple\": true}", 1);
}

static void put_with_stapling(void)
{
    cert_of(conf, 0)->is_stapled = 1;
    ocsp = "http://ocsp.example/";
    put_next();
}

static void make_it_a_stand_in(void)
{
    cert_of(conf, 1)->stand_in.id = "a.example";
    put_next();
}

static void put_without_a_name(void)
{
    cert_of(conf, 0)->stand_in = (acme_stand_in_t) { .id = "c.example",
                                                     .n = 1 };
    put_archive("a.example", "a.example", "{}", 1);
}

static void put_too_long(void)
{
    const int n = put_next();
    const char *path = at("store/archive/a.example/%d/fullchain.pem", n);
    char *text = apr_palloc(pool, 33001);
    const apr_size_t len = strlen(text_of(path));

    memset(text, '\n', 33000);
    memcpy(text, text_of(path), len);
    text[33000] = '\0';
    put(path, text);
}

static void put_with_a_nul(void)
{
    const int n = put_next();
    FILE *file = fopen(at("store/archive/a.example/%d/privkey.pem", n), "a");

    assert_non_null(file);
    assert_int_equal(fputc('\0', file), '\0');
    assert_int_equal(fclose(file), 0);
}

static void lose_the_memory(void)
{
    put_next();
    live = NULL;
    activate = acme_activate_create(registry, NULL, now, pool);
    acme_reload_use_live(reload, activate);
}

static void fail_before(void)
{
    acme_activate_failed(activate, 0, now - A_DAY + 1);
    put_next();
}

static void others_wait_for_a_reload(void **state)
{
    static const struct {
        const char *name;
        void (*make)(void);
        acme_not_live_e why;
        const char *logged;
    } rows[] = {
        { "must-staple", set_must_staple, ACME_NOT_LIVE_STAPLE,
          "[notice] a.example: served after a reload, not by running workers before: it has must-staple" },
        { "must-staple of before", put_must_staple, ACME_NOT_LIVE_STAPLE,
          "it has must-staple" },
        { "stapling", put_with_stapling, ACME_NOT_LIVE_STAPLED,
          "SSLUseStapling is on for it" },
        { "a stand-in", make_it_a_stand_in, ACME_NOT_LIVE_STANDS_IN,
          "another certificate that is missing" },
        { "one that has a stand-in", put_without_a_name, ACME_NOT_LIVE_LACKS,
          "it lacks a name" },
        { "too long", put_too_long, ACME_NOT_LIVE_REFUSED,
          "[warning] a.example: served after a reload, not by running workers before: chain and key are longer than 32000 octets" },
        { "a key with a NUL", put_with_a_nul, ACME_NOT_LIVE_REFUSED,
          "not a PEM text" },
        { "no memory", lose_the_memory, ACME_NOT_LIVE_SYSTEM, NULL },
        { "it has failed", fail_before, ACME_NOT_LIVE_FAILED,
          "AcmeActivate live does not work here" }
    };
    apr_size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        const acme_state_t *a;

        scratch_teardown(state);
        setup(state);
        begin_load(0);
        rows[i].make();
        a = schedule(0);
        if (a->served || a->activated || a->not_live != rows[i].why
            || !a->live || (live && given(0)) || !is_reload_scheduled()) {
            fail_msg("%s: served %d of %d, %d", rows[i].name, a->served,
                     a->live, a->not_live);
        }
        if (rows[i].logged) {
            assert_logged(rows[i].logged);
        }
        else {
            assert_not_logged("served after a reload");
        }
        acme_registry_refresh(registry, 0, pool);
        assert_int_equal(a->not_live, rows[i].why);
    }
}

/* The former one stays, with workers and in the memory. */
static void a_pair_that_does_not_match_is_not_given(void **state)
{
    const acme_state_t *a;
    int n;

    (void)state;
    begin_load(0);
    put_next();
    schedule(0);
    n = put_next();
    put(at("store/archive/a.example/%d/privkey.pem", n),
        text_of(at("store/archive/a.example/1/privkey.pem")));
    a = schedule(0);
    assert_int_equal(a->served, 1);
    assert_int_equal(given(0), 1);
}

/* Which the registry finds before. */
static void a_pair_that_mod_ssl_refuses_is_not_given(void **state)
{
    acme_state_t *a;

    (void)state;
    begin_load(0);
    put_next();
    acme_registry_refresh(registry, 0, pool);
    a = state_of(registry, 0);
    assert_int_equal(a->live, 1);
    cert_of(conf, 0)->ciphers = words("DEFAULT DEFAULT:@SECLEVEL=4");
    acme_reload_schedule(reload, a, 0, now);
    assert_int_equal(a->not_live, ACME_NOT_LIVE_REFUSED);
    assert_int_equal(given(0), 0);
    assert_logged("OpenSSL refuses it at security level 4");
    acme_registry_refresh(registry, 0, pool);
    assert_int_equal(a->live, 0);
}

static void other_ways_are_as_before(void **state)
{
    (void)state;
    conf->activate = ACME_ACTIVATE_GRACEFUL;
    begin_load(0);
    put_next();
    assert_int_equal(schedule(0)->served, 0);
    assert_int_equal(given(0), 0);
    assert_true(is_reload_scheduled());

    conf->activate = ACME_ACTIVATE_NONE;
    begin_load(0);
    assert_int_equal(schedule(0)->served, 0);
    assert_int_equal(given(0), 0);
    assert_false(is_reload_scheduled());
    assert_logged("goes live when you reload httpd");
    assert_int_equal(state_of(registry, 0)->not_live, ACME_NOT_LIVE_NONE);
}

static void the_next_keeper_goes_on(void **state)
{
    apr_uint32_t generation;

    (void)state;
    begin_load(put_next());
    put_next();
    schedule(0);
    generation = acme_live_pairs_generation(live, 0);
    cert_of(conf, 0)->served = 1;       /* as httpd's parent has it */
    cert_of(conf, 0)->is_activated = 0;

    begin_keeper();
    assert_int_equal(state_of(registry, 0)->served, 2);
    assert_int_equal(state_of(registry, 0)->activated, 1);
    assert_int_equal(acme_live_pairs_generation(live, 0), generation);
    assert_int_equal(times_logged(SERVED_LINE), 1);
    assert_false(is_reload_scheduled());

    put_next();                         /* while no keeper ran */
    cert_of(conf, 0)->served = 1;
    cert_of(conf, 0)->is_activated = 0;
    begin_keeper();
    assert_int_equal(state_of(registry, 0)->served, 3);
    assert_int_equal(given(0), 3);
    assert_int_equal(times_logged(SERVED_LINE), 2);
}

static void a_load_that_read_before_needs_no_other(void **state)
{
    (void)state;
    put_next();
    put_next();
    begin_load(1);
    assert_int_equal(state_of(registry, 0)->served, 2);
    assert_int_equal(given(0), 2);
    assert_false(is_reload_scheduled());

    begin_load(2);                      /* the next one has it itself */
    assert_int_equal(state_of(registry, 0)->activated, 0);
    assert_int_equal(given(0), 0);
}

/* A keeper was killed while it wrote. */
static void break_row(int cert)
{
    uint32_t row[4];

    live_memory_get_row(cert, row);
    row[0]++;
    live_memory_set_row(cert, row);
}

static void what_was_half_written_is_written_anew(void **state)
{
    acme_live_pairs_read_t read;

    (void)state;
    begin_load(put_next());
    put_next();
    schedule(0);
    break_row(0);
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), APR_EAGAIN);
    cert_of(conf, 0)->served = 1;
    cert_of(conf, 0)->is_activated = 0;
    begin_keeper();
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), 0);
    assert_int_equal(read.archive, 2);
    assert_int_equal(state_of(registry, 0)->served, 2);

    /* It cannot be given again: who has read it keeps it, until the reload. */
    break_row(0);
    cert_of(conf, 0)->served = 1;
    cert_of(conf, 0)->is_activated = 0;
    cert_of(conf, 0)->must_staple = 1;
    begin_keeper();
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), APR_EAGAIN);
    assert_int_equal(state_of(registry, 0)->not_live, ACME_NOT_LIVE_STAPLE);
    assert_true(is_reload_scheduled());

    /* Nothing is to be given: what httpd loaded is used. */
    cert_of(conf, 0)->served = 2;
    cert_of(conf, 0)->is_activated = 0;
    begin_keeper();
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), APR_ENOENT);
    assert_int_equal(state_of(registry, 0)->activated, 0);
}

static int visit(acme_check_e check, const char *serial, apr_time_t at)
{
    acme_msg_served_t body = { .check = check, .has_placeholder =
                                                   check == ACME_CHECK_OTHER,
                               .places = "*:443=no", .detail = "an older one" };

    apr_cpystrn(body.live, serial, sizeof(body.live));
    return acme_registry_self_check_noted(registry, &body, at, pool);
}

static void visitors_who_get_another_one_end_it_for_a_day(void **state)
{
    const acme_state_t *a;

    (void)state;
    begin_load(put_next());
    put_next();
    a = schedule(0);
    /* A reload within the hour, of another reason, is none against this one. */
    state_of(registry, 1)->check_reload_at = now;
    assert_true(visit(ACME_CHECK_OTHER, a->serial, now));
    assert_logged("a.example: not served: an older one. httpd is reloaded once for this");
    acme_reload_schedule(reload, a, a->not_after, now);
    assert_true(is_reload_scheduled());
    assert_int_equal(a->not_live, ACME_NOT_LIVE_FAILED);
    assert_logged("[warning] a.example: AcmeActivate live does not work here: visitors get another certificate");
    assert_int_equal(mode_of(at("store/run/live.json")), 0600);

    put_archive("b.example", "b.example", "{}", 1);
    assert_int_equal(schedule(1)->not_live, ACME_NOT_LIVE_FAILED);
    cert_of(conf, 0)->served = 1;       /* a keeper dies before the reload */
    cert_of(conf, 0)->is_activated = 0;
    begin_keeper();
    assert_int_equal(state_of(registry, 0)->served, 1);
    assert_true(is_reload_scheduled());

    cert_of(conf, 1)->served = 1;       /* the reload, and the next one */
    begin_load(2);
    assert_false(is_reload_scheduled());
    a = state_of(registry, 0);
    assert_int_equal(a->not_live, ACME_NOT_LIVE_FAILED);
    assert_int_equal(a->activated, 0);
    put_next();
    assert_int_equal(schedule(0)->not_live, ACME_NOT_LIVE_FAILED);
    assert_true(is_reload_scheduled());
    assert_int_equal(times_logged("does not work here"), 1);

    now += A_DAY + apr_time_from_sec(1);
    assert_int_equal(schedule(0)->served, 3);
    assert_int_equal(a->not_live, ACME_NOT_LIVE_NONE);
}

/* A keeper that dies forgets of no other certificate that it is served. */
static void a_failure_is_of_one_certificate(void **state)
{
    const acme_state_t *a;

    (void)state;
    put_archive("b.example", "b.example", "{}", 1);
    cert_of(conf, 1)->served = 1;
    begin_load(put_next());
    put_archive("b.example", "b.example", "{}", 1);
    schedule(1);
    put_next();
    a = schedule(0);
    acme_reload_schedule(reload, a, a->not_after, now);
    assert_int_equal(a->not_live, ACME_NOT_LIVE_FAILED);

    cert_of(conf, 0)->served = cert_of(conf, 1)->served = 1;
    cert_of(conf, 0)->is_activated = cert_of(conf, 1)->is_activated = 0;
    begin_keeper();
    assert_int_equal(state_of(registry, 0)->served, 1);
    assert_int_equal(state_of(registry, 1)->served, 2);
    assert_int_equal(state_of(registry, 1)->not_live, ACME_NOT_LIVE_NONE);
}

/* It is another server that answers, whatever workers have. */
static void a_reload_that_does_not_help_either_acquits(void **state)
{
    const acme_state_t *a;
    const char *serial;

    (void)state;
    begin_load(put_next());
    put_next();
    a = schedule(0);
    serial = apr_pstrdup(pool, a->serial);
    assert_true(visit(ACME_CHECK_OTHER, serial, now));
    acme_reload_schedule(reload, a, a->not_after, now);

    now += apr_time_from_sec(1);
    begin_load(2);
    a = state_of(registry, 0);
    assert_int_equal(a->check, ACME_CHECK_OTHER);       /* of before */
    put_archive("b.example", "b.example", "{}", 1);
    assert_int_equal(schedule(1)->not_live, ACME_NOT_LIVE_FAILED);
    now += apr_time_from_sec(1);
    assert_false(visit(ACME_CHECK_OTHER, serial, now));
    assert_logged("Reloading httpd did not help");
    assert_int_equal(schedule(1)->not_live, ACME_NOT_LIVE_NONE);
    assert_int_equal(given(1), 1);
}

static void what_visitors_get_is_right(void **state)
{
    const acme_state_t *a;

    (void)state;
    begin_load(put_next());
    put_next();
    a = schedule(0);
    assert_false(visit(ACME_CHECK_SERVED, a->serial, now));
    assert_int_equal(a->check, ACME_CHECK_SERVED);
    assert_false(is_reload_scheduled());
    begin_keeper();
    assert_int_equal(state_of(registry, 0)->check, ACME_CHECK_SERVED);
}

static void a_link_that_was_changed_by_hand(void **state)
{
    const acme_state_t *a;

    (void)state;
    begin_load(put_next());
    put_next();
    a = schedule(0);
    assert_int_equal(unlink(at("store/live/a.example")), 0);
    assert_int_equal(symlink("../archive/a.example/1",
                             at("store/live/a.example")), 0);
    assert_true(visit(ACME_CHECK_OTHER, "ffff", now));
    acme_reload_schedule(reload, a, a->not_after, now);
    assert_int_equal(a->served, 1);
    assert_int_equal(given(0), 1);
    assert_false(is_reload_scheduled());
    assert_not_logged("does not work here");
}

static void a_damaged_file_forbids_nothing(void **state)
{
    static const char *const texts[] = {
        "", "[]", "{}", "{\"failed\":7}", "{\"failed\":\"x\"}",
        "{\"failed\":\"2099-01-01T00:00:00Z\"}"
    };
    apr_size_t i;

    (void)state;
    begin_load(0);
    for (i = 0; i < COUNT(texts); i++) {
        put(at("store/run/live.json"), texts[i]);
        begin_keeper();
        put_next();
        if (schedule(0)->served != (int)i + 1) {
            fail_msg("%s: not given", texts[i]);
        }
    }
}

/* Of AcmeExport it has what is served, and cannot write what workers read. */
static int ask_the_launcher(void *data)
{
    static const acme_launcher_export_t export = { 0, 0 };
    const acme_launcher_command_t command = { .export = &export };
    const acme_launcher_rules_t rules = { .conf = conf, .live = live };

    (void)data;
    acme_live_pairs_forget_writer(live);
    CHECK(acme_launcher_rules_allow(&rules, &command, pool));
    CHECK(cert_of(conf, 0)->served == 1);
    return 0;
}

static void the_launcher_knows_what_is_served(void **state)
{
    static const acme_export_conf_t export = { .path = "/x" };
    apr_array_header_t *exports =
        apr_array_make(pool, 1, sizeof(acme_export_conf_t));

    (void)state;
    begin_load(0);
    APR_ARRAY_PUSH(exports, acme_export_conf_t) = export;
    cert_of(conf, 0)->exports = exports;
    put_next();
    schedule(0);
    cert_of(conf, 0)->served = 0;       /* its own copy */
    cert_of(conf, 0)->is_activated = 0;
    assert_int_equal(in_child(ask_the_launcher, NULL), 0);
}

#define ACTIVATE_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

#endif

int main(void)
{
#ifdef __linux__
    const struct CMUnitTest tests[] = {
        ACTIVATE_TEST(an_installed_one_is_given_to_workers),
        ACTIVATE_TEST(stapling_without_a_responder_changes_nothing),
        ACTIVATE_TEST(the_placeholder_is_replaced),
        ACTIVATE_TEST(what_is_hidden_is_not_said_to_be_served),
        ACTIVATE_TEST(a_stand_in_is_replaced),
        ACTIVATE_TEST(the_same_kinds_as_by_a_load),
        ACTIVATE_TEST(others_wait_for_a_reload),
        ACTIVATE_TEST(a_pair_that_does_not_match_is_not_given),
        ACTIVATE_TEST(a_pair_that_mod_ssl_refuses_is_not_given),
        ACTIVATE_TEST(other_ways_are_as_before),
        ACTIVATE_TEST(the_next_keeper_goes_on),
        ACTIVATE_TEST(a_load_that_read_before_needs_no_other),
        ACTIVATE_TEST(what_was_half_written_is_written_anew),
        ACTIVATE_TEST(visitors_who_get_another_one_end_it_for_a_day),
        ACTIVATE_TEST(a_failure_is_of_one_certificate),
        ACTIVATE_TEST(a_reload_that_does_not_help_either_acquits),
        ACTIVATE_TEST(what_visitors_get_is_right),
        ACTIVATE_TEST(a_link_that_was_changed_by_hand),
        ACTIVATE_TEST(a_damaged_file_forbids_nothing),
        ACTIVATE_TEST(the_launcher_knows_what_is_served)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
#else
    return 0;
#endif
}
