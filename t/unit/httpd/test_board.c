/*
 * test_board.c - challenges and states in shared memory, also while several
 * processes write to it, die in it, or fill it with whatever they like.
 *
 * The board's source is a part of this program: its rows are damaged here.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acme_board.c"
#include "pool.h"

#define THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define OTHER_THUMBPRINT "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"
#define TOKEN_A "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define TOKEN_B "DGyRejmCefe7v4NfDGDKfA"
#define CERTS 4

/* As long as a key authorization may be. */
#define LONGEST (ACME_KEY_AUTHORIZATION_SIZE - 1)

/* The pool is the process's, and outlives reloads. */
static apr_pool_t *load;        /* of one load of the configuration */
static server_rec server;
static process_rec process;
static acme_board_t *board;

static int setup(void **state)
{
    if (pool_setup(state)) {
        return -1;
    }
    apr_pool_create(&load, pool);
    process.pool = pool;
    server.process = &process;
    return acme_board_create(&board, &server, CERTS, &res, load);
}

/* As a page with one row reads it. */
static int state_of(const acme_board_t *of, int cert, acme_state_t *copy)
{
    int tries = ACME_BOARD_TRIES;

    return acme_board_state(of, cert, copy, &tries);
}

/* As when a validator asks for it. */
static int find_and_count(const char *token, char *buf)
{
    const int found = acme_board_find(board, token, buf);

    if (found) {
        acme_board_count(board, token);
    }
    return found;
}

static apr_status_t present(const char *token, const char *thumbprint)
{
    return acme_board_present(board, token, apr_pstrcat(load, token, ".",
                                                        thumbprint, NULL),
                              &res);
}

/*
 * Is this answered, and with this? The buffer is on the heap, where
 * sanitizers and valgrind see its end.
 */
static int is_answered(const char *token, const char *thumbprint)
{
    char *buf = malloc(ACME_KEY_AUTHORIZATION_SIZE);
    int found = acme_board_find(board, token, buf);
    int right = found
        && !strcmp(buf, apr_pstrcat(load, token, ".", thumbprint, NULL));

    free(buf);
    assert_int_equal(found, right);
    return found;
}

/* Rows that are neither free nor, as far as is known, anybody's. */
static int rows_in_use(void)
{
    unsigned i;
    int n = 0;

    for (i = 0; i < ROWS; i++) {
        n += atomic_load(&board->tokens->tags[i]) != FREE;
    }
    return n;
}

static void expire_all(void)
{
    unsigned i;

    for (i = 0; i < ROWS; i++) {
        atomic_store(&board->tokens->rows[i].expires, apr_time_now() - 1);
    }
}

static void a_token_from_start_to_end(void **state)
{
    char buf[ACME_KEY_AUTHORIZATION_SIZE];

    (void)state;
    assert_false(is_answered(TOKEN_A, THUMBPRINT));
    assert_int_equal(acme_board_seen(board, TOKEN_A), 0);

    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_int_equal(present(TOKEN_B, THUMBPRINT), APR_SUCCESS);
    assert_true(is_answered(TOKEN_A, THUMBPRINT));
    assert_true(is_answered(TOKEN_B, THUMBPRINT));
    assert_int_equal(acme_board_seen(board, TOKEN_A), 0);

    assert_true(find_and_count(TOKEN_A, buf));
    assert_true(acme_board_find(board, TOKEN_A, buf));
    assert_true(find_and_count(TOKEN_A, buf));
    assert_int_equal(acme_board_seen(board, TOKEN_A), 2);
    assert_int_equal(acme_board_seen(board, TOKEN_B), 0);

    acme_board_withdraw(board, TOKEN_A);
    acme_board_withdraw(board, TOKEN_A);
    assert_false(is_answered(TOKEN_A, THUMBPRINT));
    assert_true(is_answered(TOKEN_B, THUMBPRINT));
    assert_int_equal(rows_in_use(), 1);
    assert_int_equal(acme_board_seen(board, TOKEN_A), 0);

    /* Its row, when it is used again, begins to count anew. */
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_int_equal(acme_board_seen(board, TOKEN_A), 0);
}

