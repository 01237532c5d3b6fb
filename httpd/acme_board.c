/*
 * acme_board.c - what all processes see: tokens to answer, states to show.
 *
 * A row is guarded by a sequence counter: odd while it is written. A reader
 * copies the row and believes the copy only when the counter was even and the
 * same before and after.
 */
#include <stdatomic.h>
#include <string.h>

#include <apr_shm.h>
#include <apr_strings.h>

#include "acme_board.h"

#define BOARD_KEY "mod_acme tokens 1"   /* counts up with tokens_t's shape */

/*
 * Tokens at once: AcmeParallel at its most times the names of a certificate
 * stays far below it; what dead processes left makes room after a while.
 */
#define TOKENS 2048
#define TOKEN_LIFE apr_time_from_sec(3600)

#define READ_TRIES 1000         /* a writer that died leaves a row odd */

typedef struct {
    atomic_uint seq;
    atomic_uint seen;
    _Atomic apr_int64_t expires;
    char text[ACME_KEY_AUTHORIZATION_SIZE];
} token_row_t;

/* tags: the hash of a row's token, FREE, or TAKEN while it is being filled. */
enum { FREE = 0, TAKEN = 1, TAG_FIRST = 2 };

typedef struct {
    atomic_uint used;           /* rows beyond it were never used */
    atomic_uint tags[TOKENS];
    token_row_t rows[TOKENS];
} tokens_t;

typedef struct {
    atomic_uint seq;
    acme_state_t state;
} state_row_t;

typedef struct {
    atomic_int keeper;
    atomic_int renewal;
    atomic_uint held_seq;
    char held[ACME_DETAIL_SIZE];
} common_t;

struct acme_board_t {
    tokens_t *tokens;
    common_t *common;
    state_row_t *states;
    int certs;
};

static void write_begin(atomic_uint *seq)
{
    atomic_store_explicit(seq, atomic_load(seq) | 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
}

static void write_end(atomic_uint *seq)
{
    atomic_store_explicit(seq, atomic_load(seq) + 1, memory_order_release);
}

/* A copy of size octets that nobody wrote to meanwhile; false: none. */
static int read_row(void *to, const void *from, apr_size_t size,
                    const atomic_uint *seq)
{
    unsigned before, after;
    int tries;

    for (tries = 0; tries < READ_TRIES; tries++) {
        before = atomic_load_explicit(seq, memory_order_acquire);
        if (before & 1) {
            continue;
        }
        memcpy(to, from, size);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(seq, memory_order_relaxed);
        if (before == after) {
            return 1;
        }
    }
    return 0;
}

/*
 * The tokens outlive reloads in the process pool, found again through its
 * userdata. The key is copied: our text goes with the DSO. Another version
 * of the module that comes with a reload makes its own; which one it is,
 * the key says and not the memory, which workers can write.
 */
static apr_status_t find_tokens(tokens_t **ptokens, server_rec *s)
{
    apr_pool_t *process = s->process->pool;
    void *data = NULL;
    apr_shm_t *shm;
    apr_status_t rv = APR_SUCCESS;

    apr_pool_userdata_get(&data, BOARD_KEY, process);
    if (!data) {
        rv = apr_shm_create(&shm, sizeof(**ptokens), NULL, process);
        if (rv == APR_SUCCESS) {
            data = apr_shm_baseaddr_get(shm);
            rv = apr_pool_userdata_set(data, BOARD_KEY, NULL, process);
        }
    }
    *ptokens = data;
    return rv;
}

apr_status_t acme_board_create(acme_board_t **pboard, server_rec *s, int certs,
                               acme_result_t *res, apr_pool_t *p)
{
    acme_board_t *board = apr_pcalloc(p, sizeof(*board));
    const apr_size_t common = APR_ALIGN_DEFAULT(sizeof(common_t));
    apr_size_t size = common + (apr_size_t)certs * sizeof(state_row_t);
    apr_shm_t *shm;
    apr_status_t rv;

    rv = find_tokens(&board->tokens, s);
    if (rv == APR_SUCCESS) {
        rv = apr_shm_create(&shm, size, NULL, p);
    }
    if (rv != APR_SUCCESS) {
        *pboard = NULL;
        return acme_fail_errno(res, rv, "shared memory");
    }
    board->certs = certs;
    board->common = apr_shm_baseaddr_get(shm);
    board->states = (void *)((char *)board->common + common);
    *pboard = board;
    return APR_SUCCESS;
}

static unsigned tag_of(const char *token, apr_size_t len)
{
    unsigned hash = 2166136261u;        /* FNV-1a */
    apr_size_t i;

    for (i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)token[i]) * 16777619u;
    }
    return hash < TAG_FIRST ? hash + TAG_FIRST : hash;
}

static int is_token_of(const char *text, const char *token, apr_size_t len)
{
    return !strncmp(text, token, len) && text[len] == '.';
}

/* The row of a token, its text into buf; -1 when there is none. */
static int find_row(tokens_t *tokens, const char *token, char *buf)
{
    const apr_size_t len = strlen(token);
    const unsigned tag = tag_of(token, len);
    const unsigned used = atomic_load_explicit(&tokens->used,
                                               memory_order_acquire);
    unsigned i;

    for (i = 0; i < used && i < TOKENS; i++) {
        token_row_t *row = &tokens->rows[i];

        if (atomic_load_explicit(&tokens->tags[i], memory_order_acquire)
                == tag
            && read_row(buf, row->text, sizeof(row->text), &row->seq)) {
            buf[sizeof(row->text) - 1] = '\0';
            if (is_token_of(buf, token, len)) {
                return (int)i;
            }
        }
    }
    return -1;
}

