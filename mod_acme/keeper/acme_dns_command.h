/*
 * acme_dns_command.h - the program that sets or removes a TXT record: a
 * command of the administrator's, or nsupdate for dynamic updates (RFC 2136).
 */
#ifndef ACME_DNS_COMMAND_H
#define ACME_DNS_COMMAND_H

#include "acme_message.h"
#include "acme_publish_job.h"

typedef struct {
    apr_array_header_t *argv; /* const char * */
    const char *input;        /* NULL: the event as JSON */
} acme_dns_command_t;

/* Is it labels of letters, digits, '-' and '_', none of which begins with '-',
   so that a program cannot take it for an option? NULL is not. */
int acme_dns_command_is_name(const char *name);

/*
 * Can the command be run? With ACME_DNS_RFC2136: APR_EINVAL for settings that
 * cannot be lines for nsupdate (ACME_RETRY_NEVER), APR_ENOENT without nsupdate
 * on PATH, APR_EACCES for a key file that other users can read or write.
 */
apr_status_t acme_dns_command_check(const acme_dns_conf_t *dns,
                                    acme_result_t *res, apr_pool_t *p);

/* The path of the command that removes records; NULL with ACME_DNS_RFC2136. */
const char *acme_dns_command_path(const acme_dns_conf_t *dns);

/* The command that sets the record, and the one that removes it, in p; its
   texts are those of what and dns, which the caller checked. */
acme_dns_command_t acme_dns_command_present(const acme_publish_job_t *what,
                                            const acme_dns_conf_t *dns,
                                            apr_pool_t *p);
acme_dns_command_t acme_dns_command_cleanup(const acme_publish_job_t *what,
                                            const acme_dns_conf_t *dns,
                                            apr_pool_t *p);

/*
 * Is argv, NULL at its end, of dns: what one of the two would make of some
 * record? Only letters, digits, '-', '_' and '.' are in what they add.
 */
int acme_dns_command_is_of(const acme_dns_conf_t *dns,
                           const char *const *argv, apr_pool_t *p);

#endif
