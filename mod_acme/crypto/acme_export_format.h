/*
 * acme_export_format.h - the formats in which other programs get a certificate.
 * (AcmeExport, acmectl export)
 */
#ifndef ACME_EXPORT_FORMAT_H
#define ACME_EXPORT_FORMAT_H

typedef enum {
    ACME_EXPORT_PEM,                    /* key, leaf and chain */
    ACME_EXPORT_FULLCHAIN,              /* leaf and chain */
    ACME_EXPORT_KEY,
    ACME_EXPORT_CHAIN,
    ACME_EXPORT_DER,                    /* the leaf */
    ACME_EXPORT_PKCS12,                 /* key, leaf and chain */
    ACME_EXPORT_FORMATS
} acme_export_e;

/* "pem", "fullchain", ...: constant. */
const char *acme_export_format_name(acme_export_e format);

/* The format with this name, in letters of any case; ACME_EXPORT_FORMATS: there
   is none. */
acme_export_e acme_export_format_find(const char *name);

/* Is the private key in it? */
int acme_export_format_has_key(acme_export_e format);

#endif
