/*
 * acme_cert_facts.c - what the process that parses certificates tells the
 * keeper of a chain.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_cert_facts.h"
#include "acme_chain.h"
#include "acme_name.h"
#include "acme_public_key.h"
#include "acme_text.h"

/* Hex, with a sign: acme_cert_info.h has at most 20 octets. */
#define SERIAL_MAX 41
#define ISSUER_MAX 128

/* Of the years 0 to 9999: a certificate has no others. */
#define TIME_MIN apr_time_from_sec(-62167219200LL)
#define TIME_MAX apr_time_from_sec(253402300799LL)

static const apr_size_t text_max[ACME_CERT_FACTS_TEXTS] = {
    [ACME_CERT_FACTS_PARSED] = ACME_DETAIL_SIZE - 1,
    [ACME_CERT_FACTS_LINKED] = ACME_DETAIL_SIZE - 1,
    [ACME_CERT_FACTS_LOADS] = ACME_DETAIL_SIZE - 1,
    [ACME_CERT_FACTS_SERIAL] = SERIAL_MAX,
    [ACME_CERT_FACTS_ISSUER] = ISSUER_MAX,
    [ACME_CERT_FACTS_CERT_ID] = ACME_CERT_ID_MAX,
    [ACME_CERT_FACTS_KEY] = ACME_PUBLIC_KEY_MAX,
    [ACME_CERT_FACTS_NAMES] = ACME_CERT_FACTS_NAMES_MAX * (ACME_NAME_MAX + 1)
};

apr_size_t acme_cert_facts_octets(const acme_cert_facts_wire_t *wire)
{
    apr_size_t octets = 0;
    int i;

    for (i = 0; i < ACME_CERT_FACTS_TEXTS; i++) {
        if (wire->lengths[i] > text_max[i]) {
            return ACME_CERT_FACTS_OCTETS_MAX + 1;
        }
        octets += wire->lengths[i];
    }
    return octets;
}

/* The process that parses. */

static apr_uint32_t verdict_of(const acme_result_t *result)
{
    return result->status == APR_SUCCESS ? ACME_CERT_FACTS_GOOD
           : result->status == APR_EINVAL ? ACME_CERT_FACTS_REFUSED
                                          : ACME_CERT_FACTS_FAILED;
}

/* One that mod_ssl's or OpenSSL's words did not leave printable. */
static const char *printable(const char *text, apr_size_t max, apr_pool_t *p)
{
    char *copy = apr_pstrndup(p, text ? text : "", max);
    char *c;

    for (c = copy; *c; c++) {
        if (*c < 0x20 || *c > 0x7e) {
            *c = '?';
        }
    }
    return copy;
}

static acme_octets_t names_text(const apr_array_header_t *names, apr_pool_t *p)
{
    apr_size_t len = 0;
    char *text, *at;
    int i;

    for (i = 0; names && i < names->nelts; i++) {
        len += strlen(APR_ARRAY_IDX(names, i, const char *)) + 1;
    }
    text = at = apr_palloc(p, len + 1);
    for (i = 0; names && i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        memcpy(at, name, strlen(name) + 1);
        at += strlen(name) + 1;
    }
    return (acme_octets_t) { (const unsigned char *)text, len };
}

static void check_names(acme_cert_facts_t *facts)
{
    const apr_array_header_t *names = facts->leaf.names;

    if (names && names->nelts > ACME_CERT_FACTS_NAMES_MAX) {
        acme_fail(&facts->parsed, APR_EINVAL,
                  "certificate: it has %d names, more than %d", names->nelts,
                  ACME_CERT_FACTS_NAMES_MAX);
    }
}