static void tokens_that_are_not_there(void **state)
{
    static const struct {
        const char *name;
        const char *token;
    } rows[] = {
        { "empty", "" },
        { "dot", "." },
        { "other", "x" },
        { "prefix", "DGyRejmCefe7v4NfDGDKf" },
        { "longer", TOKEN_B "A" },
        { "with the dot", TOKEN_B "." },
        { "all of it", TOKEN_B "." THUMBPRINT },
        { "its end", "GyRejmCefe7v4NfDGDKfA" },
        { "thumbprint", THUMBPRINT },
        { "other case", "dgYrEJMcEFE7V4nFdgdkFa" }
    };
    char *longest = apr_pcalloc(load, 9000);
    size_t i;

    (void)state;
    assert_int_equal(present(TOKEN_B, THUMBPRINT), APR_SUCCESS);
    for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (is_answered(rows[i].token, THUMBPRINT)) {
            fail_msg("%s: it is answered", rows[i].name);
        }
        acme_board_withdraw(board, rows[i].token);
    }
    memset(longest, 'A', 8999);
    assert_false(is_answered(longest, THUMBPRINT));
    assert_true(is_answered(TOKEN_B, THUMBPRINT));
}

static void a_key_authorization_that_is_too_long(void **state)
{
    char text[LONGEST + 2];
    char *buf = apr_palloc(load, ACME_KEY_AUTHORIZATION_SIZE);

    (void)state;
    memset(text, 'A', sizeof(text));
    text[128] = '.';
    text[LONGEST + 1] = '\0';
    assert_int_equal(acme_board_present(board, "A", text, &res), APR_EINVAL);
    assert_int_equal(rows_in_use(), 0);

    text[LONGEST] = '\0';
    assert_int_equal(acme_board_present(board, apr_pstrmemdup(load, text, 128),
                                        text, &res), APR_SUCCESS);
    assert_true(acme_board_find(board, apr_pstrmemdup(load, text, 128), buf));
    assert_string_equal(buf, text);
}

static void tokens_with_the_same_hash(void **state)
{
    static const char a[] = "cgJTtf85X1kfW7_RjYBg4n";
    static const char b[] = "frNZCFpvEr8oDL3PGnpL6k";

    (void)state;
    assert_int_equal(tag_of(a), tag_of(b));
    assert_int_equal(present(a, THUMBPRINT), APR_SUCCESS);
    assert_false(is_answered(b, THUMBPRINT));
    acme_board_withdraw(board, b);

    assert_int_equal(present(b, THUMBPRINT), APR_SUCCESS);
    assert_true(is_answered(a, THUMBPRINT));
    assert_true(is_answered(b, THUMBPRINT));

    acme_board_withdraw(board, a);
    assert_false(is_answered(a, THUMBPRINT));
    assert_true(is_answered(b, THUMBPRINT));
}

static const char *token_number(int i)
{
    return apr_psprintf(load, "token-%016d", i);
}

static void a_full_table(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < ROWS; i++) {
        assert_int_equal(present(token_number(i), THUMBPRINT), APR_SUCCESS);
    }
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_ENOSPC);
    assert_non_null(strstr(res.detail, "2048"));
    assert_int_equal(res.retry, ACME_RETRY_SOON);
    assert_false(is_answered(TOKEN_A, THUMBPRINT));
    for (i = 0; i < ROWS; i++) {
        assert_true(is_answered(token_number(i), THUMBPRINT));
    }

    /* One that is there finds its place also now. */
    assert_int_equal(present(token_number(7), THUMBPRINT), APR_SUCCESS);
    assert_int_equal(present(token_number(8), OTHER_THUMBPRINT), APR_SUCCESS);
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_ENOSPC);

    acme_board_withdraw(board, token_number(1234));
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_true(is_answered(TOKEN_A, THUMBPRINT));
    assert_int_equal(present(TOKEN_B, THUMBPRINT), APR_ENOSPC);
}

