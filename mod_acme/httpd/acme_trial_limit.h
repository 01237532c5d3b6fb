/*
 * acme_trial_limit.h - how long the keeper's httpd -t may take.
 *
 * It does what a load does, so the last load tells: a few virtual hosts take
 * milliseconds, ten thousand on a busy machine a minute.
 */
#ifndef ACME_TRIAL_LIMIT_H
#define ACME_TRIAL_LIMIT_H

#include <apr_pools.h>
#include <apr_time.h>

/* The whole test, after a load that took so long. */
apr_interval_time_t acme_trial_limit(apr_interval_time_t load);

/* "-DACME_TRIAL_SECONDS=...", in p: tells the test what it may take. */
const char *acme_trial_limit_define(apr_interval_time_t limit, apr_pool_t *p);

/*
 * In the test: seconds that mod_ssl's part of it may take, a half of the whole,
 * so that the rest has a verdict when mod_ssl has none. Without the define as
 * after a load that took no time.
 */
unsigned acme_trial_limit_of_mod_ssl(void);

#endif
