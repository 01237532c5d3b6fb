/*
 * acme_cleanse.h - secrets are overwritten before their memory is used again.
 */
#ifndef ACME_CLEANSE_H
#define ACME_CLEANSE_H

#include <apr.h>

/* Overwrite len octets at data in a way that no compiler leaves out. */
void acme_cleanse(void *data, apr_size_t len);

#endif
