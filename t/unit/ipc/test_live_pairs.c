/*
 * test_live_pairs.c - memory that the keeper alone writes.
 */
#ifdef __linux__                /* what looks at /proc */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "acme_live_pairs.h"
#include "acme_live_slot.h"
#include "live_memory.h"
#include "scratch.h"

#define CERTS 3
#define NAME LIVE_MEMORY_NAME

static const acme_live_pair_t ec = { "chain of ec", "key of ec" };
static const acme_live_pair_t both[] = { { "chain of ec, later", "the ec key" },
                                         { "chain of rsa", "the rsa key" } };

static acme_live_pairs_t *create(int certs)
{
    acme_live_pairs_t *live;

    assert_int_equal(acme_live_pairs_create(&live, certs, &res, pool), 0);
    return live;
}

/* Where it is mapped, and with which rights: "r--s"; NULL: nowhere. */
static void *find_mapping(apr_size_t *len, char rights[8])
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    void *found = NULL;

    while (maps && fgets(line, sizeof(line), maps)) {
        unsigned long from, to;
        char mode[8];

        if (strstr(line, NAME)
            && sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3) {
            assert_null(found);         /* nothing else stays mapped */
            found = (void *)from;
            *len = to - from;
            strcpy(rights, mode);
        }
    }
    if (maps) {
        fclose(maps);
    }
    return found;
}

/* Is the text anywhere in the memory? */
static int has(const char *text)
{
    const apr_size_t wanted = strlen(text);
    apr_size_t len, i;
    char rights[8];
    const char *data = find_mapping(&len, rights);

    assert_non_null(data);
    for (i = 0; i + wanted <= len; i++) {
        if (!memcmp(data + i, text, wanted)) {
            return 1;
        }
    }
    return 0;
}

static apr_size_t pages(void)
{
    struct stat info;

    assert_int_equal(fstat(live_memory_descriptor(), &info), 0);
    return (apr_size_t)info.st_blocks * 512 / (apr_size_t)sysconf(_SC_PAGESIZE);
}

static void what_was_published_is_read(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;
    apr_uint32_t generation;

    (void)state;
    assert_int_equal(acme_live_pairs_generation(live, 1), 0);
    assert_int_equal(acme_live_pairs_archive(live, 1), 0);
    assert_int_equal(acme_live_pairs_read(&read, live, 1, pool), APR_ENOENT);

    assert_int_equal(acme_live_pairs_publish(live, 1, 7, &ec, 1, &res), 0);
    generation = acme_live_pairs_generation(live, 1);
    assert_int_not_equal(generation, 0);
    assert_int_equal(acme_live_pairs_archive(live, 1), 7);
    assert_int_equal(acme_live_pairs_read(&read, live, 1, pool), 0);
    assert_int_equal(read.generation, generation);
    assert_int_equal(read.archive, 7);
    assert_int_equal(read.kinds, 1);
    assert_string_equal(read.pairs[0].chain, ec.chain);
    assert_string_equal(read.pairs[0].key, ec.key);

    assert_int_equal(acme_live_pairs_publish(live, 1, 8, both, 2, &res), 0);
    assert_true(acme_live_pairs_generation(live, 1) > generation);
    assert_int_equal(acme_live_pairs_read(&read, live, 1, pool), 0);
    assert_int_equal(read.archive, 8);
    assert_int_equal(read.kinds, 2);
    assert_string_equal(read.pairs[1].chain, both[1].chain);
    assert_string_equal(read.pairs[1].key, both[1].key);

    /* Of one certificate only. */
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), APR_ENOENT);
    assert_int_equal(acme_live_pairs_read(&read, live, 2, pool), APR_ENOENT);
}

static void what_was_replaced_is_overwritten(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;
    apr_uint32_t generation;

    (void)state;
    assert_int_equal(acme_live_pairs_publish(live, 2, 1, both, 2, &res), 0);
    assert_true(has("chain of rsa"));
    assert_true(has("the rsa key"));
    assert_int_equal(acme_live_pairs_publish(live, 2, 2, &ec, 1, &res), 0);
    assert_false(has("chain of rsa"));
    assert_false(has("the rsa key"));
    assert_true(has(ec.key));

    generation = acme_live_pairs_generation(live, 2);
    acme_live_pairs_withdraw(live, 2);
    assert_false(has(ec.key));
    assert_false(has(ec.chain));
    assert_int_equal(acme_live_pairs_generation(live, 2), 0);
    assert_int_equal(acme_live_pairs_archive(live, 2), 0);
    assert_int_equal(acme_live_pairs_read(&read, live, 2, pool), APR_ENOENT);

    /* A reader that has the former must not take it for the same. */
    assert_int_equal(acme_live_pairs_publish(live, 2, 1, both, 2, &res), 0);
    assert_true(acme_live_pairs_generation(live, 2) > generation);
}

