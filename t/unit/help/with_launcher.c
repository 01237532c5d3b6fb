/*
 * with_launcher.c - see with_launcher.h.
 */
#include "acme_cert_reader.h"
#include "acme_key_maker.h"
#include "pool.h"
#include "with_launcher.h"

void with_launcher(const acme_server_t *server)
{
    static acme_launcher_rules_t rules;

    rules.server = server;
    if (acme_launcher_start(&rules, &res, pool)) {
        fail_msg("%s", res.detail);
    }
    acme_cert_reader_start();
    acme_key_maker_forget();
}
