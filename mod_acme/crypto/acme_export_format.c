/*
 * acme_export_format.c - the formats in which other programs get a certificate.
 */
#include <apr_cstr.h>

#include "acme_export_format.h"

static const char *const names[ACME_EXPORT_FORMATS] = {
    "pem", "fullchain", "key", "chain", "der", "pkcs12"
};

const char *acme_export_format_name(acme_export_e format)
{
    return names[format];
}

acme_export_e acme_export_format_find(const char *name)
{
    int i;

    for (i = 0; i < ACME_EXPORT_FORMATS; i++) {
        if (!apr_cstr_casecmp(name, names[i])) {
            break;
        }
    }
    return (acme_export_e)i;
}

int acme_export_format_has_key(acme_export_e format)
{
    return format == ACME_EXPORT_PEM || format == ACME_EXPORT_KEY
           || format == ACME_EXPORT_PKCS12;
}