static void rows_left_behind(void **state)
{
    int i;

    (void)state;
    for (i = 0; i < ROWS; i++) {
        assert_int_equal(present(token_number(i), THUMBPRINT), APR_SUCCESS);
    }
    /* Half of them by one who was killed while he filled them. */
    for (i = 0; i < ROWS; i += 2) {
        atomic_store(&board->tokens->tags[i], TAKEN);
        write_begin(&board->tokens->rows[i].seq);
    }
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_ENOSPC);

    expire_all();
    assert_true(is_answered(token_number(1), THUMBPRINT));
    for (i = 0; i < ROWS; i++) {
        assert_int_equal(present(token_number(ROWS + i), THUMBPRINT),
                         APR_SUCCESS);
    }
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_ENOSPC);
    for (i = 0; i < ROWS; i++) {
        assert_false(is_answered(token_number(i), THUMBPRINT));
        assert_true(is_answered(token_number(ROWS + i), THUMBPRINT));
    }
}

/* A reload interrupts an order; the next generation presents it again. */
static void presented_again(void **state)
{
    char buf[ACME_KEY_AUTHORIZATION_SIZE];

    (void)state;
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_true(find_and_count(TOKEN_A, buf));
    expire_all();
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_int_equal(rows_in_use(), 1);
    assert_int_equal(acme_board_seen(board, TOKEN_A), 1);
    assert_true(atomic_load(&board->tokens->rows[0].expires)
                > apr_time_now() + ROW_LIFE / 2);

    /* From now on with this one, whatever it was before. */
    assert_int_equal(present(TOKEN_A, OTHER_THUMBPRINT), APR_SUCCESS);
    assert_true(is_answered(TOKEN_A, OTHER_THUMBPRINT));
    assert_int_equal(rows_in_use(), 1);

    acme_board_withdraw(board, TOKEN_A);
    assert_false(is_answered(TOKEN_A, OTHER_THUMBPRINT));
    assert_int_equal(rows_in_use(), 0);
}

#define SNI "www.example.org"
#define V6_SNI "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0." \
    "1.0.0.2.ip6.arpa"

/* A digest whose every octet is c; zeros and dots are octets like others. */
static apr_status_t present_alpn(const char *sni, int c)
{
    unsigned char digest[ACME_ALPN_DIGEST_OCTETS];

    memset(digest, c, sizeof(digest));
    return acme_board_present_alpn(board, sni, digest, &res);
}

/* The octet that all of the answer's are, -1 for none. */
static int alpn_answer(const char *sni, int count)
{
    unsigned char *digest = malloc(ACME_ALPN_DIGEST_OCTETS);
    int i, c = -1;

    if (acme_board_find_alpn(board, sni, digest)) {
        if (count) {
            acme_board_count_alpn(board, sni);
        }
        c = digest[0];
        for (i = 0; i < ACME_ALPN_DIGEST_OCTETS; i++) {
            assert_int_equal(digest[i], c);
        }
    }
    free(digest);
    return c;
}

static void a_name_from_start_to_end(void **state)
{
    (void)state;
    assert_int_equal(alpn_answer(SNI, 1), -1);
    assert_int_equal(acme_board_seen_alpn(board, SNI), 0);

    assert_int_equal(present_alpn(SNI, 0), APR_SUCCESS);
    assert_int_equal(present_alpn(V6_SNI, 0xff), APR_SUCCESS);
    assert_int_equal(alpn_answer(SNI, 1), 0);
    assert_int_equal(alpn_answer(SNI, 0), 0);
    assert_int_equal(alpn_answer(V6_SNI, 0), 0xff);
    assert_int_equal(alpn_answer("WWW.example.org", 1), -1);
    assert_int_equal(alpn_answer("www.example.or", 1), -1);
    assert_int_equal(alpn_answer("www.example.org.", 1), -1);
    assert_int_equal(alpn_answer("", 1), -1);
    assert_int_equal(acme_board_seen_alpn(board, SNI), 1);
    assert_int_equal(acme_board_seen_alpn(board, V6_SNI), 0);

    /* Again after a reload; then for another account. */
    assert_int_equal(present_alpn(SNI, 0), APR_SUCCESS);
    assert_int_equal(acme_board_seen_alpn(board, SNI), 1);
    assert_int_equal(present_alpn(SNI, '.'), APR_SUCCESS);
    assert_int_equal(alpn_answer(SNI, 0), '.');
    assert_int_equal(acme_board_seen_alpn(board, SNI), 0);

    acme_board_withdraw_alpn(board, SNI);
    acme_board_withdraw_alpn(board, SNI);
    assert_int_equal(alpn_answer(SNI, 1), -1);
    assert_int_equal(alpn_answer(V6_SNI, 1), 0xff);
}

