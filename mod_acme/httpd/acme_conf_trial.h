/*
 * acme_conf_trial.h - would httpd start with this configuration?
 *
 * httpd -t says "Syntax OK" to certificates that end the server when it loads
 * them, and to a port that another program has. Our module is in that test as
 * well, so it can look further.
 */
#ifndef ACME_CONF_TRIAL_H
#define ACME_CONF_TRIAL_H

#include <httpd.h>

#include "acme_conf_tree.h"

/* httpd -t -DACME_TRIAL: what is wrong is an error, and the test fails. */
#define ACME_CONF_TRIAL_DEFINE "ACME_TRIAL"

/* httpd -t -DACME_TRIAL_LISTENS=0.0.0.0:80,[::]:443,: of the running server. */
#define ACME_CONF_TRIAL_LISTENS "ACME_TRIAL_LISTENS="

/*
 * Try the server s and all that follow it, after acme_vhosts_read(): each
 * pair and list of ciphers that mod_ssl would load, that each server with TLS
 * has a certificate, that logs are no folders and their programs are there,
 * and, where the keeper says what the running server has, that the folder of
 * PidFile is there, that no other program has a new port, and that no pass
 * phrase must be typed. What is wrong is logged at this level, with its place;
 * returns how much it was.
 * What we cannot decide, as a pair that we may not read, is passed over.
 */
int acme_conf_trial_run(const acme_conf_tree_t *tree, const server_rec *s,
                        int level, apr_pool_t *p);

#endif
