/*
 * acme_parsers_commands.h - directives that name commands, folders and servers
 * of others: AcmeHook, AcmeDns, AcmeHttp, AcmeExport. They must be there.
 */
#ifndef ACME_PARSERS_COMMANDS_H
#define ACME_PARSERS_COMMANDS_H

#include "acme_parsers.h"

/* Named by the rows of acme_directives.h. */
acme_parser_t acme_parsers_commands_dns;
acme_parser_t acme_parsers_commands_http;
acme_parser_t acme_parsers_commands_hook;
acme_parser_t acme_parsers_commands_exports;

#endif
