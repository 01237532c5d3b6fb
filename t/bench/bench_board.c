/*
 * bench_board.c - what a request below /.well-known/acme-challenge/ costs.
 *
 *   bench_board                      rows for t/bench/run
 *   bench_board TOKENS hit|miss N    N lookups and nothing else, for callgrind
 *
 * Hits go through all tokens in turn: rows in front are found sooner.
 */
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "acme_board.h"
#include "bench.h"

#define THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define ASKED_MAX 2048
#define TIMES 40000

typedef struct {
    acme_board_t *board;
    const char *asked[ASKED_MAX];
    int nasked;
    int expected;               /* found or not */
} lookup_t;

static void look_up(void *baton, int times)
{
    const lookup_t *lookup = baton;
    char buf[ACME_KEY_AUTHORIZATION_SIZE];
    int i, next = 0;

    for (i = 0; i < times; i++) {
        if (acme_board_find(lookup->board, lookup->asked[next], buf)
                != lookup->expected) {
            fputs("bench_board: a wrong answer\n", stderr);
            exit(1);
        }
        if (++next == lookup->nasked) {
            next = 0;
        }
    }
}

/* As long as Let's Encrypt's; no two are the same. */
static const char *token_of(const char *kind, int i, apr_pool_t *p)
{
    return apr_psprintf(p, "%s-%08x-PCt92wr-oA-LoqXxkFAbEq%07d", kind,
                        (unsigned)i * 2654435761u, i);
}

static void prepare(lookup_t *lookup, int tokens, int hit, apr_pool_t *p)
{
    server_rec *server = apr_pcalloc(p, sizeof(*server));
    acme_result_t res;
    const char *token;
    int i;

    memset(lookup, 0, sizeof(*lookup));
    server->process = apr_pcalloc(p, sizeof(*server->process));
    server->process->pool = p;
    if (acme_board_create(&lookup->board, server, 1, &res, p)) {
        fprintf(stderr, "bench_board: %s\n", res.detail);
        exit(1);
    }
    lookup->expected = hit;
    lookup->nasked = tokens;
    for (i = 0; i < tokens; i++) {
        token = token_of("here", i, p);
        if (acme_board_present(lookup->board, token,
                               apr_pstrcat(p, token, ".", THUMBPRINT, NULL),
                               &res)) {
            fprintf(stderr, "bench_board: %s\n", res.detail);
            exit(1);
        }
        lookup->asked[i] = hit ? token : token_of("none", i, p);
    }
}

static void row(int tokens, int hit)
{
    lookup_t lookup;
    apr_pool_t *p;
    char name[64];

    apr_pool_create(&p, NULL);
    prepare(&lookup, tokens, hit, p);
    apr_snprintf(name, sizeof(name), "challenge lookup, %s of %d",
                 hit ? "one" : "none", tokens);
    bench_row(name, look_up, &lookup, TIMES);
    apr_pool_destroy(p);
}

int main(int argc, char **argv)
{
    static const int tokens[] = { 1, 100, ASKED_MAX };
    lookup_t lookup;
    apr_pool_t *p;
    size_t i;
    int n;

    apr_initialize();
    if (argc == 4) {
        n = atoi(argv[1]);
        apr_pool_create(&p, NULL);
        prepare(&lookup, n > 0 && n < ASKED_MAX ? n : ASKED_MAX,
                !strcmp(argv[2], "hit"), p);
        look_up(&lookup, atoi(argv[3]));
    }
    else {
        for (i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
            row(tokens[i], 1);
            row(tokens[i], 0);
        }
    }
    apr_terminate();
    return 0;
}
