/*
 * acme_helper_process.c - how a process begins that does one thing for the
 * keeper.
 */
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <apr_strings.h>

#include "acme_descriptors.h"
#include "acme_helper_process.h"

static void show_title(const acme_server_t *server, const char *name,
                       const char *purpose)
{
#ifdef __linux__
    prctl(PR_SET_NAME, name);
#endif
    if (server && server->title) {
        memset(server->title, 0, server->title_size);
        apr_snprintf(server->title, server->title_size, "%s: %s", name,
                     purpose);
    }
}

int acme_helper_process_begin(int fd, const char *name, const char *purpose,
                              const acme_launcher_rules_t *rules)
{
    show_title(rules->server, name, purpose);
    fd = acme_descriptors_above_standard(fd);
    if (fd != STDERR_FILENO + 1 && dup2(fd, STDERR_FILENO + 1) >= 0) {
        fd = STDERR_FILENO + 1;
    }
    acme_descriptors_close_from(fd + 1);
    if (rules->forget) {
        rules->forget(rules->baton);
    }
    return fd;
}
