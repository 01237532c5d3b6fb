/*
 * acme_board.c - what all processes see: challenges to answer, states to
 * show.
 *
 * A row is guarded by a sequence counter: odd while it is written. A reader
 * copies the row and believes the copy only when the counter was even and the
 * same before and after.
 */
#include <stdatomic.h>
#include <string.h>

#include <apr_shm.h>
#include <apr_strings.h>

#include "acme_alpn_cert.h"
#include "acme_board.h"
#include "acme_name.h"

#define BOARD_KEY "mod_acme answers 2"  /* counts up with answers_t's shape */

/*
 * Challenges of a type at once: AcmeParallel at its most times the names of a
 * certificate stays far below it; what dead processes left makes room after a
 * while.
 */
#define ROWS 2048
#define ROW_LIFE apr_time_from_sec(3600)

#define READ_TRIES 1000         /* a writer that died leaves a row odd */

/* What a validator asks for, and what it is told; padded with zeros. */
typedef struct {
    char key[256];
    char value[ACME_KEY_AUTHORIZATION_SIZE];
} board_entry_t;

typedef struct {
    atomic_uint seq;
    atomic_uint seen;
    _Atomic apr_int64_t expires;
    board_entry_t entry;
} answer_row_t;

/* tags: the hash of a row's key, FREE, or TAKEN while it is being filled. */
enum { FREE = 0, TAKEN = 1, TAG_FIRST = 2 };

typedef struct {
    atomic_uint used;           /* rows beyond it were never used */
    atomic_uint tags[ROWS];
    answer_row_t rows[ROWS];
} table_t;

typedef struct {
    table_t tokens;             /* token: key authorization */
    table_t alpns;              /* SNI: its digest */
} answers_t;

typedef struct {
    atomic_uint seq;
    acme_state_t state;
} state_row_t;

typedef struct {
    atomic_int keeper;
    atomic_int renewal;
    atomic_uint changes;        /* states that were published */
    atomic_uint held_seq;
    char held[ACME_DETAIL_SIZE];
} common_t;

