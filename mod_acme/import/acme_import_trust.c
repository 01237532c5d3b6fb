/*
 * acme_import_trust.c - which directives of another client are written.
 */
#include <string.h>

#include "acme_import_found.h"
#include "acme_import_trust.h"
#include "acme_import_words.h"
#include "acme_known_ca.h"

static int begins_with(const char *line, const char *head)
{
    return !strncmp(line, head, strlen(head));
}

static int is_known_ca(const char *shorthand)
{
    const acme_known_ca_t *ca = acme_known_ca_find(shorthand);

    return ca && !strstr(ca->shorthand, "-staging")
        && !strstr(ca->shorthand, "-test");
}

/* Whoever may choose it: it cannot do harm to anybody else. */
static int is_harmless(const char *line)
{
    return begins_with(line, "AcmeKeyTypes ")
        || begins_with(line, "AcmeRenewWindow ")
        || !strcmp(line, "AcmeMustStaple off")
        || (begins_with(line, "AcmeCA ")
            && is_known_ca(line + strlen("AcmeCA ")));
}

static int is_command(const char *line)
{
    return begins_with(line, "AcmeHook ") || begins_with(line, "AcmeDns exec")
        || begins_with(line, "AcmeHttp exec");
}

void acme_import_trust_filter(apr_array_header_t *lines,
                              apr_array_header_t *notes, const char *foreign)
{
    int i, kept = 0;

    for (i = 0; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);
        const char *why = foreign
            ? is_harmless(line) ? NULL : foreign
            : is_command(line) ? acme_import_words_foreign(line, lines->pool)
            : NULL;

        if (why) {
            acme_import_found_add(notes,
                                  "not written, because users other than root can change %s: %s",
                                  why, line);
        }
        else {
            APR_ARRAY_IDX(lines, kept++, const char *) = line;
        }
    }
    lines->nelts = kept;
}
