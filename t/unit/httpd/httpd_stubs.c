/*
 * httpd_stubs.c - as much of httpd as directives, parsers and the
 * vhost watch call.
 */
#include <string.h>

#include <apr_file_info.h>
#include <apr_strings.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <ap_listen.h>
#include <unixd.h>

#include "acme_commands.h"
#include "httpd_stubs.h"

const char *stubs_root = "/etc/httpd";
const char *stubs_context_fault;
unsigned stubs_context_asked;
const char *stubs_protocol;
char stubs_logged[8192];

module AP_MODULE_DECLARE_DATA acme_module = { .module_index = 0 };
ap_directive_t *ap_conftree;
ap_listen_rec *ap_listeners;
unixd_config_rec ap_unixd_config;
apr_array_header_t *ap_server_pre_read_config;
apr_array_header_t *ap_server_post_read_config;

char *ap_server_root_relative(apr_pool_t *p, const char *name)
{
    char *path = NULL;
    apr_status_t rv = apr_filepath_merge(&path, stubs_root, name,
                                         APR_FILEPATH_TRUENAME, p);

    return path && (rv == APR_SUCCESS || APR_STATUS_IS_EPATHWILD(rv)
                    || APR_STATUS_IS_ENOENT(rv) || APR_STATUS_IS_ENOTDIR(rv))
        ? path : NULL;
}

const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    (void)cmd;
    stubs_context_asked = forbidden;
    return stubs_context_fault;
}

const char *ap_get_server_protocol(server_rec *s)
{
    return s->is_virtual ? stubs_protocol : NULL;
}

const char *ap_resolve_env(apr_pool_t *p, const char *word)
{
    (void)p;
    return word;
}

/* Tests have no quote within a word. */
char *ap_getword_conf(apr_pool_t *p, const char **line)
{
    const apr_size_t begin = **line == '"' || **line == '\'';
    const char end[] = { begin ? **line : ' ', '\0' };
    const apr_size_t len = strcspn(*line + begin, end);
    char *word = apr_pstrmemdup(p, *line + begin, len);

    *line += begin + len + (begin && (*line)[begin + len]);
    *line += strspn(*line, " ");
    return word;
}

void ap_log_error_(const char *file, int line, int index, int level,
                   apr_status_t status, const server_rec *s, const char *fmt,
                   ...)
{
    const apr_size_t used = strlen(stubs_logged);
    const apr_size_t room = sizeof(stubs_logged) - used;
    va_list args;
    int n;

    (void)file;
    (void)line;
    (void)index;
    (void)status;
    (void)s;
    n = apr_snprintf(stubs_logged + used, room, "%d: ", level);
    va_start(args, fmt);
    n += apr_vsnprintf(stubs_logged + used + n, room - (apr_size_t)n, fmt,
                       args);
    va_end(args);
    apr_cpystrn(stubs_logged + used + n, "\n", room - (apr_size_t)n);
}

void stubs_reset(const char *root)
{
    stubs_root = root;
    stubs_context_fault = NULL;
    stubs_protocol = NULL;
    stubs_context_asked = 0;
    stubs_logged[0] = '\0';
}

server_rec *stubs_server(const char *name, apr_pool_t *p)
{
    server_rec *s = apr_pcalloc(p, sizeof(*s));

    s->server_hostname = apr_pstrdup(p, name);
    s->log.level = APLOG_DEBUG;
    s->module_config = apr_pcalloc(p, sizeof(void *));
    return s;
}

cmd_parms *stubs_cmd(server_rec *s, apr_pool_t *p)
{
    cmd_parms *cmd = apr_pcalloc(p, sizeof(*cmd));

    cmd->pool = p;
    cmd->temp_pool = p;
    cmd->server = s;
    return cmd;
}

const command_rec *stubs_command(const char *name)
{
    const command_rec *command;

    for (command = acme_commands; command->name; command++) {
        if (!strcmp(command->name, name)) {
            return command;
        }
    }
    return NULL;
}

const char *stubs_directive(server_rec *s, const char *name,
                            const char *arguments, apr_pool_t *p)
{
    const command_rec *command = stubs_command(name);
    cmd_parms *cmd = stubs_cmd(s, p);

    if (!command) {
        return "stubs: no such directive";
    }
    cmd->cmd = command;
    cmd->info = command->cmd_data;
    return command->AP_RAW_ARGS(cmd, NULL, arguments);
}
