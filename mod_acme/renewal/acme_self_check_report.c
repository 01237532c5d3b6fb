/*
 * acme_self_check_report.c - what came of the visits of a certificate.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_self_check_report.h"

int acme_self_check_report_keys(acme_peer_key_e *keys, apr_uint32_t *parts,
                                const acme_cert_conf_t *cert)
{
    int has[2] = { 0, 0 };
    apr_uint32_t i;
    int n = 0;

    for (i = 0; i < acme_conf_parts(cert); i++) {
        const int is_rsa = acme_conf_key_type(cert, i) >= ACME_KEY_RSA2048;

        if (!has[is_rsa]) {
            has[is_rsa] = 1;
            keys[n] = is_rsa ? ACME_PEER_RSA_KEY : ACME_PEER_EC_KEY;
            parts[n++] = i;
        }
    }
    if (n == 1) {
        keys[0] = ACME_PEER_ANY_KEY;
    }
    return n;
}

static const acme_self_check_visit_t *nth(const apr_array_header_t *visits,
                                          int i)
{
    return &APR_ARRAY_IDX(visits, i, acme_self_check_visit_t);
}

/* The first of the worst, and how many more there are of its kind. */
static const acme_self_check_visit_t *find_worst(
    const apr_array_header_t *visits, int *pmore)
{
    const acme_self_check_visit_t *worst = NULL;
    int i;

    *pmore = 0;
    for (i = 0; i < visits->nelts; i++) {
        const acme_self_check_visit_t *visit = nth(visits, i);

        if (!worst || visit->check > worst->check) {
            worst = visit;
            *pmore = 0;
        }
        else if (visit->check == worst->check) {
            ++*pmore;
        }
    }
    return worst;
}

static const char *describe(const acme_self_check_visit_t *visit, int more,
                            apr_pool_t *p)
{
    const char *name = visit->visit->name, *at = visit->visit->at->text;
    const char *others = more ? apr_psprintf(p, " (and %d more)", more) : "";

    if (visit->check == ACME_CHECK_UNKNOWN) {
        return apr_psprintf(p, "%s at %s: %s%s", name, at, visit->why,
                            others);
    }
    if (visit->seen.is_placeholder) {
        return apr_psprintf(p, "visitors of %s at %s get the self-signed placeholder%s",
                            name, at, others);
    }
    return apr_psprintf(p, visit->seen.is_self_signed
                            ? "visitors of %s at %s get another certificate, serial %s, self-signed by %s%s"
                            : "visitors of %s at %s get another certificate, serial %s, issued by %s%s",
                        name, at, visit->seen.serial, visit->seen.issuer,
                        others);
}

/* Within the room that there is: a part of it says nothing. */
static void append(char *text, apr_size_t size, const char *more)
{
    const apr_size_t len = strlen(text);

    if (len + (len > 0) + strlen(more) < size) {
        apr_snprintf(text + len, size - len, "%s%s", len ? " " : "", more);
    }
}

static void add_place(acme_msg_served_t *body,
                      const apr_array_header_t *visits, int first,
                      apr_pool_t *p)
{
    const acme_visit_place_t *at = nth(visits, first)->visit->at;
    acme_check_e worst = ACME_CHECK_NONE;
    int i;

    for (i = 0; i < visits->nelts; i++) {
        const acme_self_check_visit_t *visit = nth(visits, i);

        if (strcmp(visit->visit->at->text, at->text)) {
            continue;
        }
        if (i < first) {
            return;             /* it has been told */
        }
        worst = visit->check > worst ? visit->check : worst;
    }
    append(body->places, sizeof(body->places),
           apr_pstrcat(p, at->text,
                       worst == ACME_CHECK_SERVED  ? "=yes"
                       : worst == ACME_CHECK_OTHER ? "=no" : "=unknown",
                       NULL));
}

void acme_self_check_report_fill(acme_msg_served_t *body,
                                 const apr_array_header_t *visits,
                                 apr_pool_t *p)
{
    int more, i;
    const acme_self_check_visit_t *worst = find_worst(visits, &more);

    body->check = worst ? (apr_uint32_t)worst->check : ACME_CHECK_NONE;
    if (body->check > ACME_CHECK_SERVED) {
        apr_cpystrn(body->detail, describe(worst, more, p),
                    sizeof(body->detail));
    }
    for (i = 0; i < visits->nelts; i++) {
        const acme_self_check_visit_t *visit = nth(visits, i);

        add_place(body, visits, i, p);
        if (visit->check != ACME_CHECK_OTHER) {
            continue;
        }
        body->has_placeholder |= visit->seen.is_placeholder != 0;
        if (!strstr(body->others, visit->seen.serial)) {
            append(body->others, sizeof(body->others), visit->seen.serial);
        }
    }
}
