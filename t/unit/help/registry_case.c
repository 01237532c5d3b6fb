/*
 * registry_case.c - see registry_case.h.
 */
#include "acme_registry_order.h"
#include "acme_registry_request.h"
#include "registry_case.h"

acme_conf_t *test_conf;
acme_registry_t *registry;

int registry_setup(void **state)
{
    int rc = scratch_setup(state);

    test_conf = make_conf();
    published = 0;
    return rc;
}

void add_part(acme_archive_t *archive, const char *suffix,
                     const char *names, long until)
{
    acme_key_t *key = make_key();
    issue_t what = { .issuer = make_issuer("Test CA"), .names = names,
                     .serial = 0xabcd, .until = until };
    acme_archive_part_t part = { suffix, NULL, NULL, "", NULL };

    what.key = acme_key_evp(key);
    part.full_pem = part.cert_pem = issue(&what);
    assert_int_equal(acme_key_pem(&part.key_pem, key, &res, pool), 0);
    APR_ARRAY_PUSH(archive->parts, acme_archive_part_t) = part;
}

acme_archive_t *make_archive(const char *meta)
{
    acme_archive_t *archive = apr_pcalloc(pool, sizeof(*archive));

    archive->parts = apr_array_make(pool, 2,
                                    sizeof(acme_archive_part_t));
    archive->meta = meta;
    return archive;
}

void install_archive(const char *id, const acme_archive_t *archive)
{
    int n;

    assert_int_equal(acme_archive_install(&n, open_store(), id, archive,
                                          &res, pool), 0);
}

void put_live(const char *id, const char *names)
{
    acme_archive_t *archive = make_archive("{}");

    add_part(archive, "", names, 90 * DAY);
    install_archive(id, archive);
}

void save_journal(acme_journal_t *journal)
{
    assert_int_equal(acme_journal_save(open_store(), "a.example", journal,
                                       &res, pool), 0);
}

void save_failure(const char *digest)
{
    acme_journal_t *journal = acme_journal_make(pool);

    journal->attempts = 3;
    journal->next_at = NOW;
    journal->retry = ACME_RETRY_NEVER;
    journal->wanted = 1;
    journal->problem = "urn:ietf:params:acme:error:dns";
    journal->detail = "a.example: no such name";
    journal->digest = digest;
    save_journal(journal);
}

void note(apr_uint32_t cert, acme_note_e what, const char *detail,
                 apr_time_t next_at)
{
    acme_msg_note_t message = {
        .about = { cert, 0, 0 }, .note = what, .next_at = next_at,
        .retry = ACME_RETRY_SOON, .name = ACME_NO_NAME,
        .challenge = ACME_CHALLENGES
    };

    apr_cpystrn(message.problem, "urn:x", sizeof(message.problem));
    apr_cpystrn(message.detail, detail, sizeof(message.detail));
    acme_registry_order_noted(registry, &message, NOW, pool);
}

void want(apr_uint32_t cert, acme_want_e what)
{
    const acme_msg_want_t message = { { cert, 0, 0 }, what, 4 };

    acme_registry_request_add(registry, &message, NOW, pool);
}

void done(apr_uint32_t cert, acme_want_e what)
{
    const acme_msg_want_t message = { { cert, 0, 0 }, what, -1 };

    acme_registry_request_done(registry, &message, NOW, pool);
}
