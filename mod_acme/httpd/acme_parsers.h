/*
 * acme_parsers.h - what the directives' arguments may be.
 *
 * A parser fills its field from one or more arguments and returns NULL, or a
 * sentence about what is wrong and what is allowed. The defaults of the table
 * go through the same parsers.
 */
#ifndef ACME_PARSERS_H
#define ACME_PARSERS_H

#include "acme_server_conf.h"

typedef const char *acme_parser_t(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[]);

/* Named by the rows of acme_directives.h. */
acme_parser_t acme_parsers_flag;
acme_parser_t acme_parsers_agree;
acme_parser_t acme_parsers_cas;
acme_parser_t acme_parsers_contacts;
acme_parser_t acme_parsers_external_accounts;
acme_parser_t acme_parsers_id;
acme_parser_t acme_parsers_names;
acme_parser_t acme_parsers_challenges;
acme_parser_t acme_parsers_ports;
acme_parser_t acme_parsers_key_types;
acme_parser_t acme_parsers_key_reuse;
acme_parser_t acme_parsers_profile;
acme_parser_t acme_parsers_text;
acme_parser_t acme_parsers_window;
acme_parser_t acme_parsers_duration;
acme_parser_t acme_parsers_parallel;
acme_parser_t acme_parsers_activate;
acme_parser_t acme_parsers_require_https;
acme_parser_t acme_parsers_path;
acme_parser_t acme_parsers_proxy;

/* "'value' is unknown; allowed: allowed" */
const char *acme_parsers_one_of(const char *value, const char *allowed,
                                apr_pool_t *p);

/* Keywords are the same in letters of any case. */
int acme_parsers_is_word(const char *text, const char *word);

/* What follows the prefix of "file:path" or "zone=name"; NULL: another one. */
char *acme_parsers_behind(char *text, const char *prefix);

#endif
