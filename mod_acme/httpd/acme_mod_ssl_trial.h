/*
 * acme_mod_ssl_trial.h - mod_ssl itself loads a configuration that is tested.
 *
 * Much of what ends a server at a load only mod_ssl knows: files of roots and
 * lists of revoked certificates, keys of tickets, protocols, ciphers, commands
 * for OpenSSL. It loads them in post_config, which httpd -t never reaches.
 */
#ifndef ACME_MOD_SSL_TRIAL_H
#define ACME_MOD_SSL_TRIAL_H

#include <httpd.h>

#include "acme_conf_tree.h"

/*
 * In httpd -t: run the post_config of mod_ssl, and of mod_proxy, which has it
 * load what a <Proxy> names, in a fork that ends with it. In the place of a
 * certificate that is a module's to give, ours as well, of a key that has a
 * pass phrase, and of pkcs11:, there is a pair made for it: those are not
 * tried. Nothing of a running server's is touched; a temporary file is made.
 *
 * Returns 1 when httpd would not start, and logs mod_ssl's reason, with the
 * virtual host; else 0, also when it cannot be tried: where the configuration
 * has directives that do more than read (acme_conf_tree_beyond_reading()), or
 * when the fork crashes or takes too long (acme_trial_limit.h).
 */
int acme_mod_ssl_trial_run(const acme_conf_tree_t *tree, server_rec *s,
                           apr_pool_t *p);

/* In httpd -t alone. */
void acme_mod_ssl_trial_hooks(apr_pool_t *p);

#endif
