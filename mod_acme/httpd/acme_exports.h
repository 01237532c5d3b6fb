/*
 * acme_exports.h - AcmeExport: from what is written to the files of each
 * certificate.
 */
#ifndef ACME_EXPORTS_H
#define ACME_EXPORTS_H

#include <httpd.h>

#include "acme_conf.h"

/*
 * What the arguments of the directive say: *export, its texts in p, with
 * placeholders in the path, which is relative to the ServerRoot. NULL, or a
 * sentence about what is wrong. A user, group or password file that cannot be
 * found is not: such an error would end an httpd that is reloaded, for a copy.
 * place: of the directive.
 */
const char *acme_exports_parse(acme_export_conf_t *export, int argc,
                               char *const argv[], const char *place,
                               apr_pool_t *p);

/*
 * Replace the exports of each certificate by those with paths of its own. One
 * whose path belongs to another, or is in AcmeStateDir, is left out and, if s
 * is not NULL, logged there; so is one without its owner or password, which is
 * not left out. Returns the number of both.
 */
int acme_exports_find(acme_conf_t *conf, const server_rec *s, apr_pool_t *p);

#endif