/* What a handshake's thread copied: seen before the pool gives memory back. */
static apr_status_t see_what_is_left(void *data)
{
    acme_live_pairs_read_t *read = data;

    read->kinds = read->pairs[0].key[0] || read->pairs[1].key[0];
    return APR_SUCCESS;
}

static void a_copy_is_overwritten_with_its_pool(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;
    apr_pool_t *p;

    (void)state;
    assert_int_equal(acme_live_pairs_publish(live, 0, 1, both, 2, &res), 0);
    apr_pool_create(&p, pool);
    apr_pool_cleanup_register(p, &read, see_what_is_left,
                              apr_pool_cleanup_null);   /* the last to run */
    assert_int_equal(acme_live_pairs_read(&read, live, 0, p), 0);
    assert_string_equal(read.pairs[1].key, both[1].key);
    apr_pool_destroy(p);
    assert_int_equal(read.kinds, 0);
}

static void what_is_too_long_changes_nothing(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;
    char text[ACME_LIVE_PAIRS_OCTETS + 1];
    acme_live_pair_t longest = { text, ec.key };
    const apr_size_t max = ACME_LIVE_PAIRS_OCTETS - strlen(ec.key) - 2;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[max] = '\0';
    assert_int_equal(acme_live_pairs_publish(live, 0, 1, &longest, 1, &res), 0);
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), 0);
    assert_string_equal(read.pairs[0].chain, text);
    assert_string_equal(read.pairs[0].key, ec.key);

    text[max] = 'x';
    text[max + 1] = '\0';
    assert_int_equal(acme_live_pairs_publish(live, 0, 2, &longest, 1, &res),
                     ENOSPC);
    assert_detail("32000 octets");
    assert_int_equal(acme_live_pairs_archive(live, 0), 1);
    text[max + 1] = 'x';
    text[sizeof(text) - 1] = '\0';      /* the first text alone is longer */
    assert_int_equal(acme_live_pairs_publish(live, 0, 2, &longest, 1, &res),
                     ENOSPC);
}

/* With thousands, a page for each would be tens of megabytes. */
static void nothing_published_costs_no_memory(void **state)
{
    acme_live_pairs_t *live = create(10000);
    acme_live_pairs_read_t read;
    apr_size_t rows;
    int i;

    (void)state;
    for (i = 0; i < 10000; i++) {
        assert_int_equal(acme_live_pairs_generation(live, i), 0);
        assert_int_equal(acme_live_pairs_read(&read, live, i, pool),
                         APR_ENOENT);
    }
    rows = pages();
    assert_true(rows <= 10000 * sizeof(acme_live_slot_row_t) / 4096 + 1);
    assert_int_equal(acme_live_pairs_publish(live, 9999, 1, &ec, 1, &res), 0);
    assert_int_equal(pages(), rows + 1);
}

static void readers_cannot_write(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;
    apr_size_t len = 0;
    char rights[8] = "";
    void *data;

    (void)state;
    assert_int_equal(acme_live_pairs_publish(live, 0, 1, &ec, 1, &res), 0);
    data = find_mapping(&len, rights);
    assert_non_null(data);
    assert_string_equal(rights, "r--s");
    assert_int_equal(mprotect(data, len, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(errno, EACCES);

    assert_int_equal(fcntl(live_memory_descriptor(), F_GETFD), FD_CLOEXEC);
    acme_live_pairs_forget_writer(live);
    acme_live_pairs_forget_writer(live);
    assert_int_equal(live_memory_descriptor(), -1);
    assert_int_equal(mprotect(data, len, PROT_READ | PROT_WRITE), -1);
    assert_int_equal(acme_live_pairs_publish(live, 0, 2, &ec, 1, &res),
                     APR_EBADF);
    acme_live_pairs_withdraw(live, 0);
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), 0);
    assert_int_equal(read.archive, 1);
}

/* Where a module kept descriptors of httpd's parent: not the length, and other
   users do not open it anew. */