static void names_and_tokens_are_apart(void **state)
{
    (void)state;
    assert_int_equal(present_alpn(TOKEN_A, 'a'), APR_SUCCESS);
    assert_false(is_answered(TOKEN_A, THUMBPRINT));
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    acme_board_withdraw_alpn(board, TOKEN_A);
    assert_true(is_answered(TOKEN_A, THUMBPRINT));
    assert_int_equal(alpn_answer(TOKEN_A, 1), -1);
    assert_int_equal(acme_board_seen(board, TOKEN_A), 0);
}

static void the_longest_name_and_a_full_table(void **state)
{
    char name[ACME_NAME_MAX + 2];
    int i;

    (void)state;
    memset(name, 'a', sizeof(name));
    name[ACME_NAME_MAX + 1] = '\0';
    assert_int_equal(present_alpn(name, 'a'), APR_EINVAL);
    assert_int_equal(alpn_answer(name, 0), -1);
    name[ACME_NAME_MAX] = '\0';
    assert_int_equal(present_alpn(name, 'a'), APR_SUCCESS);
    assert_int_equal(alpn_answer(name, 0), 'a');

    for (i = 1; i < ROWS; i++) {
        assert_int_equal(present_alpn(apr_psprintf(load, "n%d.example", i),
                                      i & 0xff), APR_SUCCESS);
    }
    assert_int_equal(present_alpn(SNI, 'a'), APR_ENOSPC);
    assert_non_null(strstr(res.detail, "2048"));
    assert_int_equal(alpn_answer("n2047.example", 0), 2047 & 0xff);
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);

    acme_board_withdraw_alpn(board, "n7.example");
    assert_int_equal(present_alpn(SNI, 'a'), APR_SUCCESS);
}

static void a_reload(void **state)
{
    acme_board_t *last = board;
    acme_state_t told;
    pid_t keeper, renewal;
    char held[32];

    (void)state;
    memset(&told, 0, sizeof(told));
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_int_equal(present_alpn(SNI, 'a'), APR_SUCCESS);
    acme_board_publish(board, &told);
    acme_board_hold(board, "not now");
    acme_board_set_keeper_pid(board, 11);
    acme_board_set_renewal_pid(board, 12);
    acme_board_pids(board, &keeper, &renewal);
    assert_int_equal(keeper, 11);
    assert_int_equal(renewal, 12);

    /* Pools of httpd: the new one is there before the last one goes. */
    apr_pool_create(&load, pool);
    assert_int_equal(acme_board_create(&board, &server, CERTS + 1, &res,
                                       load), APR_SUCCESS);
    assert_true(is_answered(TOKEN_A, THUMBPRINT));
    assert_int_equal(alpn_answer(SNI, 1), 'a');
    assert_int_equal(acme_board_seen_alpn(last, SNI), 1);
    assert_false(state_of(board, 0, &told));
    assert_false(state_of(board, CERTS, &told));
    acme_board_held(board, held, sizeof(held));
    assert_string_equal(held, "");
    acme_board_pids(board, &keeper, &renewal);
    assert_int_equal(keeper, 0);
    assert_int_equal(renewal, 0);

    /* An order that the last generation still runs is ours as well. */
    assert_int_equal(acme_board_present(last, TOKEN_B,
                                        TOKEN_B "." THUMBPRINT, &res),
                     APR_SUCCESS);
    assert_true(is_answered(TOKEN_B, THUMBPRINT));
}

static void states_and_what_is_held(void **state)
{
    acme_state_t told, read;
    char held[ACME_DETAIL_SIZE];
    char small[4];

    (void)state;
    memset(&told, 0, sizeof(told));
    assert_false(state_of(board, 0, &read));
    told.cert = CERTS - 1;
    told.change = 7;
    apr_cpystrn(told.detail, "because", sizeof(told.detail));
    acme_board_publish(board, &told);
    assert_true(state_of(board, CERTS - 1, &read));
    assert_memory_equal(&read, &told, sizeof(read));
    assert_false(state_of(board, 0, &read));

    told.change = 8;
    acme_board_publish(board, &told);
    assert_true(state_of(board, CERTS - 1, &read));
    assert_int_equal(read.change, 8);

    acme_board_hold(board, "not now");
    acme_board_held(board, held, sizeof(held));
    assert_string_equal(held, "not now");
    acme_board_held(board, small, sizeof(small));
    assert_string_equal(small, "not");
    acme_board_hold(board, "");
    acme_board_held(board, held, sizeof(held));
    assert_string_equal(held, "");
}

