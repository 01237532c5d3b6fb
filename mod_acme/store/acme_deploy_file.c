/*
 * acme_deploy_file.c - deploy/<id>.json: for which certificate deploy was run.
 */
#include <string.h>

#include <apr_strings.h>

#include "acme_deploy_file.h"
#include "acme_file.h"
#include "acme_json_file.h"
#include "acme_time.h"

#define FILE_MAX (256 * 1024)
#define COMMANDS_MAX 256
#define DIGEST_MAX 64
#define CERTIFICATE_MAX 128
#define TIME_MAX 64

static const char *deploy_path(const acme_store_t *store, const char *id,
                               apr_pool_t *p)
{
    return acme_store_path(store, "deploy", apr_pstrcat(p, id, ".json", NULL),
                           p);
}

acme_deploy_file_t *acme_deploy_file_make(apr_pool_t *p)
{
    acme_deploy_file_t *file = apr_pcalloc(p, sizeof(*file));

    file->certificate = "";
    file->commands = apr_array_make(p, 2, sizeof(acme_deploy_command_t));
    return file;
}

static apr_time_t parse_when(const json_t *json, const char *key,
                             apr_pool_t *p)
{
    return acme_time_parse(acme_json_string(json, key, TIME_MAX, p));
}

static apr_uint32_t parse_count(const json_t *json, const char *key)
{
    const apr_int64_t number = acme_json_int(json, key);

    return number < 0 || number > APR_UINT32_MAX ? 0 : (apr_uint32_t)number;
}

/* A command without a digest is left out: it is run once more. */
static void parse_commands(apr_array_header_t *commands, const json_t *array,
                           apr_pool_t *p)
{
    const json_t *row;
    size_t i;

    json_array_foreach((json_t *)array, i, row) {
        const acme_deploy_command_t command = {
            .digest = acme_json_string(row, "command", DIGEST_MAX, p),
            .done = acme_json_true(row, "done"),
            .failures = parse_count(row, "failures"),
            .next_at = parse_when(row, "nextAt", p),
            .started = parse_when(row, "started", p),
            .interrupted = parse_count(row, "interrupted"),
            .failure = acme_json_string(row, "failure", ACME_DETAIL_SIZE, p)
        };

        if (command.digest && commands->nelts < COMMANDS_MAX) {
            acme_deploy_command_t *found = apr_array_push(commands);

            *found = command;
            found->failure = command.failure ? command.failure : "";
        }
    }
}

apr_status_t acme_deploy_file_load(acme_deploy_file_t **pfile,
                                   acme_store_t *store, const char *id,
                                   acme_result_t *res, apr_pool_t *p)
{
    const char *path = deploy_path(store, id, p);
    acme_deploy_file_t *file = acme_deploy_file_make(p);
    json_t *json;
    apr_status_t rv;

    *pfile = NULL;
    rv = acme_json_file_load(&json, store, path, FILE_MAX, res, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    file->certificate =
        acme_json_string(json, "certificate", CERTIFICATE_MAX, p);
    if (!file->certificate) {
        return acme_json_file_refuse(store, path, "a file of this version",
                                     res, p);
    }
    file->is_complete = acme_json_true(json, "complete");
    file->is_told = acme_json_true(json, "told");
    file->begun = parse_when(json, "begun", p);
    file->is_early = acme_json_true(json, "early");
    parse_commands(file->commands, json_object_get(json, "commands"), p);
    *pfile = file;
    return APR_SUCCESS;
}

static json_t *commands_json(const apr_array_header_t *commands,
                             apr_pool_t *p)
{
    json_t *array = json_array();
    int i;

    for (i = 0; i < commands->nelts; i++) {
        const acme_deploy_command_t *command =
            &APR_ARRAY_IDX(commands, i, acme_deploy_command_t);

        json_array_append_new(
            array,
            json_pack("{s:s, s:b, s:I, s:s*, s:s*, s:I, s:s}",
                      "command", command->digest,
                      "done", command->done,
                      "failures", (json_int_t)command->failures,
                      "nextAt", acme_time_json(command->next_at, p),
                      "started", acme_time_json(command->started, p),
                      "interrupted", (json_int_t)command->interrupted,
                      "failure", command->failure));
    }
    return array;
}

apr_status_t acme_deploy_file_save(acme_store_t *store, const char *id,
                                   const acme_deploy_file_t *file,
                                   acme_result_t *res, apr_pool_t *p)
{
    const char *path = deploy_path(store, id, p);
    json_t *json = json_pack("{s:s, s:b, s:b, s:s*, s:b, s:o}",
                             "certificate", file->certificate,
                             "complete", file->is_complete,
                             "told", file->is_told,
                             "begun", acme_time_json(file->begun, p),
                             "early", file->is_early,
                             "commands", commands_json(file->commands, p));

    return acme_json_file_write(acme_file_update, path, json, 0600, res, p);
}

apr_status_t acme_deploy_file_remove(acme_store_t *store, const char *id,
                                     acme_result_t *res, apr_pool_t *p)
{
    return acme_file_dir_remove(deploy_path(store, id, p), res, p);
}
