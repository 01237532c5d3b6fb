/*
 * acme_define.c - options of httpd's command line that have a value for us.
 */
#include <string.h>

#include <httpd.h>
#include <http_main.h>

#include "acme_define.h"

const char *acme_define_value(const char *name)
{
    const apr_array_header_t *defines = ap_server_config_defines;
    const apr_size_t len = strlen(name);
    int i;

    for (i = 0; defines && i < defines->nelts; i++) {
        const char *define = APR_ARRAY_IDX(defines, i, const char *);

        if (!strncmp(define, name, len)) {
            return define + len;
        }
    }
    return NULL;
}
