/*
 * acme_export_rights.h - mode and owner of a copy, as an administrator writes
 * them.
 */
#ifndef ACME_EXPORT_RIGHTS_H
#define ACME_EXPORT_RIGHTS_H

#include "acme_export_format.h"
#include "acme_outside.h"

/* Those of a copy for which nothing is said: 0600 with a key, else 0644, and
   our own user and group. */
acme_outside_rights_t acme_export_rights_default(acme_export_e format);

/* Octal digits. NULL, or a sentence in p: it is not a mode, or one that a copy
   of this format may not have. */
const char *acme_export_rights_mode(acme_outside_rights_t *rights,
                                    const char *text, acme_export_e format,
                                    apr_pool_t *p);

/* Is it the form of an owner[:group]? */
int acme_export_rights_is_owner(const char *text);

/* Look it up: NULL, or a sentence in p why there is no such owner now. */
const char *acme_export_rights_owner(acme_outside_rights_t *rights,
                                     const char *text, apr_pool_t *p);

#endif
