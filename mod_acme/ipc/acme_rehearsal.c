/*
 * acme_rehearsal.c - what a rehearsal of the validations found.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_name.h"
#include "acme_rehearsal.h"

#define HOUR apr_time_from_sec(3600)
#define FIELDS 5
#define FINDINGS_MAX 8192       /* of one certificate */

static const char *const words[ACME_REHEARSALS] = {
    [ACME_REHEARSAL_NONE] = "",
    [ACME_REHEARSAL_FINE] = "fine",
    [ACME_REHEARSAL_NOTE] = "note",
    [ACME_REHEARSAL_UNSEEN] = "unseen",
    [ACME_REHEARSAL_FAULT] = "fault"
};

static const char *const topics[ACME_TOPICS] = {
    [ACME_TOPIC_CA] = "ca",
    [ACME_TOPIC_DNS] = "dns",
    [ACME_TOPIC_CAA] = "caa",
    [ACME_TOPIC_HTTP_01] = "http-01",
    [ACME_TOPIC_TLS_ALPN_01] = "tls-alpn-01",
    [ACME_TOPIC_DNS_01] = "dns-01",
    [ACME_TOPIC_DNS_PERSIST_01] = "dns-persist-01"
};

const char *acme_rehearsal_word(acme_rehearsal_e level)
{
    return (unsigned)level < ACME_REHEARSALS ? words[level] : "";
}

acme_rehearsal_e acme_rehearsal_level(const char *word)
{
    int i = ACME_REHEARSALS;

    while (--i > ACME_REHEARSAL_NONE && strcmp(word, words[i])) {
        continue;
    }
    return (acme_rehearsal_e)i;
}

const char *acme_rehearsal_topic(acme_topic_e topic)
{
    return (unsigned)topic < ACME_TOPICS ? topics[topic] : "";
}

/* A copy, cut, without what would end a field or steer a terminal. */
static const char *printable(const char *text, apr_size_t max, apr_pool_t *p)
{
    char *copy = apr_pstrndup(p, text, max), *at;

    for (at = copy; *at; at++) {
        if (*at < 0x20 || *at > 0x7e) {
            *at = '?';
        }
    }
    return copy;
}

static const char *line_of(const acme_rehearsal_finding_t *finding,
                           apr_pool_t *p)
{
    return apr_pstrcat(p, acme_rehearsal_word(finding->level), "\t",
                       acme_reason_about(finding->reason)->code, "\t",
                       acme_rehearsal_topic(finding->topic), "\t",
                       printable(finding->name, ACME_NAME_MAX, p), "\t",
                       printable(finding->text, ACME_REHEARSAL_TEXT_MAX, p),
                       "\n", NULL);
}

const char *acme_rehearsal_lines(const apr_array_header_t *findings,
                                 apr_size_t max, apr_pool_t *p)
{
    apr_array_header_t *lines = apr_array_make(p, findings->nelts + 1,
                                               sizeof(const char *));
    acme_rehearsal_e level;
    apr_size_t len = 0;
    int i;

    for (i = 0; i < findings->nelts; i++) {
        APR_ARRAY_PUSH(lines, const char *) = line_of(
            &APR_ARRAY_IDX(findings, i, acme_rehearsal_finding_t), p);
        len += strlen(APR_ARRAY_IDX(lines, i, const char *));
    }
    for (level = ACME_REHEARSAL_NONE; len > max && level < ACME_REHEARSALS;
         level++) {
        for (i = findings->nelts - 1; i >= 0 && len > max; i--) {
            if (APR_ARRAY_IDX(findings, i, acme_rehearsal_finding_t).level
                == level) {
                len -= strlen(APR_ARRAY_IDX(lines, i, const char *));
                APR_ARRAY_IDX(lines, i, const char *) = "";
            }
        }
    }
    return apr_array_pstrcat(p, lines, 0);
}

/* False: the line is malformed. */
static int parse_line(acme_rehearsal_finding_t *finding, char *line,
                      const apr_array_header_t *names, apr_pool_t *p)
{
    char *fields[FIELDS], *at = line;
    int i;

    for (i = 0; i < FIELDS; i++) {
        fields[i] = at;
        at += strcspn(at, i < FIELDS - 1 ? "\t" : "");
        if (i < FIELDS - 1) {
            if (!*at) {
                return 0;
            }
            *at++ = '\0';
        }
    }
    finding->level = acme_rehearsal_level(fields[0]);
    finding->reason = acme_reason_parse(fields[1]);
    for (i = 0; i < ACME_TOPICS && strcmp(fields[2], topics[i]); i++) {
        continue;
    }
    finding->topic = (acme_topic_e)i;
    finding->name = fields[3];
    finding->text = printable(fields[4], ACME_REHEARSAL_TEXT_MAX, p);
    return finding->level != ACME_REHEARSAL_NONE && i < ACME_TOPICS
        && *finding->text
        && (!*fields[3] || !names || acme_name_in(names, fields[3]));
}

apr_array_header_t *acme_rehearsal_parse(const char *lines,
                                         const apr_array_header_t *names,
                                         apr_pool_t *p)
{
    apr_array_header_t *findings =
        apr_array_make(p, 16, sizeof(acme_rehearsal_finding_t));
    char *text = apr_pstrdup(p, lines ? lines : ""), *line, *last;

    for (line = apr_strtok(text, "\n", &last);
         line && findings->nelts < FINDINGS_MAX;
         line = apr_strtok(NULL, "\n", &last)) {
        acme_rehearsal_finding_t finding;

        if (parse_line(&finding, line, names, p)) {
            APR_ARRAY_PUSH(findings, acme_rehearsal_finding_t) = finding;
        }
    }
    return findings;
}

const acme_rehearsal_finding_t *acme_rehearsal_worst(
    const apr_array_header_t *findings)
{
    const acme_rehearsal_finding_t *worst = NULL;
    int i;

    for (i = 0; i < findings->nelts; i++) {
        const acme_rehearsal_finding_t *finding =
            &APR_ARRAY_IDX(findings, i, acme_rehearsal_finding_t);

        if (!worst || finding->level > worst->level) {
            worst = finding;
        }
    }
    return worst;
}

const char *acme_rehearsal_sentence(const acme_rehearsal_finding_t *finding,
                                    apr_pool_t *p)
{
    return *finding->name
        ? apr_pstrcat(p, finding->name, ": ", finding->text, NULL)
        : finding->text;
}

int acme_rehearsal_is_due(const acme_state_t *state)
{
    return state->rehearse_at != 0;
}

/* Of those that are about a name, or the way to it. */
static int is_of_validation(acme_reason_e why)
{
    return why >= ACME_REASON_DNS_NXDOMAIN
        && why <= ACME_REASON_NO_CHALLENGE;
}

int acme_rehearsal_follows(const acme_state_t *state, acme_reason_e why,
                           int is_challenge, apr_time_t now)
{
    const int is_recent = state->rehearsed && state->rehearsed <= now
        && now - state->rehearsed < HOUR;

    return (is_challenge || is_of_validation(why)) && !is_recent
        && !state->rehearse_at;
}
