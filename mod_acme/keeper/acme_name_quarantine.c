/*
 * acme_name_quarantine.c - which names of a certificate are ordered.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_message.h"
#include "acme_name.h"
#include "acme_name_quarantine.h"

/* With the delays of 1 and 10 minutes: excluded after about 11 minutes. */
#define FAILURES_MAX 3

/* An excluded name is retried daily, later weekly. */
#define DAY apr_time_from_sec(24 * 3600)
#define DAILY_TRIES 7

static acme_journal_name_t *find_name(const acme_journal_t *journal,
                                      const char *name)
{
    int i;

    for (i = 0; i < journal->names->nelts; i++) {
        acme_journal_name_t *found = &APR_ARRAY_IDX(journal->names, i,
                                                    acme_journal_name_t);

        if (!strcmp(found->name, name)) {
            return found;
        }
    }
    return NULL;
}

static int is_left_out(const acme_journal_name_t *found, apr_time_t now)
{
    return found && found->left_out && now < found->again_at;
}

apr_array_header_t *acme_name_quarantine_names(const acme_cert_conf_t *cert,
                                               const acme_journal_t *journal,
                                               apr_time_t now, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, cert->names->nelts,
                                               sizeof(const char *));
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(cert->names, i, const char *);

        if (!is_left_out(find_name(journal, name), now)) {
            APR_ARRAY_PUSH(names, const char *) = name;
        }
    }
    /* If each name is excluded, all are ordered. */
    return names->nelts ? names : cert->names;
}

const char *acme_name_quarantine_flags(const acme_cert_conf_t *cert,
                                       const acme_journal_t *journal,
                                       apr_time_t now, apr_pool_t *p)
{
    char *flags = apr_pcalloc(p, (apr_size_t)cert->names->nelts + 1);
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        const acme_journal_name_t *found =
            find_name(journal, APR_ARRAY_IDX(cert->names, i, const char *));

        if (found) {
            flags[i] = (char)(found->challenges
                              | (is_left_out(found, now) ? ACME_NAME_LEFT_OUT
                                                         : 0));
        }
    }
    return flags;
}

void acme_name_quarantine_left_out(acme_state_t *state,
                                   const acme_cert_conf_t *cert,
                                   const acme_journal_t *journal)
{
    int i;

    acme_state_clear_left_out(state);
    for (i = 0; i < journal->names->nelts; i++) {
        const acme_journal_name_t *found = &APR_ARRAY_IDX(journal->names, i,
                                                          acme_journal_name_t);
        const acme_left_out_t name = {
            .name = found->name, .failures = found->failures,
            .why = found->why, .detail = found->detail,
            .again_at = found->again_at
        };

        if (found->left_out && acme_name_in(cert->names, found->name)) {
            acme_state_add_left_out(state, &name);
        }
    }
}

/* When all usable types have failed, the next attempt begins anew. */
static unsigned add_challenge(unsigned challenges, apr_uint32_t challenge,
                              const acme_cert_conf_t *cert)
{
    unsigned all = 0;
    int i;

    if (challenge >= ACME_CHALLENGES) {
        return challenges;
    }
    for (i = 0; i < cert->nchallenges; i++) {
        all |= 1u << cert->challenges[i];
    }
    challenges |= 1u << challenge;
    return (challenges & all) == all ? 0 : challenges;
}

static acme_journal_name_t *find_or_add(acme_journal_t *journal,
                                        const char *name, apr_time_t now)
{
    acme_journal_name_t *found = find_name(journal, name);

    if (!found) {
        found = apr_array_push(journal->names);
        memset(found, 0, sizeof(*found));
        found->name = name;
        found->since = now;
    }
    return found;
}

/* Is there another name that is not excluded? */
static int others_remain(const acme_journal_t *journal, const char *name,
                         const acme_cert_conf_t *cert, apr_time_t now)
{
    int i;

    for (i = 0; i < cert->names->nelts; i++) {
        const char *other = APR_ARRAY_IDX(cert->names, i, const char *);

        if (strcmp(other, name) != 0
            && !is_left_out(find_name(journal, other), now)) {
            return 1;
        }
    }
    return 0;
}

static int can_wait(const acme_state_t *state, apr_time_t now)
{
    return state->live && state->covers
        && now < acme_state_warn_at(state, state->not_after);
}

acme_blame_e acme_name_quarantine_blame(acme_journal_t *journal,
                                        const acme_fault_t *fault,
                                        const acme_cert_conf_t *cert,
                                        const acme_state_t *state,
                                        apr_time_t now)
{
    acme_journal_name_t *found = find_or_add(journal, fault->name, now);
    const int out = found->left_out != 0;

    found->failures++;
    found->why = fault->why;
    found->detail = fault->detail;
    found->challenges = add_challenge(found->challenges, fault->challenge,
                                      cert);
    if (!others_remain(journal, fault->name, cert, now)) {
        found->left_out = found->again_at = 0;
        return ACME_BLAME_NOTED;
    }
    if (!out) {
        if ((found->failures < FAILURES_MAX && !fault->is_lasting)
            || can_wait(state, now)) {
            return ACME_BLAME_NOTED;
        }
        found->left_out = now;
    }
    found->again_at = now + (found->failures < FAILURES_MAX + DAILY_TRIES
                             ? DAY : 7 * DAY);
    return out ? ACME_BLAME_STILL_OUT : ACME_BLAME_LEFT_OUT;
}

void acme_name_quarantine_try_all(acme_journal_t *journal, apr_time_t now)
{
    int i;

    for (i = 0; i < journal->names->nelts; i++) {
        acme_journal_name_t *found = &APR_ARRAY_IDX(journal->names, i,
                                                    acme_journal_name_t);

        if (is_left_out(found, now)) {
            found->again_at = now;
        }
    }
}

void acme_name_quarantine_challenge(acme_journal_t *journal, const char *name,
                                    apr_uint32_t challenge,
                                    const acme_cert_conf_t *cert,
                                    apr_time_t now)
{
    acme_journal_name_t *found = find_or_add(journal, name, now);

    found->challenges = add_challenge(found->challenges, challenge, cert);
}

void acme_name_quarantine_issued(acme_journal_t *journal,
                                 const apr_array_header_t *names)
{
    apr_array_header_t *all = journal->names;
    int i, kept = 0;

    for (i = 0; i < all->nelts; i++) {
        acme_journal_name_t *found = &APR_ARRAY_IDX(all, i,
                                                    acme_journal_name_t);

        if (acme_name_in(names, found->name)) {
            found->failures = 0;
            found->left_out = found->again_at = 0;
        }
        if (found->failures || found->challenges) {
            APR_ARRAY_IDX(all, kept++, acme_journal_name_t) = *found;
        }
    }
    all->nelts = kept;
}
