/*
 * registry_case.h - what the tests of the registry's files share: a store, a
 * configuration, and the registry that a test opens.
 */
#ifndef REGISTRY_CASE_H
#define REGISTRY_CASE_H

#include "acme_archive.h"
#include "issuer.h"
#include "open_registry.h"

#define NOW apr_time_from_sec(1800000000)
#define DAYS(n) apr_time_from_sec((n) * DAY)
#define HOUR (DAYS(1) / 24)

extern acme_conf_t *test_conf;       /* of a.example and b.example */
extern acme_registry_t *registry; /* not opened by registry_setup() */

/* With scratch_teardown(). */
int registry_setup(void **state);

/* A certificate for names, as if it had been issued. */
void add_part(acme_archive_t *archive, const char *suffix, const char *names,
              long until);
acme_archive_t *make_archive(const char *meta);
void install_archive(const char *id, const acme_archive_t *archive);
void put_live(const char *id, const char *names);

/* Both of a.example, before the registry is opened. */
void save_journal(acme_journal_t *journal);

/* A failure that belongs to the configuration with this digest. */
void save_failure(const char *digest);

/* A worker's note of an order, at NOW. */
void note(apr_uint32_t cert, acme_note_e what, const char *detail,
          apr_time_t next_at);

/* A request of the administrator, and its end. */
void want(apr_uint32_t cert, acme_want_e what);
void done(apr_uint32_t cert, acme_want_e what);

#endif
