/*
 * acme_launcher_rules.c - which commands the launcher executes.
 */
#include <string.h>

#include "acme_activated.h"
#include "acme_dns_command.h"
#include "acme_export_job.h"
#include "acme_hook_event.h"
#include "acme_launcher_rules.h"
#include "acme_token_command.h"

static int argv_is(const char *const *argv, const char *const *wanted)
{
    int i;

    for (i = 0; wanted && argv[i] && wanted[i]; i++) {
        if (strcmp(argv[i], wanted[i]) != 0) {
            return 0;
        }
    }
    return wanted && !argv[i] && !wanted[i];
}

static int is_test(const acme_server_t *server,
                   const acme_launcher_command_t *command)
{
    return server && !command->has_input && !command->alone
           && !strcmp(command->cwd, server->cwd)
           && (argv_is(command->argv, server->test)
               || argv_is(command->argv, server->list));
}

static int is_hook(const acme_cert_conf_t *cert, const char *const *argv)
{
    int i, k;

    for (i = 0; cert->hooks && i < cert->hooks->nelts; i++) {
        const apr_array_header_t *known =
            APR_ARRAY_IDX(cert->hooks, i, acme_hook_conf_t).command;

        for (k = 0; k < known->nelts && argv[k]; k++) {
            if (strcmp(argv[k], APR_ARRAY_IDX(known, k, const char *)) != 0) {
                break;
            }
        }
        if (k == known->nelts && !argv[k]) {
            return 1;
        }
    }
    return 0;
}

static int is_known(const acme_conf_t *conf, const char *const *argv,
                    apr_pool_t *p)
{
    int i;

    for (i = 0; i < conf->certs->nelts; i++) {
        const acme_cert_conf_t *cert =
            &APR_ARRAY_IDX(conf->certs, i, acme_cert_conf_t);

        if (is_hook(cert, argv)
            || (cert->dns && acme_dns_command_is_of(cert->dns, argv, p))
            || (cert->http && acme_token_command_is_of(cert->http, argv))) {
            return 1;
        }
    }
    return acme_token_command_is_removal(argv);
}

#define ROW(name, variable, certbot, key) variable, certbot,
#define CHALLENGE_ROW(name, certbot, key) certbot,

/* Does "NAME=value" have the name of a variable that tells of an event? */
static int is_of_event(const char *text)
{
    static const char *const names[] = {
        ACME_HOOK_FIELDS(ROW) ACME_HOOK_CHALLENGE_FIELDS(CHALLENGE_ROW)
    };
    const apr_size_t len = strcspn(text, "=");
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (names[i] && text[len] && strlen(names[i]) == len
            && !strncmp(text, names[i], len)) {
            return 1;
        }
    }
    return 0;
}

static int are_known(const apr_array_header_t *env)
{
    int i;

    for (i = 0; i < env->nelts; i++) {
        if (!is_of_event(APR_ARRAY_IDX(env, i, const char *))) {
            return 0;
        }
    }
    return 1;
}

int acme_launcher_rules_allow(const acme_launcher_rules_t *rules,
                              const acme_launcher_command_t *command,
                              apr_pool_t *p)
{
    if (command->export) {
        if (rules->conf) {      /* served may be another one since the load */
            acme_activated_note(rules->conf, rules->live,
                                command->export->cert);
        }
        return acme_export_job_find(rules->conf, command->export->cert,
                                    command->export->index) != NULL;
    }
    if (!rules->conf) {
        return 1;
    }
    if (!command->env) {
        return is_test(rules->server, command);
    }
    return !strcmp(command->cwd, "/") && are_known(command->env)
           && is_known(rules->conf, command->argv, p);
}

mode_t acme_launcher_rules_umask(const acme_launcher_rules_t *rules,
                                 const acme_launcher_command_t *command)
{
    int i;

    if (command->export) {
        return 077;
    }
    for (i = 0; rules->conf && i < rules->conf->certs->nelts; i++) {
        const acme_token_conf_t *http =
            APR_ARRAY_IDX(rules->conf->certs, i, acme_cert_conf_t).http;

        if (http && acme_token_command_is_of(http, command->argv)) {
            return 022;
        }
    }
    return 077;
}
