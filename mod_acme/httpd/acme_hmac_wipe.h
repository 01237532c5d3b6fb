/*
 * acme_hmac_wipe.h - the HMAC keys that stand in the configuration itself.
 *
 * httpd's workers are forks of the parent that read it. The parent needs them
 * for each keeper that it forks, a worker for nothing: there is one copy in
 * the parent, and none in a worker.
 */
#ifndef ACME_HMAC_WIPE_H
#define ACME_HMAC_WIPE_H

#include <httpd.h>

/*
 * Add a secret, and return the one copy of it for this pass of the
 * configuration. It is overwritten when pconf goes, or in a worker by
 * acme_hmac_wipe_worker().
 */
const char *acme_hmac_wipe_add(const char *secret, apr_pool_t *pconf);

/*
 * In the parent when its configuration has been read, before anything is
 * forked: overwrite with '*' what reading left: httpd's tree, and on Linux
 * whatever else has the text, as the buffers of the configuration files.
 * Elsewhere those stay. What a buffer has a part of stays, too.
 *
 * Returns how many secrets were left as they are, since somebody else needs
 * them: they stand in the environment, on the command line or in a directive
 * of another module; or since they are too simple to be told from other data.
 */
int acme_hmac_wipe_parent(apr_pool_t *ptemp);

/* In a worker: overwrite its copies of what was added. */
void acme_hmac_wipe_worker(void);

#endif