/* A writer that is killed leaves the counter odd: no reader waits for it. */
static void a_killed_writer(void **state)
{
    const apr_time_t begin = apr_time_now();
    acme_state_t told;
    char held[32];

    (void)state;
    memset(&told, 0, sizeof(told));
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    assert_int_equal(present(TOKEN_B, THUMBPRINT), APR_SUCCESS);
    acme_board_publish(board, &told);
    acme_board_hold(board, "not now");

    write_begin(&board->tokens->rows[0].seq);
    write_begin(&board->states[0].seq);
    write_begin(&board->common->held_seq);
    assert_false(is_answered(TOKEN_A, THUMBPRINT));
    assert_true(is_answered(TOKEN_B, THUMBPRINT));
    assert_false(state_of(board, 0, &told));
    acme_board_held(board, held, sizeof(held));
    assert_string_equal(held, "");
    assert_true(apr_time_now() - begin < apr_time_from_sec(1));

    /* The next writer heals it. */
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    acme_board_publish(board, &told);
    acme_board_hold(board, "later");
    assert_true(is_answered(TOKEN_A, THUMBPRINT));
    assert_true(state_of(board, 0, &told));
    acme_board_held(board, held, sizeof(held));
    assert_string_equal(held, "later");
}

/* All rows of a page together: one that is never still costs the others no
   more than their second tries. */
static void a_page_has_so_many_tries(void **state)
{
    acme_state_t told, copy;
    int tries = 100, i;

    (void)state;
    memset(&told, 0, sizeof(told));
    for (i = 0; i < CERTS; i++) {
        told.cert = (apr_uint32_t)i;
        acme_board_publish(board, &told);
    }
    assert_true(acme_board_state(board, 0, &copy, &tries));
    assert_int_equal(tries, 100);
    write_begin(&board->states[0].seq);
    write_begin(&board->states[1].seq);
    assert_false(acme_board_state(board, 0, &copy, &tries));
    assert_int_equal(tries, 0);
    assert_false(acme_board_state(board, 1, &copy, &tries));
    assert_int_equal(tries, 0);
    assert_true(acme_board_state(board, 2, &copy, &tries));
    assert_true(acme_board_state(board, 3, &copy, &tries));
    assert_int_equal(tries, 0);
}

/* The rows full of c, every one of which claims to be that of token. */
static void scribble(char c, const char *token, unsigned seq)
{
    table_t *tokens = board->tokens;
    unsigned i;

    memset(tokens, c, sizeof(*tokens));
    for (i = 0; i < ROWS; i++) {
        atomic_store(&tokens->tags[i], tag_of(token));
        atomic_store(&tokens->rows[i].seq, seq);
    }
}

/* Whatever a worker writes there: nothing runs over, nothing hangs. */
static void hostile_contents(void **state)
{
    static const apr_size_t lengths[] = { 1, 22, 128, 190, 191, 192, 500 };
    static const char fills[] = { 'A', '.', '\0', '\xff' };
    char *buf = malloc(ACME_KEY_AUTHORIZATION_SIZE);
    board_entry_t *entry;
    char *token;
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        token = apr_pcalloc(load, lengths[i] + 1);
        memset(token, 'A', lengths[i]);
        for (j = 0; j < sizeof(fills); j++) {
            scribble(fills[j], token, 2);
            assert_false(find_and_count(token, buf));
            scribble(fills[j], token, 3);
            assert_false(find_and_count(token, buf));
            assert_int_equal(acme_board_seen(board, token), 0);
            acme_board_withdraw(board, token);
            acme_board_present(board, token, "A.A", &res);
        }
        /* The longest that such a row can have, and one octet more. */
        scribble('A', token, 2);
        entry = &board->tokens->rows[0].entry;
        memset(entry, 0, sizeof(*entry));
        memset(entry->key, 'A', lengths[i] < sizeof(entry->key)
               ? lengths[i] : sizeof(entry->key));
        memset(entry->value, 'A', LONGEST + 1);
        entry->value[lengths[i] < LONGEST ? lengths[i] : LONGEST] = '.';
        assert_int_equal(find_and_count(token, buf),
                         lengths[i] < LONGEST);
        assert_non_null(memchr(buf, 0, ACME_KEY_AUTHORIZATION_SIZE));
    }
    free(buf);
}

