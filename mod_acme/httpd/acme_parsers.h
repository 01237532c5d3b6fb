/*
 * acme_parsers.h - what the directives' arguments may be.
 *
 * A parser fills its field from one or more arguments and returns NULL, or a
 * sentence about what is wrong and what is allowed. The defaults of the table
 * go through the same parsers.
 */
#ifndef ACME_PARSERS_H
#define ACME_PARSERS_H

#include "acme_directives.h"

typedef const char *acme_parser_t(void *field, cmd_parms *cmd, int argc,
                                  char *const argv[]);

/* Named by the table's rows. */
acme_parser_t acme_parse_flag;
acme_parser_t acme_parse_agree;
acme_parser_t acme_parse_cas;
acme_parser_t acme_parse_contacts;
acme_parser_t acme_parse_external_account;
acme_parser_t acme_parse_id;
acme_parser_t acme_parse_names;
acme_parser_t acme_parse_challenges;
acme_parser_t acme_parse_ports;
acme_parser_t acme_parse_key_types;
acme_parser_t acme_parse_profile;
acme_parser_t acme_parse_text;
acme_parser_t acme_parse_dns;
acme_parser_t acme_parse_hook;
acme_parser_t acme_parse_window;
acme_parser_t acme_parse_duration;
acme_parser_t acme_parse_parallel;
acme_parser_t acme_parse_activate;
acme_parser_t acme_parse_require_https;
acme_parser_t acme_parse_path;
acme_parser_t acme_parse_proxy;

#endif