struct acme_board_t {
    table_t *tokens;
    table_t *alpns;
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

/*
 * A copy of size octets that nobody wrote to meanwhile; false: none. A try that
 * fails takes one of *ptries, and without any left there is one try.
 */
static int read_row(void *to, const void *from, apr_size_t size,
                    const atomic_uint *seq, int *ptries)
{
    unsigned before, after;

    for (;;) {
        before = atomic_load_explicit(seq, memory_order_acquire);
        if (!(before & 1)) {
            memcpy(to, from, size);
            atomic_thread_fence(memory_order_acquire);
            after = atomic_load_explicit(seq, memory_order_relaxed);
            if (before == after) {
                return 1;
            }
        }
        if (*ptries <= 0) {
            return 0;
        }
        --*ptries;
    }
}

/*
 * The answers outlive reloads in the process pool, found again through its
 * userdata. The key is copied: our text goes with the DSO. Another version
 * of the module that comes with a reload makes its own; which one it is,
 * the key says and not the memory, which workers can write.
 */
static apr_status_t find_answers(answers_t **panswers, server_rec *s)
{
    apr_pool_t *process = s->process->pool;
    void *data = NULL;
    apr_shm_t *shm;
    apr_status_t rv = APR_SUCCESS;

    apr_pool_userdata_get(&data, BOARD_KEY, process);
    if (!data) {
        rv = apr_shm_create(&shm, sizeof(**panswers), NULL, process);
        if (rv == APR_SUCCESS) {
            data = apr_shm_baseaddr_get(shm);
            rv = apr_pool_userdata_set(data, BOARD_KEY, NULL, process);
        }
    }
    *panswers = data;
    return rv;
}

apr_status_t acme_board_create(acme_board_t **pboard, server_rec *s, int certs,
                               acme_result_t *res, apr_pool_t *p)
{
    acme_board_t *board = apr_pcalloc(p, sizeof(*board));
    answers_t *answers;
    const apr_size_t common = APR_ALIGN_DEFAULT(sizeof(common_t));
    apr_size_t size = common + (apr_size_t)certs * sizeof(state_row_t);
    apr_shm_t *shm;
    apr_status_t rv;

    rv = find_answers(&answers, s);
    if (rv == APR_SUCCESS) {
        rv = apr_shm_create(&shm, size, NULL, p);
    }
    if (rv != APR_SUCCESS) {
        *pboard = NULL;
        return acme_fail_errno(res, rv, "shared memory");
    }
    board->tokens = &answers->tokens;
    board->alpns = &answers->alpns;
    board->certs = certs;
    board->common = apr_shm_baseaddr_get(shm);
    board->states = (void *)((char *)board->common + common);
    *pboard = board;
    return APR_SUCCESS;
}

static unsigned tag_of(const char *key)
{
    unsigned hash = 2166136261u;        /* FNV-1a */

    for (; *key; key++) {
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    }
    return hash < TAG_FIRST ? hash + TAG_FIRST : hash;
}

/* The row of a key, a copy of it into entry; -1 when there is none. */
static int find_row(table_t *table, const char *key, board_entry_t *entry)
{
    const unsigned tag = tag_of(key);
    const unsigned used = atomic_load_explicit(&table->used,
                                               memory_order_acquire);
    int tries = READ_TRIES;
    unsigned i;

    for (i = 0; i < used && i < ROWS; i++) {
        answer_row_t *row = &table->rows[i];

        if (atomic_load_explicit(&table->tags[i], memory_order_acquire)
                == tag
            && read_row(entry, &row->entry, sizeof(*entry), &row->seq,
                        &tries)) {
            entry->key[sizeof(entry->key) - 1] = '\0';
            if (!strcmp(entry->key, key)) {
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
static int take_row(table_t *table)
{
    const apr_int64_t now = apr_time_now();
    apr_int64_t expires;
    unsigned i, tag, used;

    for (i = 0; i < ROWS; i++) {
        expires = atomic_load(&table->rows[i].expires);
        tag = atomic_load(&table->tags[i]);
        if (tag != FREE && expires > now) {
            continue;
        }
        if (atomic_compare_exchange_strong(&table->rows[i].expires, &expires,
                                           now + ROW_LIFE)
            && atomic_compare_exchange_strong(&table->tags[i], &tag,
                                              TAKEN)) {
            used = atomic_load(&table->used);
            while (used <= i
                   && !atomic_compare_exchange_weak(&table->used, &used,
                                                    i + 1)) {
                continue;
            }
            return (int)i;
        }
    }
    return -1;
}

static void withdraw_row(table_t *table, const char *key)
{
    unsigned tag = tag_of(key);
    board_entry_t entry;
    int i = find_row(table, key, &entry);

    /* Unless it has become somebody else's since. */
    if (i >= 0) {
        atomic_compare_exchange_strong(&table->tags[i], &tag, FREE);
    }
}

/* size octets of value are its answer from now on. Both have been measured. */
static apr_status_t present_row(table_t *table, const char *key,
                            const void *value, apr_size_t size,
                            acme_result_t *res)
{
    board_entry_t entry, found;
    answer_row_t *row;
    int i;

    memset(&entry, 0, sizeof(entry));
    apr_cpystrn(entry.key, key, sizeof(entry.key));
    memcpy(entry.value, value, size);

    /* The order that a reload interrupted may have presented it before. */
    i = find_row(table, key, &found);
    if (i >= 0 && !memcmp(found.value, entry.value, sizeof(entry.value))) {
        atomic_store(&table->rows[i].expires, apr_time_now() + ROW_LIFE);
        return APR_SUCCESS;
    }
    if (i >= 0) {
        withdraw_row(table, key);       /* of another account's key */
    }
    i = take_row(table);
    if (i < 0) {
        return acme_fail(res, APR_ENOSPC,
                         "all %d slots for challenge responses are in use; the oldest is freed within an hour",
                         ROWS);
    }
    row = &table->rows[i];
    write_begin(&row->seq);
    row->entry = entry;
    write_end(&row->seq);
    atomic_store(&row->seen, 0);
    atomic_store(&row->expires, apr_time_now() + ROW_LIFE);
    atomic_store_explicit(&table->tags[i], tag_of(key), memory_order_release);
    return APR_SUCCESS;
}

static void count_row(table_t *table, const char *key)
{
    board_entry_t entry;
    int i = find_row(table, key, &entry);

    if (i >= 0) {
        atomic_fetch_add(&table->rows[i].seen, 1);
    }
}

static apr_uint32_t seen_of(table_t *table, const char *key)
{
    board_entry_t entry;
    int i = find_row(table, key, &entry);

    return i < 0 ? 0 : atomic_load(&table->rows[i].seen);
}

apr_status_t acme_board_present(acme_board_t *board, const char *token,
                                const char *key_authorization,
                                acme_result_t *res)
{
    const apr_size_t len = strlen(key_authorization);

    if (len >= ACME_KEY_AUTHORIZATION_SIZE) {
        return acme_fail(res, APR_EINVAL, "the CA's token is too long");
    }
    return present_row(board->tokens, token, key_authorization, len, res);
}

void acme_board_withdraw(acme_board_t *board, const char *token)
{
    withdraw_row(board->tokens, token);
}

/* Whatever a worker wrote there: no other text than one of this token. */
static int is_token_of(const char *text, const char *token)
{
    const apr_size_t len = strlen(token);

    return !strncmp(text, token, len) && text[len] == '.';
}

int acme_board_find(acme_board_t *board, const char *token, char *buf)
{
    board_entry_t entry;

    if (find_row(board->tokens, token, &entry) < 0) {
        return 0;
    }
    entry.value[sizeof(entry.value) - 1] = '\0';
    if (!is_token_of(entry.value, token)) {
        return 0;
    }
    apr_cpystrn(buf, entry.value, sizeof(entry.value));
    return 1;
}

void acme_board_count(acme_board_t *board, const char *token)
{
    count_row(board->tokens, token);
}

apr_uint32_t acme_board_seen(acme_board_t *board, const char *token)
{
    return seen_of(board->tokens, token);
}

apr_status_t acme_board_present_alpn(acme_board_t *board, const char *sni,
                                     const unsigned char *digest,
                                     acme_result_t *res)
{
    if (strlen(sni) > ACME_NAME_MAX) {
        return acme_fail(res, APR_EINVAL, "a name has at most %d octets",
                         ACME_NAME_MAX);
    }
    return present_row(board->alpns, sni, digest, ACME_ALPN_DIGEST_OCTETS,
                       res);
}

void acme_board_withdraw_alpn(acme_board_t *board, const char *sni)
{
    withdraw_row(board->alpns, sni);
}

int acme_board_find_alpn(acme_board_t *board, const char *sni,
                         unsigned char *digest)
{
    board_entry_t entry;

    if (find_row(board->alpns, sni, &entry) < 0) {
        return 0;
    }
    memcpy(digest, entry.value, ACME_ALPN_DIGEST_OCTETS);
    return 1;
}

void acme_board_count_alpn(acme_board_t *board, const char *sni)
{
    count_row(board->alpns, sni);
}

apr_uint32_t acme_board_seen_alpn(acme_board_t *board, const char *sni)
{
    return seen_of(board->alpns, sni);
}

void acme_board_publish(acme_board_t *board, const acme_state_t *state)
{
    state_row_t *row = &board->states[state->cert];

    write_begin(&row->seq);
    row->state = *state;
    write_end(&row->seq);
    atomic_fetch_add(&board->common->changes, 1);
}

apr_uint32_t acme_board_changes(const void *board)
{
    return atomic_load(&((const acme_board_t *)board)->common->changes);
}

int acme_board_state(const acme_board_t *board, int cert,
                     acme_state_t *state, int *ptries)
{
    const state_row_t *row = &board->states[cert];

    return atomic_load(&row->seq) != 0
        && read_row(state, &row->state, sizeof(*state), &row->seq, ptries);
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
    int tries = READ_TRIES;

    buf[0] = '\0';
    if (read_row(held, board->common->held, sizeof(held),
                 &board->common->held_seq, &tries)) {
        held[sizeof(held) - 1] = '\0';
        apr_cpystrn(buf, held, size);
    }
}

void acme_board_set_keeper_pid(acme_board_t *board, pid_t pid)
{
    atomic_store(&board->common->keeper, (int)pid);
}

void acme_board_set_renewal_pid(acme_board_t *board, pid_t pid)
{
    atomic_store(&board->common->renewal, (int)pid);
}

void acme_board_pids(const acme_board_t *board, pid_t *keeper,
                     pid_t *renewal)
{
    *keeper = atomic_load(&board->common->keeper);
    *renewal = atomic_load(&board->common->renewal);
}
