/*
 * keeper.h - what the keeper's floor is given in its tests: a configuration
 * of two certificates at one CA, a store in the scratch folder, and a log that
 * can be read.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "acme_account_file.h"
#include "acme_archive.h"
#include "acme_registry.h"
#include "acme_journal.h"
#include "acme_pending.h"
#include "scratch.h"

#define CA_URL "https://ca.example/dir"
#define LOG_MAX (4 * 1024 * 1024)

static acme_result_t res;

static inline acme_cert_conf_t *cert_of(acme_conf_t *conf, int i)
{
    return &APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t);
}

/* "p256 rsa2048" */
static inline apr_array_header_t *key_types(const char *text)
{
    const apr_array_header_t *names = words(text);
    apr_array_header_t *types = apr_array_make(pool, 2,
                                               sizeof(acme_key_type_e));
    int i;

    for (i = 0; i < names->nelts; i++) {
        acme_key_type_e *type = apr_array_push(types);

        if (acme_key_type_parse(type, APR_ARRAY_IDX(names, i, const char *),
                                &res)) {
            fail_msg("%s", res.detail);
        }
    }
    return types;
}

static inline void set_digests(const acme_conf_t *conf,
                               acme_cert_conf_t *cert)
{
    cert->digest = acme_conf_digest(conf, cert, pool);
    cert->settings = acme_conf_settings(conf, cert, pool);
}

/* Certificate 0 is a.example with www.a.example, certificate 1 b.example. */
static inline acme_conf_t *make_conf(void)
{
    static const char *const names[] = {
        "a.example www.a.example", "b.example"
    };
    acme_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));
    acme_ca_conf_t *ca;
    size_t i;

    conf->state_dir = at("store");
    conf->activate = ACME_ACTIVATE_NONE;
    conf->cas = apr_array_make(pool, 1, sizeof(acme_ca_conf_t));
    conf->certs = apr_array_make(pool, 2, sizeof(acme_cert_conf_t));
    ca = apr_array_push(conf->cas);
    memset(ca, 0, sizeof(*ca));
    ca->url = CA_URL;
    ca->folder = acme_account_file_folder(CA_URL, NULL, pool);
    ca->contacts = words("mailto:admin@a.example mailto:b@b.example");
    for (i = 0; i < COUNT(names); i++) {
        acme_cert_conf_t *cert = apr_array_push(conf->certs);

        memset(cert, 0, sizeof(*cert));
        cert->names = words(names[i]);
        cert->id = APR_ARRAY_IDX(cert->names, 0, const char *);
        cert->places = words("httpd.conf:1");
        cert->agreed = 1;
        cert->key_types = key_types("p256");
        cert->cas = apr_array_make(pool, 2, sizeof(apr_uint32_t));
        APR_ARRAY_PUSH(cert->cas, apr_uint32_t) = 0;
        cert->renew.percent = 33;
        cert->warn.percent = 10;
        set_digests(conf, cert);
    }
    return conf;
}

/* Other names for a certificate, as after a changed configuration. */
static inline void set_names(acme_conf_t *conf, int i, const char *names)
{
    cert_of(conf, i)->names = words(names);
    set_digests(conf, cert_of(conf, i));
}

static inline void set_key_types(acme_conf_t *conf, int i, const char *types)
{
    cert_of(conf, i)->key_types = key_types(types);
    set_digests(conf, cert_of(conf, i));
}

static inline acme_ca_conf_t *ca_of(const acme_conf_t *conf, int i)
{
    return &APR_ARRAY_IDX(conf->cas, i, acme_ca_conf_t);
}

/* One more CA, for certificate 0 the next to try. */
static inline acme_ca_conf_t *add_ca(acme_conf_t *conf, const char *url)
{
    acme_ca_conf_t *ca = apr_array_push(conf->cas);

    memset(ca, 0, sizeof(*ca));
    ca->url = url;
    ca->folder = acme_account_file_folder(url, NULL, pool);
    ca->contacts = words("");
    APR_ARRAY_PUSH(cert_of(conf, 0)->cas, apr_uint32_t) =
        (apr_uint32_t)conf->cas->nelts - 1;
    set_digests(conf, cert_of(conf, 0));
    return ca;
}

/* A line a write: several processes log into one file. */
static void write_log(void *baton, acme_log_e level, const char *line)
{
    static const char *const levels[] = {
        "error", "warning", "notice", "info"
    };
    char text[8192];
    int len, fd;

    (void)baton;
    len = apr_snprintf(text, sizeof(text), "[%s] %s\n", levels[level], line);
    fd = open(at("log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (write(fd, text, (size_t)len) != len) {
        abort();
    }
    close(fd);
}

static const acme_log_t test_log = { write_log, NULL };

static inline const char *logged(void)
{
    const char *text;
    apr_size_t len;

    if (acme_file_read(&text, &len, at("log"), LOG_MAX, &res, pool)) {
        return "";
    }
    return text;
}

static inline void assert_logged(const char *text)
{
    if (!strstr(logged(), text)) {
        fail_msg("the log does not say \"%s\" but:\n%s", text, logged());
    }
}

static inline void assert_not_logged(const char *text)
{
    if (strstr(logged(), text)) {
        fail_msg("the log says \"%s\":\n%s", text, logged());
    }
}

/* How many lines say it? */
static inline int times_logged(const char *text)
{
    const char *found = logged();
    int n = 0;

    while ((found = strstr(found, text)) != NULL) {
        found += strlen(text);
        n++;
    }
    return n;
}

static int published;

static void publish(void *baton, const acme_state_t *state)
{
    (void)baton;
    (void)state;
    published++;
}

/* The book as a keeper has it that started now. */
static inline acme_registry_t *open_book(const acme_conf_t *conf)
{
    acme_registry_t *registry = apr_pcalloc(pool, sizeof(*registry));

    registry->conf = conf;
    registry->log = &test_log;
    registry->publish = publish;
    registry->store = open_store();
    acme_registry_open(registry, pool);
    return registry;
}

static inline acme_journal_t *journal_of(const char *id)
{
    acme_journal_t *journal;

    assert_int_equal(acme_journal_load(&journal, open_store(), id, &res,
                                       pool), 0);
    return journal;
}

static inline const char *last_event(const char *id)
{
    acme_journal_t *journal = journal_of(id);

    return journal->events->nelts
               ? APR_ARRAY_IDX(journal->events, journal->events->nelts - 1,
                               acme_journal_event_t)
                     .event
               : "none";
}

#define KEEPER_TEST(test) \
    cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#endif