static void the_memory_is_sealed(void **state)
{
    struct stat info;
    int fd;

    (void)state;
    (void)create(CERTS);
    fd = live_memory_descriptor();
    assert_int_equal(fcntl(fd, F_GET_SEALS)
                         & (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void it_is_left_out_of_core_files(void **state)
{
    char line[512];
    int is_here = 0, is_left_out = 0;
    FILE *maps;

    (void)state;
    (void)create(CERTS);
    maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        is_here |= strstr(line, NAME) != NULL;
        if (is_here && !strncmp(line, "VmFlags:", 8)) {
            is_left_out = strstr(line, " dd") != NULL;
            is_here = 0;
        }
    }
    fclose(maps);
    assert_true(is_left_out);
}

/* As httpd's parent forks them: the first keeper, a worker, the next keeper. */
static int run_worker(void *data)
{
    acme_live_pairs_t *live = data;
    acme_live_pairs_read_t read;

    acme_live_pairs_forget_writer(live);
    CHECK(live_memory_descriptor() == -1);
    CHECK(acme_live_pairs_read(&read, live, 0, pool) == 0);
    CHECK(read.archive == 3);
    return 0;
}

static int run_keeper(void *data)
{
    CHECK(acme_live_pairs_publish(data, 0, 3, &ec, 1, &res) == 0);
    return 0;
}

static void processes_see_what_a_keeper_wrote(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    apr_uint32_t generation;

    (void)state;
    assert_int_equal(in_child(run_keeper, live), 0);
    assert_int_equal(in_child(run_worker, live), 0);
    generation = acme_live_pairs_generation(live, 0);
    assert_int_equal(in_child(run_keeper, live), 0);
    assert_true(acme_live_pairs_generation(live, 0) > generation);
    assert_int_equal(in_child(run_worker, live), 0);
}

/* What a keeper would have written that was killed, or one that lies. */
static void set_row(int cert, apr_uint32_t sequence, apr_uint32_t number,
                    apr_uint32_t octets)
{
    const uint32_t row[4] = { sequence, 9, number, octets };

    live_memory_set_row(cert, row);
}

static off_t texts_at(int cert)
{
    const off_t page = (off_t)sysconf(_SC_PAGESIZE);

    return page + cert * ((ACME_LIVE_PAIRS_OCTETS + page - 1) / page * page);
}

static void the_next_keeper_repairs_what_a_killed_one_left(void **state)
{
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;

    (void)state;
    assert_int_equal(acme_live_pairs_publish(live, 1, 1, both, 2, &res), 0);
    set_row(1, 5, 1, 9);
    assert_int_equal(acme_live_pairs_read(&read, live, 1, pool), APR_EAGAIN);
    assert_int_equal(acme_live_pairs_publish(live, 1, 2, &ec, 1, &res), 0);
    assert_int_equal(acme_live_pairs_read(&read, live, 1, pool), 0);
    assert_int_equal(read.archive, 2);
    assert_false(has("the rsa key"));   /* it was beyond what the row said */

    set_row(1, 7, 2, 0);
    acme_live_pairs_withdraw(live, 1);
    assert_int_equal(acme_live_pairs_read(&read, live, 1, pool), APR_ENOENT);
    assert_false(has(ec.key));
}

static void what_no_keeper_wrote_is_refused(void **state)
{
    static const struct {
        const char *name;
        const char *texts;
        apr_uint32_t octets;
        apr_uint32_t number;
    } rows[] = {
        { "no end", "chain\0key", 9, 1 },
        { "one text", "chain", 6, 1 },
        { "three texts", "chain\0key\0chain", 16, 1 },
        { "six texts", "a\0b\0c\0d\0e\0f", 12, 1 },
        { "an empty text", "chain\0", 7, 1 },
        { "no octets", "", 0, 1 },
        { "no archive", "chain\0key", 10, 0 },
        { "a negative archive", "chain\0key", 10, 0x80000000u },
        { "more than there is", "chain\0key", 32001, 1 },
        { "far more", "chain\0key", 0xffffffffu, 1 }
    };
    acme_live_pairs_t *live = create(CERTS);
    acme_live_pairs_read_t read;
    char texts[16];
    apr_size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        memset(texts, 0, sizeof(texts));
        memcpy(texts, rows[i].texts,
               rows[i].octets < sizeof(texts) ? rows[i].octets : 10);
        assert_int_equal(pwrite(live_memory_descriptor(), texts, sizeof(texts),
                                texts_at(0)), sizeof(texts));
        set_row(0, 4, rows[i].number, rows[i].octets);
        if (acme_live_pairs_read(&read, live, 0, pool) != APR_EINVAL) {
            fail_msg("%s was read", rows[i].name);
        }
    }
    memcpy(texts, "chain\0key", 10);
    assert_int_equal(pwrite(live_memory_descriptor(), texts, sizeof(texts),
                            texts_at(0)), sizeof(texts));
    set_row(0, 4, 1, 10);
    assert_int_equal(acme_live_pairs_read(&read, live, 0, pool), 0);
}

static void it_goes_with_its_pool(void **state)
{
    acme_live_pairs_t *live;
    apr_size_t len;
    char rights[8];
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, pool);
    assert_int_equal(acme_live_pairs_create(&live, CERTS, &res, p), 0);
    assert_non_null(find_mapping(&len, rights));
    apr_pool_destroy(p);
    assert_null(find_mapping(&len, rights));
    assert_int_equal(live_memory_descriptor(), -1);
}