const char *acme_cert_facts_write(acme_cert_facts_wire_t *wire,
                                  acme_cert_facts_t *facts, apr_pool_t *p)
{
    acme_octets_t texts[ACME_CERT_FACTS_TEXTS];
    char *data, *at;
    int i;

    memset(wire, 0, sizeof(*wire));
    memset(texts, 0, sizeof(texts));
    if (facts->parsed.status == APR_SUCCESS) {
        check_names(facts);
    }
    if (facts->parsed.status == APR_SUCCESS) {
        const char *const words[] = {
            [ACME_CERT_FACTS_SERIAL] = facts->leaf.serial,
            [ACME_CERT_FACTS_ISSUER] = facts->leaf.issuer,
            [ACME_CERT_FACTS_CERT_ID] = facts->leaf.cert_id
        };

        for (i = ACME_CERT_FACTS_SERIAL; i <= ACME_CERT_FACTS_CERT_ID; i++) {
            texts[i].data = (const unsigned char *)printable(words[i],
                                                             text_max[i], p);
        }
        texts[ACME_CERT_FACTS_NAMES] = names_text(facts->leaf.names, p);
        wire->names = (apr_uint32_t)facts->leaf.names->nelts;
        wire->count = (apr_uint32_t)facts->count;
        wire->has_ocsp = facts->leaf.ocsp_url != NULL;
        wire->not_before = facts->leaf.not_before;
        wire->not_after = facts->leaf.not_after;
    }
    texts[ACME_CERT_FACTS_KEY] = facts->key;
    for (i = 0; i < 3; i++) {
        const acme_result_t *const results[] = {
            &facts->parsed, &facts->linked, &facts->loads
        };

        wire->verdicts[i] = verdict_of(results[i]);
        texts[i].data = (const unsigned char *)printable(
            wire->verdicts[i] ? results[i]->detail : "", text_max[i], p);
    }
    for (i = 0; i < ACME_CERT_FACTS_KEY; i++) {
        texts[i].len = texts[i].data ? strlen((const char *)texts[i].data) : 0;
    }
    for (i = 0; i < ACME_CERT_FACTS_TEXTS; i++) {
        wire->lengths[i] = (apr_uint32_t)texts[i].len;
    }
    data = at = apr_palloc(p, acme_cert_facts_octets(wire) + 1);
    for (i = 0; i < ACME_CERT_FACTS_TEXTS; i++) {
        if (texts[i].len) {
            memcpy(at, texts[i].data, texts[i].len);
            at += texts[i].len;
        }
    }
    return data;
}

/* The keeper. */

static int is_printable(const char *text, apr_size_t len)
{
    apr_size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return 0;
        }
    }
    return 1;
}

static int is_serial(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;

    return *digits && !digits[strspn(digits, "0123456789abcdef")];
}

/* "KEY.SERIAL", both base64url. (9773, 4.1) */
static int is_cert_id(const char *text, apr_pool_t *p)
{
    const char *dot = strchr(text, '.');

    return !*text
        || (dot
            && acme_text_is_base64url(apr_pstrmemdup(p, text,
                                                     (apr_size_t)(dot - text)),
                                      ACME_CERT_ID_MAX)
            && acme_text_is_base64url(dot + 1, ACME_CERT_ID_MAX));
}

/* Only its characters: it is compared with names of the configuration. */
static int is_name(const char *text)
{
    const apr_size_t len = strlen(text);

    return len && len <= ACME_NAME_MAX
        && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.*:") == len;
}

/* NULL: they are not so many names. text has len octets. */
static apr_array_header_t *read_names(const char *text, apr_size_t len,
                                      apr_uint32_t count, apr_pool_t *p)
{
    const char *const end = text + len;
    apr_array_header_t *names;

    if (count > ACME_CERT_FACTS_NAMES_MAX || count > len) {
        return NULL;
    }
    names = apr_array_make(p, (int)count + 1, sizeof(const char *));
    while (text < end) {
        const char *nul = memchr(text, '\0', (apr_size_t)(end - text));
        const char *name = nul ? apr_pstrdup(p, text) : NULL;

        if (!name || !is_name(name)
            || (apr_uint32_t)names->nelts == count) {
            return NULL;
        }
        APR_ARRAY_PUSH(names, const char *) = name;
        text = nul + 1;
    }
    return (apr_uint32_t)names->nelts == count ? names : NULL;
}