/*
 * Take a row that is free, or that was left behind; -1 when all are used. The
 * tag says who has it; of a row that was left TAKEN, who moved expires does.
 * expires is read first: while it has not moved, nobody else has begun.
 */
static int take_row(tokens_t *tokens)
{
    const apr_int64_t now = apr_time_now();
    apr_int64_t expires;
    unsigned i, tag, used;

    for (i = 0; i < TOKENS; i++) {
        expires = atomic_load(&tokens->rows[i].expires);
        tag = atomic_load(&tokens->tags[i]);
        if (tag != FREE && expires > now) {
            continue;
        }
        if (atomic_compare_exchange_strong(&tokens->rows[i].expires, &expires,
                                           now + TOKEN_LIFE)
            && atomic_compare_exchange_strong(&tokens->tags[i], &tag,
                                              TAKEN)) {
            used = atomic_load(&tokens->used);
            while (used <= i
                   && !atomic_compare_exchange_weak(&tokens->used, &used,
                                                    i + 1)) {
                continue;
            }
            return (int)i;
        }
    }
    return -1;
}

apr_status_t acme_board_present(acme_board_t *board, const char *token,
                                const char *key_authorization,
                                acme_result_t *res)
{
    tokens_t *tokens = board->tokens;
    char buf[ACME_KEY_AUTHORIZATION_SIZE];
    token_row_t *row;
    int i;

    if (strlen(key_authorization) >= sizeof(row->text)) {
        return acme_fail(res, APR_EINVAL, "the CA's token is too long");
    }
    /* The order that a reload interrupted may have presented it before. */
    i = find_row(tokens, token, buf);
    if (i >= 0 && !strcmp(buf, key_authorization)) {
        atomic_store(&tokens->rows[i].expires, apr_time_now() + TOKEN_LIFE);
        return APR_SUCCESS;
    }
    if (i >= 0) {
        acme_board_withdraw(board, token);      /* of another account's key */
    }
    i = take_row(tokens);
    if (i < 0) {
        return acme_fail(res, APR_ENOSPC, "all %d places for challenges are "
                         "taken; the oldest is free again within an hour",
                         TOKENS);
    }
    row = &tokens->rows[i];
    write_begin(&row->seq);
    apr_cpystrn(row->text, key_authorization, sizeof(row->text));
    write_end(&row->seq);
    atomic_store(&row->seen, 0);
    atomic_store(&row->expires, apr_time_now() + TOKEN_LIFE);
    atomic_store_explicit(&tokens->tags[i], tag_of(token, strlen(token)),
                          memory_order_release);
    return APR_SUCCESS;
}

void acme_board_withdraw(acme_board_t *board, const char *token)
{
    char buf[ACME_KEY_AUTHORIZATION_SIZE];
    unsigned tag = tag_of(token, strlen(token));
    int i = find_row(board->tokens, token, buf);

    /* Unless it has become somebody else's since. */
    if (i >= 0) {
        atomic_compare_exchange_strong(&board->tokens->tags[i], &tag, FREE);
    }
}

int acme_board_answer(acme_board_t *board, const char *token, char *buf,
                      int count)
{
    int i = find_row(board->tokens, token, buf);

    if (i >= 0 && count) {
        atomic_fetch_add(&board->tokens->rows[i].seen, 1);
    }
    return i >= 0;
}

apr_uint32_t acme_board_seen(acme_board_t *board, const char *token)
{
    char buf[ACME_KEY_AUTHORIZATION_SIZE];
    int i = find_row(board->tokens, token, buf);

    return i < 0 ? 0 : atomic_load(&board->tokens->rows[i].seen);
}

void acme_board_publish(acme_board_t *board, const acme_state_t *state)
{
    state_row_t *row = &board->states[state->cert];

    write_begin(&row->seq);
    row->state = *state;
    write_end(&row->seq);
}

int acme_board_state(const acme_board_t *board, int cert,
                     acme_state_t *state)
{
    const state_row_t *row = &board->states[cert];

    return atomic_load(&row->seq) != 0
        && read_row(state, &row->state, sizeof(*state), &row->seq);
}

void acme_board_hold(acme_board_t *board, const char *reason)
{
    write_begin(&board->common->held_seq);
    apr_cpystrn(board->common->held, reason, sizeof(board->common->held));
    write_end(&board->common->held_seq);
}

void acme_board_held(const acme_board_t *board, char *buf, apr_size_t size)
{
    char held[ACME_DETAIL_SIZE];

    buf[0] = '\0';
    if (read_row(held, board->common->held, sizeof(held),
                 &board->common->held_seq)) {
        held[sizeof(held) - 1] = '\0';
        apr_cpystrn(buf, held, size);
    }
}

void acme_board_set_pids(acme_board_t *board, pid_t keeper, pid_t renewal)
{
    if (keeper) {
        atomic_store(&board->common->keeper, (int)keeper);
    }
    if (renewal) {
        atomic_store(&board->common->renewal, (int)renewal);
    }
}

void acme_board_pids(const acme_board_t *board, pid_t *keeper,
                     pid_t *renewal)
{
    *keeper = atomic_load(&board->common->keeper);
    *renewal = atomic_load(&board->common->renewal);
}