/* Two thousand writings, read meanwhile: what is read is of one of them. */
static int read_meanwhile(void *data)
{
    acme_live_pairs_t *live = data;
    acme_live_pairs_read_t read;
    apr_pool_t *p;

    apr_pool_create(&p, pool);
    acme_live_pairs_forget_writer(live);
    do {
        apr_status_t rv;

        apr_pool_clear(p);
        rv = acme_live_pairs_read(&read, live, 0, p);
        CHECK(rv == APR_SUCCESS || APR_STATUS_IS_EAGAIN(rv));
        if (rv == APR_SUCCESS) {
            CHECK(read.kinds == 1 || read.kinds == 2);
            CHECK(atoi(read.pairs[0].chain) == read.archive);
            CHECK(atoi(read.pairs[read.kinds - 1].key) == read.archive);
        }
    } while (read.archive < 2000);
    return 0;
}

static int write_all(void *data)
{
    acme_live_pairs_t *live = data;
    char *chain = apr_palloc(pool, 6001);
    acme_live_pair_t pairs[2];
    int n;

    memset(chain, 'c', 6000);
    chain[6000] = '\0';
    for (n = 1; n <= 2000; n++) {
        char key[16];

        apr_snprintf(key, sizeof(key), "%d", n);
        memcpy(chain, "    ", 4);
        memcpy(chain, key, strlen(key));
        pairs[0] = pairs[1] = (acme_live_pair_t) { chain, key };
        CHECK(!acme_live_pairs_publish(live, 0, n, pairs, 1 + n % 2, &res));
    }
    return 0;
}

static int write_and_read(void *data)
{
    const pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        _exit(write_all(data));
    }
    CHECK(read_meanwhile(data) == 0);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    return 0;
}

static void what_is_read_meanwhile_is_of_one_writing(void **state)
{
    acme_live_pairs_t *live = create(1);

    (void)state;
    assert_int_equal(acme_live_pairs_publish(live, 0, 1,
                                             &(acme_live_pair_t) { "1", "1" },
                                             1, &res), 0);
    assert_int_equal(in_child(write_and_read, live), 0);
}

/* Without an end by SIGXFSZ. */
static void no_longer_than_files_may_be(void **state)
{
    struct rlimit old, less;
    acme_live_pairs_t *live;
    apr_status_t rv;

    (void)state;
    getrlimit(RLIMIT_FSIZE, &old);
    less = (struct rlimit) { 32 * 1024, old.rlim_max };
    setrlimit(RLIMIT_FSIZE, &less);
    rv = acme_live_pairs_create(&live, CERTS, &res, pool);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(rv, EFBIG);
    assert_non_null(strstr(res.detail, "ulimit -f"));
    assert_null(live);
}

#endif

int main(void)
{
#ifdef __linux__
    const struct CMUnitTest tests[] = {
        POOL_TEST(what_was_published_is_read),
        POOL_TEST(what_was_replaced_is_overwritten),
        POOL_TEST(a_copy_is_overwritten_with_its_pool),
        POOL_TEST(what_is_too_long_changes_nothing),
        POOL_TEST(nothing_published_costs_no_memory),
        POOL_TEST(readers_cannot_write),
        POOL_TEST(the_memory_is_sealed),
        POOL_TEST(it_is_left_out_of_core_files),
        POOL_TEST(processes_see_what_a_keeper_wrote),
        POOL_TEST(the_next_keeper_repairs_what_a_killed_one_left),
        POOL_TEST(what_no_keeper_wrote_is_refused),
        POOL_TEST(no_longer_than_files_may_be),
        POOL_TEST(it_goes_with_its_pool),
        POOL_TEST(what_is_read_meanwhile_is_of_one_writing)
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
#else
    return 0;
#endif
}
