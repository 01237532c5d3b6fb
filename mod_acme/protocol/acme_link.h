/*
 * acme_link.h - the Link header field. (8288)
 */
#ifndef ACME_LINK_H
#define ACME_LINK_H

#include <apr_tables.h>

#include "acme_text.h"

/*
 * Push the targets of a Link header's value onto urls (const char *, in p)
 * that have this relation type: those that acme_url_check() allows, each once,
 * until urls has max elements. Links of another context (anchor) are skipped,
 * and so is the rest of a value from its first syntax error on. (8288, 3)
 */
void acme_link_find(apr_array_header_t *urls, const char *value,
                    const char *rel, int max, apr_pool_t *p);

#endif