static void hostile_names(void **state)
{
    table_t *alpns = board->alpns;
    char name[sizeof(((board_entry_t *)0)->key) + 2];
    unsigned i;

    (void)state;
    memset(alpns, 'A', sizeof(*alpns));
    for (i = 0; i < sizeof(name); i++) {
        memset(name, 'A', i);
        name[i] = '\0';
        atomic_store(&alpns->tags[0], tag_of(name));
        atomic_store(&alpns->rows[0].seq, 2);
        assert_int_equal(alpn_answer(name, 1),
                         i == sizeof(((board_entry_t *)0)->key) - 1 ? 'A' : -1);
        acme_board_withdraw_alpn(board, name);
    }
}

static void hostile_states(void **state)
{
    acme_state_t *copy = malloc(sizeof(*copy));
    char *held = malloc(ACME_DETAIL_SIZE);
    char *small = malloc(8);

    (void)state;
    memset(board->states, 'A', CERTS * sizeof(*board->states));
    memset(board->common, 'A', sizeof(*board->common));
    assert_false(state_of(board, 0, copy));
    acme_board_held(board, held, ACME_DETAIL_SIZE);
    assert_string_equal(held, "");

    atomic_store(&board->states[0].seq, 2);
    atomic_store(&board->common->held_seq, 2);
    assert_true(state_of(board, 0, copy));
    acme_board_held(board, held, ACME_DETAIL_SIZE);
    assert_int_equal(strlen(held), ACME_DETAIL_SIZE - 1);
    acme_board_held(board, small, 8);
    assert_string_equal(small, "AAAAAAA");
    free(small);
    free(held);
    free(copy);
}

/*
 * Processes at once. A child says what was wrong and exits; the others go on
 * until their time is over.
 */
#define WRITERS 3
#define READERS 3
#define SHARED 24               /* tokens that all writers fight for */
#define RACE_TIME apr_time_from_msec(700)

#define CHECK(that) \
    do { \
        if (!(that)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #that); \
            return 1; \
        } \
    } while (0)

typedef int child_t(int number, apr_time_t end);

static pid_t begin(child_t *child, int number, apr_time_t end)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(child(number, end));
    }
    assert_true(pid > 0);
    return pid;
}