/* 0: there is no such verdict, or one without a sentence. */
static int read_result(acme_result_t *result, apr_uint32_t verdict,
                       const char *detail)
{
    acme_result_clear(result);
    switch (verdict) {
    case ACME_CERT_FACTS_GOOD:
        return !*detail;
    case ACME_CERT_FACTS_REFUSED:
        acme_fail(result, APR_EINVAL, "%s", detail);
        return *detail != '\0';
    case ACME_CERT_FACTS_FAILED:
        acme_fail(result, APR_EGENERAL, "%s", detail);
        return *detail != '\0';
    }
    return 0;
}

static int read_leaf(acme_cert_facts_t *facts,
                     const acme_cert_facts_wire_t *wire,
                     const char *const texts[ACME_CERT_FACTS_TEXTS],
                     apr_pool_t *p)
{
    acme_cert_info_t *leaf = &facts->leaf;
    const char *cert_id = texts[ACME_CERT_FACTS_CERT_ID];

    if (wire->count < 1 || wire->count > ACME_CHAIN_CERTS_MAX
        || wire->has_ocsp > 1
        || wire->not_before < TIME_MIN || wire->not_before > TIME_MAX
        || wire->not_after < TIME_MIN || wire->not_after > TIME_MAX
        || !is_serial(texts[ACME_CERT_FACTS_SERIAL])
        || !is_cert_id(cert_id, p)) {
        return 0;
    }
    facts->count = (int)wire->count;
    facts->has_ocsp = (int)wire->has_ocsp;
    leaf->not_before = wire->not_before;
    leaf->not_after = wire->not_after;
    leaf->serial = texts[ACME_CERT_FACTS_SERIAL];
    leaf->issuer = texts[ACME_CERT_FACTS_ISSUER];
    leaf->cert_id = *cert_id ? cert_id : NULL;
    leaf->names = read_names(texts[ACME_CERT_FACTS_NAMES],
                             wire->lengths[ACME_CERT_FACTS_NAMES],
                             wire->names, p);
    return leaf->names != NULL;
}

apr_status_t acme_cert_facts_read(acme_cert_facts_t *facts,
                                  const acme_cert_facts_wire_t *wire,
                                  const char *text, acme_result_t *res,
                                  apr_pool_t *p)
{
    const char *texts[ACME_CERT_FACTS_TEXTS];
    int i, good;

    memset(facts, 0, sizeof(*facts));
    good = acme_cert_facts_octets(wire) <= ACME_CERT_FACTS_OCTETS_MAX;
    for (i = 0; good && i < ACME_CERT_FACTS_TEXTS; i++) {
        good = i >= ACME_CERT_FACTS_KEY || is_printable(text, wire->lengths[i]);
        texts[i] = apr_pstrmemdup(p, text, wire->lengths[i]);
        text += wire->lengths[i];
    }
    good = good
        && read_result(&facts->parsed, wire->verdicts[0],
                       texts[ACME_CERT_FACTS_PARSED])
        && read_result(&facts->linked, wire->verdicts[1],
                       texts[ACME_CERT_FACTS_LINKED])
        && read_result(&facts->loads, wire->verdicts[2],
                       texts[ACME_CERT_FACTS_LOADS]);
    if (good && wire->lengths[ACME_CERT_FACTS_KEY]) {
        facts->key.data = (const unsigned char *)texts[ACME_CERT_FACTS_KEY];
        facts->key.len = wire->lengths[ACME_CERT_FACTS_KEY];
    }
    if (good && facts->parsed.status == APR_SUCCESS) {
        good = read_leaf(facts, wire, texts, p);
    }
    if (!good) {
        return acme_fail(
            res, APR_EINVAL,
            "the process that reads certificates says what cannot be true");
    }
    return APR_SUCCESS;
}
