/*
 * acme_pass_phrase.h - keys whose pass phrase somebody typed at the start.
 *
 * With SSLPassPhraseDialog builtin mod_ssl keeps such a key as long as the
 * server runs. For a new one it can ask at a start alone: a reload that needs
 * one ends the server.
 */
#ifndef ACME_PASS_PHRASE_H
#define ACME_PASS_PHRASE_H

#include <httpd.h>

#include "acme_conf_tree.h"

/* httpd -t -DACME_TRIAL_KEYS=0123456789abcdef,: those that mod_ssl keeps. */
#define ACME_PASS_PHRASE_DEFINE "ACME_TRIAL_KEYS="

/*
 * After mod_ssl has loaded the server s and all that follow it: that define,
 * for this load's keys and those of all loads before it; lives as long as p.
 * NULL: more than an argument can hold; then the test does not look for keys.
 */
const char *acme_pass_phrase_define(const acme_conf_tree_t *tree,
                                    const server_rec *s, apr_pool_t *p);

/*
 * In httpd -t with that define: the path of the first key whose pass phrase
 * would have to be typed; *pplace is the "file:line" of its directive. NULL:
 * there is none, or there is no such define.
 */
const char *acme_pass_phrase_missing(const char **pplace,
                                     const acme_conf_tree_t *tree,
                                     const server_rec *s, apr_pool_t *p);

#endif
