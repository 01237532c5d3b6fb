/*
 * acme_trial_limit.c - how long the keeper's httpd -t may take.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "acme_define.h"
#include "acme_trial_limit.h"

#define DEFINE "ACME_TRIAL_SECONDS="

/* Of a test that hangs, as in a file system, nobody must wait for hours. */
#define LIMIT_MIN 60            /* seconds */
#define LIMIT_MAX 900

/* The last load may have been made by an idle machine, of fewer virtual
   hosts. */
#define TIMES_THE_LOAD 10

apr_interval_time_t acme_trial_limit(apr_interval_time_t load)
{
    const apr_interval_time_t least = apr_time_from_sec(LIMIT_MIN);
    const apr_interval_time_t most = apr_time_from_sec(LIMIT_MAX);

    if (load <= 0) {            /* the clock was set */
        return least;
    }
    return load < (most - least) / TIMES_THE_LOAD
        ? least + TIMES_THE_LOAD * load : most;
}

const char *acme_trial_limit_define(apr_interval_time_t limit, apr_pool_t *p)
{
    return apr_psprintf(p, "-D" DEFINE "%" APR_TIME_T_FMT,
                        apr_time_sec(limit));
}

unsigned acme_trial_limit_of_mod_ssl(void)
{
    const char *text = acme_define_value(DEFINE);
    const long seconds = text ? strtol(text, NULL, 10) : 0;

    return (seconds < LIMIT_MIN || seconds > LIMIT_MAX ? LIMIT_MIN
                                                       : (unsigned)seconds)
        / 2;
}