static int status_of(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Writers and readers for a while; none found anything wrong. */
static void race(child_t *writer, int writers, child_t *reader)
{
    const apr_time_t end = apr_time_now() + RACE_TIME;
    pid_t pids[WRITERS + READERS];
    int i, n = 0;

    for (i = 0; i < writers; i++) {
        pids[n++] = begin(writer, i, end);
    }
    for (i = 0; i < READERS; i++) {
        pids[n++] = begin(reader, i, end);
    }
    while (n-- > 0) {
        assert_int_equal(status_of(pids[n]), 0);
    }
}

/* Tokens of different lengths, and texts whose every octet is known. */
static void fight_for(char *token, char *text, unsigned i)
{
    apr_size_t len = 8 + 4 * (i % SHARED);

    memset(token, 'a' + (int)(i % SHARED), len);
    token[len] = '\0';
    memset(text, 'a' + (int)(i % SHARED), LONGEST);
    text[len] = '.';
    text[LONGEST - len / 2] = '\0';
}

static unsigned rnd(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

static int fighting_writer(int number, apr_time_t end)
{
    char token[ACME_KEY_AUTHORIZATION_SIZE], text[ACME_KEY_AUTHORIZATION_SIZE];
    char own[32], own_text[64], buf[ACME_KEY_AUTHORIZATION_SIZE];
    unsigned seed = (unsigned)number;
    int i;

    apr_snprintf(own, sizeof(own), "own-%d", number);
    apr_snprintf(own_text, sizeof(own_text), "own-%d.thumb", number);
    for (i = 0; apr_time_now() < end; i++) {
        fight_for(token, text, rnd(&seed));
        CHECK(!acme_board_present(board, token, text, &res));
        fight_for(token, text, rnd(&seed));
        acme_board_withdraw(board, token);

        /* What is nobody else's is there from its beginning to its end. */
        CHECK(!acme_board_find(board, own, buf));
        CHECK(!acme_board_present(board, own, own_text, &res));
        CHECK(acme_board_find(board, own, buf));
        CHECK(!strcmp(buf, own_text));
        acme_board_withdraw(board, own);
    }
    CHECK(i > 0);
    return 0;
}

/* An answer is that of the token to the last octet, or there is none. */
static int fighting_reader(int number, apr_time_t end)
{
    char token[ACME_KEY_AUTHORIZATION_SIZE], text[ACME_KEY_AUTHORIZATION_SIZE];
    char buf[ACME_KEY_AUTHORIZATION_SIZE];
    unsigned seed = 100u + (unsigned)number;
    unsigned i, found = 0;
    answer_row_t *row;
    board_entry_t entry;
    int tries;

    while (apr_time_now() < end) {
        fight_for(token, text, rnd(&seed));
        if (find_and_count(token, buf)) {
            CHECK(!strcmp(buf, text));
            found++;
        }
        /* A row as such: all of one writer's text, whoever that was. */
        i = rnd(&seed) % SHARED;
        row = &board->tokens->rows[i];
        tries = READ_TRIES;
        if (read_row(&entry, &row->entry, sizeof(entry), &row->seq, &tries)
            && strncmp(entry.key, "own-", 4) != 0 && entry.key[0]) {
            fight_for(token, text, (unsigned)(entry.key[0] - 'a'));
            CHECK(!strcmp(entry.key, token));
            CHECK(!strcmp(entry.value, text));
        }
    }
    CHECK(found > 0);
    return 0;
}

static void processes_that_write_and_read_tokens(void **state)
{
    int n;

    (void)state;
    race(fighting_writer, WRITERS, fighting_reader);

    /* At worst each has presented each of them at the same time. */
    n = rows_in_use();
    assert_in_range(n, 0, WRITERS * SHARED);
    assert_true(atomic_load(&board->tokens->used) <= WRITERS * (SHARED + 1));
}

/* Rows whose time is over are taken by several at once, each by one. */
static int taking_writer(int number, apr_time_t end)
{
    unsigned seed = (unsigned)number;
    char token[32], text[64], buf[ACME_KEY_AUTHORIZATION_SIZE];
    int i;

    for (i = 0; apr_time_now() < end; i++) {
        apr_snprintf(token, sizeof(token), "taken-%d-%d", number, i);
        apr_snprintf(text, sizeof(text), "%s.thumb", token);
        CHECK(!acme_board_present(board, token, text, &res));
        CHECK(acme_board_find(board, token, buf));
        CHECK(!strcmp(buf, text));
        if (rnd(&seed) % 2) {
            acme_board_withdraw(board, token);
        }
        else {
            /* Die, in part while the row is being filled. */
            board_entry_t entry;
            int row = find_row(board->tokens, token, &entry);

            CHECK(row >= 0);
            if (rnd(&seed) % 2) {
                atomic_store(&board->tokens->tags[row], TAKEN);
            }
            atomic_store(&board->tokens->rows[row].expires,
                         WRITERS * i + number);     /* no time twice */
        }
    }
    CHECK(i > 0);
    return 0;
}

static int no_reader(int number, apr_time_t end)
{
    (void)number;
    (void)end;
    return 0;
}

static void processes_that_take_what_was_left_behind(void **state)
{
    const apr_time_t begun = apr_time_now();
    unsigned i;

    (void)state;
    race(taking_writer, WRITERS, no_reader);

    /* All of them died: there is none that the next one can't take. */
    for (i = 0; i < ROWS; i++) {
        assert_true(atomic_load(&board->tokens->tags[i]) == FREE
                    || atomic_load(&board->tokens->rows[i].expires) < begun);
    }
    assert_true(atomic_load(&board->tokens->used) < ROWS / 8);
}

static void fill_state(acme_state_t *told, int cert, apr_uint64_t change)
{
    memset(told, 'a' + (int)(change % 26), sizeof(*told));
    told->cert = (apr_uint32_t)cert;
    told->change = change;
}

static int publishing_keeper(int number, apr_time_t end)
{
    acme_state_t told;
    char reason[600];
    apr_uint64_t change;

    (void)number;
    for (change = 1; apr_time_now() < end; change++) {
        fill_state(&told, (int)(change % CERTS), change);
        acme_board_publish(board, &told);
        memset(reason, 'a' + (int)(change % 26), sizeof(reason));
        reason[300 + change % 26] = '\0';
        acme_board_hold(board, reason);
    }
    return 0;
}

/* Every state is one that was published, and they do not go backwards. */
static int watching_reader(int number, apr_time_t end)
{
    acme_state_t told, read;
    apr_uint64_t last[CERTS] = { 0 };
    char held[ACME_DETAIL_SIZE];
    int i, n = 0;

    (void)number;
    while (apr_time_now() < end) {
        for (i = 0; i < CERTS; i++) {
            if (state_of(board, i, &read)) {
                CHECK(read.change >= last[i]);
                last[i] = read.change;
                fill_state(&told, i, read.change);
                CHECK(!memcmp(&told, &read, sizeof(read)));
                n++;
            }
        }
        acme_board_held(board, held, sizeof(held));
        CHECK(!held[0] || strlen(held) == 300 + (apr_size_t)(held[0] - 'a'));
        CHECK(strspn(held, (char[]){ held[0], '\0' }) == strlen(held));
    }
    CHECK(n > 0);
    return 0;
}

static void states_that_are_read_under_load(void **state)
{
    (void)state;
    race(publishing_keeper, 1, watching_reader);
}

/* Killed anywhere: what the others need goes on, and what is left is freed. */
static void writers_that_are_killed(void **state)
{
    const apr_time_t end = apr_time_now() + apr_time_from_sec(600);
    apr_time_t begun;
    int i, status;
    pid_t pid;

    (void)state;
    assert_int_equal(present(TOKEN_A, THUMBPRINT), APR_SUCCESS);
    for (i = 0; i < 20; i++) {
        pid = begin(fighting_writer, i, end);
        usleep(2000 + 137 * (unsigned)i);
        assert_int_equal(kill(pid, SIGKILL), 0);
        status = status_of(pid);
        assert_true(WIFSIGNALED(status));
        assert_true(is_answered(TOKEN_A, THUMBPRINT));
    }
    expire_all();
    begun = apr_time_now();
    for (i = 0; i < ROWS; i++) {
        assert_int_equal(present(token_number(i), THUMBPRINT), APR_SUCCESS);
        assert_true(is_answered(token_number(i), THUMBPRINT));
    }
    assert_true(apr_time_now() - begun < apr_time_from_sec(60));
}

#define BOARD_TEST(test) \
    cmocka_unit_test_setup_teardown(test, setup, pool_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BOARD_TEST(a_token_from_start_to_end),
        BOARD_TEST(tokens_that_are_not_there),
        BOARD_TEST(a_key_authorization_that_is_too_long),
        BOARD_TEST(tokens_with_the_same_hash),
        BOARD_TEST(a_full_table),
        BOARD_TEST(rows_left_behind),
        BOARD_TEST(presented_again),
        BOARD_TEST(a_name_from_start_to_end),
        BOARD_TEST(names_and_tokens_are_apart),
        BOARD_TEST(the_longest_name_and_a_full_table),
        BOARD_TEST(a_reload),
        BOARD_TEST(states_and_what_is_held),
        BOARD_TEST(a_killed_writer),
        BOARD_TEST(a_page_has_so_many_tries),
        BOARD_TEST(hostile_contents),
        BOARD_TEST(hostile_names),
        BOARD_TEST(hostile_states),
        BOARD_TEST(processes_that_write_and_read_tokens),
        BOARD_TEST(processes_that_take_what_was_left_behind),
        BOARD_TEST(states_that_are_read_under_load),
        BOARD_TEST(writers_that_are_killed)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
