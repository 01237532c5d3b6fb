/*
 * bench_page.c - what the status page costs with ten thousand certificates, and
 * what reading a file costs (its argument) that mod_acme does not manage.
 */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_cert_file.h"
#include "acme_page_list.h"
#include "bench.h"

#define CERTS 10000
#define TIMES 10

static acme_conf_t conf;
static int tries;
static acme_page_view_t view = { .conf = &conf, .tries = &tries };
static apr_pool_t *scratch;

static void add_cert(int i, apr_time_t now, apr_pool_t *p)
{
    acme_cert_conf_t *cert = apr_array_push(conf.certs);
    acme_state_t state;
    int k;

    *cert = (acme_cert_conf_t) {
        .id = apr_psprintf(p, "host%d.example.org", i),
        .names = apr_array_make(p, 3, sizeof(const char *))
    };
    for (k = 0; k < 3; k++) {
        APR_ARRAY_PUSH(cert->names, const char *) =
            k ? apr_psprintf(p, "www%d.%s", k, cert->id) : cert->id;
    }
    memset(&state, 0, sizeof(state));
    state.cert = (apr_uint32_t)i;
    state.agreed = state.live = state.served = state.covers = 1;
    state.not_before = now - apr_time_from_sec(86400) * (i % 59);
    state.not_after = state.not_before + apr_time_from_sec(86400) * 90;
    state.installed = state.not_before;
    state.attempts = i % 100 == 0;
    state.next_at = now + apr_time_from_sec(600);
    apr_snprintf(state.serial, sizeof(state.serial), "%08x", i * 2654435761u);
    acme_board_publish(view.board, &state);
}

static void show(void *baton, int times)
{
    while (times-- > 0) {
        const acme_page_query_t query = acme_page_query_read(baton, scratch);
        const acme_page_frame_t frame = { .query = &query,
                                          .server = "www.example.org",
                                          .now = apr_time_now() };
        acme_page_out_t *out = acme_page_out_make(scratch);
        apr_size_t len;

        tries = ACME_BOARD_TRIES;
        acme_page_list(out, &frame, &view, scratch);
        if (!strstr(acme_page_out_data(out, &len), "</html>")) {
            fputs("bench_page: not a whole page\n", stderr);
            exit(1);
        }
        apr_pool_clear(scratch);
    }
}

static void read_file(void *baton, int times)
{
    const acme_cert_file_t *file;

    while (times-- > 0) {
        acme_cert_file_read(&file, baton, 0, apr_time_now(), scratch);
        if (file->problem[0]) {
            fprintf(stderr, "bench_page: %s: %s\n", (char *)baton,
                    file->problem);
            exit(1);
        }
        apr_pool_clear(scratch);
    }
}

int main(int argc, char **argv)
{
    char all[] = "", search[] = "q=www2.host77", last[] = "page=200";
    server_rec *server;
    acme_result_t res;
    apr_pool_t *p;
    int i;

    apr_initialize();
    apr_pool_create(&p, NULL);
    apr_pool_create(&scratch, p);
    server = apr_pcalloc(p, sizeof(*server));
    server->process = apr_pcalloc(p, sizeof(*server->process));
    server->process->pool = p;
    conf.certs = apr_array_make(p, CERTS, sizeof(acme_cert_conf_t));
    if (acme_board_create(&view.board, server, CERTS, &res, p)) {
        fprintf(stderr, "bench_page: %s\n", res.detail);
        return 1;
    }
    for (i = 0; i < CERTS; i++) {
        add_cert(i, apr_time_now(), p);
    }
    bench_row("page of 10000 certificates", show, all, TIMES);
    bench_row("the last of 200 pages", show, last, TIMES);
    bench_row("search in 10000 certificates", show, search, TIMES);
    if (argc > 1) {
        bench_row("reading a file of certificates", read_file, argv[1],
                  100 * TIMES);
    }
    apr_terminate();
    return 0;
}
